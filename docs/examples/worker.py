"""A worker whose model is a parrot: it repeats the prompt, word by word. README.md says how to run it."""
import itertools, re, signal, struct, sys, time, zmq
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2, worker_pb2 as work

HEADER = struct.Struct("<3sBBBHQQII")  # "ALD", version 1.0, kind, method, session, stream, length of the body, zero
ENDPOINT, MODEL, KEY = sys.argv[1:] + ["tcp://127.0.0.1:5551", "parrot", None][len(sys.argv) - 1:]
STEP_MS, ROOM, KV = 50, 8, 32768  # a step gives each of at most ROOM sequences one token
REGISTRATION = work.Registration(
    name="parrot", model=MODEL, engine="parrot", context_length=KV // ROOM, resumes_prefix=True, batching="chunked",
    profile=work.Profile(device="parrot", gpus=1, prefill_c1_ms=STEP_MS, decode_c3_ms=STEP_MS, kv_capacity_tokens=KV,
                         kv_block_tokens=1, maximum_sequences=ROOM, maximum_batched_tokens=KV, chunk_tokens=KV))
stopping = []  # not empty once we were asked to stop: what runs is finished first
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda *_: stopping.append(True))

def serve(socket):  # one session; what it held is void when it ends
    session, timeout, heard, taken, running = 0, 2, time.monotonic(), 0, {}
    def send(kind, message=None, stream=0):
        body, method = message.SerializeToString() if message else b"", wire.METHOD_WORKER_WORK if stream else 0
        socket.send_multipart([HEADER.pack(b"ALD", 1, 0, kind, method, session, stream, len(body), 0), body])
    send(wire.FRAME_HELLO, wire.Hello(software="worker.py/1", name="parrot"))
    while time.monotonic() < heard + timeout and not (stopping and not running):
        step_end = time.monotonic() + STEP_MS / 1000  # a real worker would compute until then
        while socket.poll(max(0, 1000 * (step_end - time.monotonic()))):
            header, body = (socket.recv_multipart() + [b""])[:2]
            kind, heard = HEADER.unpack(header[:32])[3], time.monotonic()
            if kind == wire.FRAME_WELCOME:
                session, timeout = (w := wire.Welcome.FromString(body)).session, w.session_timeout_ms / 1000
                send(wire.FRAME_CALL, work.WorkerReport(registration=REGISTRATION), stream=1)
            elif kind == wire.FRAME_PING: send(wire.FRAME_PONG)  # these answers keep the session alive
            elif kind == wire.FRAME_ITEM:
                for given in (command := work.WorkerCommand.FromString(body)).batch.assignments:
                    query, taken = api.GenerateRequest.FromString(given.request), taken + 1
                    words = re.findall(r"\s*\S+", query.text or "".join(m.content for m in query.chat.messages[-1:]))
                    running[given.lease] = words or ["squawk"], len(given.resumed_ids), query.max_tokens
                for lease in command.cancel.leases: running.pop(lease, None)
            elif kind in (wire.FRAME_END, wire.FRAME_ERROR, wire.FRAME_GOODBYE):
                return print("session over:", status_pb2.Status.FromString(body).message, flush=True)
        context = sum(len(words) + index for words, index, _ in running.values())
        workload = work.Workload(kind=work.WORKLOAD_DECODE, decode_sequences=len(running), context_tokens=context)
        step = work.StepReport(duration_us=1000 * STEP_MS, free_kv_tokens=KV - context, workload=workload)
        for lease, (words, index, most) in list(running.items()):
            token = api.Tokens(first_index=index, count=1, ids=[index], text=words[index % len(words)])
            progress, running[lease] = step.progress.add(lease=lease, tokens=token), (words, index + 1, most)
            if index + 1 >= min(len(words), most):  # the last token and the end go together
                del running[lease]
                progress.finished.reason = api.FINISH_STOP if index + 1 >= len(words) else api.FINISH_LENGTH
                progress.finished.input_tokens, progress.finished.output_tokens = len(words), index + 1
        turn = {"drain": work.Drain()} if stopping else {"pull": work.Pull(granted=taken + ROOM - len(running))}
        for report in ([{"step": step}] if step.progress else []) + ([turn] if session else []):
            send(wire.FRAME_ITEM, work.WorkerReport(**report), stream=1)  # a total said again does no harm
    send(wire.FRAME_GOODBYE, status_pb2.Status())

for endpoint in itertools.takewhile(lambda _: not stopping, itertools.cycle(ENDPOINT.split(","))):
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    for name, value in (line.split() for line in open(KEY) if "_key " in line) if KEY else ():  # public, secret, server
        setattr(dealer, "curve_" + name.replace("_", ""), value.encode())  # CURVE: set before connecting
    dealer.connect(endpoint)  # of several brokers one leads and answers; silence means to try the next
    serve(dealer)
    dealer.close(linger=1000)  # let the goodbye leave
