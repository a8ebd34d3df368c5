#!/usr/bin/env python3
"""A worker whose model is a parrot: it repeats the prompt, word by word. README.md says how to run it."""
import signal, struct, sys, time
import zmq
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2, worker_pb2 as work

HEADER = struct.Struct("<3sBBBHQQII")  # "ALD", version 1.0, kind, method, session, stream, length of the body, zero
STEP_MS, ROOM, CONTEXT = 50, 8, 4096  # a step gives each of at most ROOM sequences one token
PROFILE = work.Profile(device="parrot", gpus=1, prefill_c1_ms=STEP_MS, decode_c3_ms=STEP_MS, kv_block_tokens=1,
    kv_capacity_tokens=ROOM * CONTEXT, maximum_sequences=ROOM, maximum_batched_tokens=ROOM * CONTEXT, chunk_tokens=CONTEXT)
stopping = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stopping.append(True))  # finish what runs, then leave

def serve(socket, name, model):  # one session; what it held is void when it ends
    session, timeout, heard, taken, told, running = 0, 5, time.monotonic(), 0, None, {}
    def send(kind, message=None, stream=0):
        body, method = message.SerializeToString() if message else b"", wire.METHOD_WORKER_WORK if stream else 0
        socket.send_multipart([HEADER.pack(b"ALD", 1, 0, kind, method, session, stream, len(body), 0), body])
    send(wire.FRAME_HELLO, wire.Hello(software="worker.py/1", name=name))
    while time.monotonic() < heard + timeout and not (stopping and not running):
        step_end = time.monotonic() + STEP_MS / 1000  # until then a real worker would compute
        while socket.poll(max(0, 1000 * (step_end - time.monotonic()))):
            header, body = (socket.recv_multipart() + [b""])[:2]
            kind, heard = HEADER.unpack(header[:32])[3], time.monotonic()
            if kind == wire.FRAME_WELCOME:
                session, timeout = (w := wire.Welcome.FromString(body)).session, w.session_timeout_ms / 1000
                send(wire.FRAME_CALL, work.WorkerReport(registration=work.Registration(name=name, model=model,
                    engine="parrot", context_length=CONTEXT, resumes_prefix=True, batching="chunked", profile=PROFILE)), 1)
            elif kind == wire.FRAME_PING:
                send(wire.FRAME_PONG)  # these answers keep the session alive
            elif kind == wire.FRAME_ITEM:
                command = work.WorkerCommand.FromString(body)
                for given in command.batch.assignments:
                    query, taken = api.GenerateRequest.FromString(given.request), taken + 1
                    words = (query.text or " ".join(m.content for m in query.chat.messages)).split() or ["squawk"]
                    running[given.lease] = [words, len(given.resumed_ids), query.max_tokens, True]
                for lease in command.cancel.leases:
                    running.pop(lease, None)
                told = told or (0, False)  # the first command says that we are registered
            elif kind in (wire.FRAME_END, wire.FRAME_ERROR, wire.FRAME_GOODBYE):
                return print("session over:", status_pb2.Status.FromString(body).message, flush=True)
        step, load = work.StepReport(duration_us=1000 * STEP_MS, workload=work.Workload(kind=work.WORKLOAD_MIXED)), len(running)
        for lease, sequence in list(running.items()):
            words, index, most, is_new = sequence
            step.workload.prefill_tokens += len(words) + index if is_new else 0
            step.workload.decode_sequences += not is_new
            step.workload.context_tokens += 0 if is_new else len(words) + index
            progress = step.progress.add(lease=lease)
            if index < min(len(words), most): ...
