"""Asks Aladdin a question over ZeroMQ and prints the answer as it is generated. README.md says how to run it."""
import argparse, struct, sys, zmq
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2

HEADER = struct.Struct("<3sBBBHQQII")  # "ALD", version 1.0, kind, method, session, stream, length of the body, zero
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("text")
parser.add_argument("--endpoint", default="tcp://127.0.0.1:5550")
parser.add_argument("--key", help="for a broker with keys: the file that `aladdin keys new NAME --role frontend` made")
parser.add_argument("--model", default="")  # may be left out if one model is served
parser.add_argument("--max-tokens", type=int, default=128)
parser.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE", help="such as x-slo-ttft-ms=500")
options = parser.parse_args()

def send(kind, message=None, session=0, method=0, stream=0):
    body = message.SerializeToString() if message is not None else b""
    socket.send_multipart([HEADER.pack(b"ALD", 1, 0, kind, method, session, stream, len(body), 0), body])

def leave(status):
    reasons = status_pb2.Reason.values()  # a newer broker may know more
    reason = status_pb2.Reason.Name(status.reason) if status.reason in reasons else status.reason
    retry = f"; try again in {status.retry_after_ms} ms" if status.retry_after_ms else ""
    sys.exit(f"{status_pb2.StatusCode.Name(status.code)}, {reason}: {status.message}{retry}" if status.code else 0)

for endpoint in options.endpoint.split(","):  # of several brokers one leads and answers
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 1000  # let the last frames leave
    if options.key:  # CURVE is three socket options, set before connecting
        key = dict(line.split() for line in open(options.key) if not line.startswith("#"))
        socket.curve_publickey, socket.curve_secretkey = key["public_key"].encode(), key["secret_key"].encode()
        socket.curve_serverkey = key["server_key"].encode()
    socket.connect(endpoint)
    send(wire.FRAME_HELLO, wire.Hello(software="client.py/1", name="python"))
    if socket.poll(2000): break
session, generate, patience_ms = 0, wire.METHOD_FRONTEND_GENERATE, 3000
while socket.poll(patience_ms):  # the broker pings every second, so silence means that it is gone
    header, body = (socket.recv_multipart() + [b""])[:2]
    kind = HEADER.unpack(header[:32])[3]
    if kind == wire.FRAME_WELCOME:
        welcome = wire.Welcome.FromString(body)
        session, patience_ms = welcome.session, welcome.session_timeout_ms
        request = api.GenerateRequest(model=options.model, max_tokens=options.max_tokens)
        request.chat.messages.add(role="user", content=options.text)
        for name, value in (pair.split("=", 1) for pair in options.metadata):
            request.metadata.add(key=name.lower(), value=value)
        send(wire.FRAME_CALL, request, session, generate, stream=1)
    elif kind == wire.FRAME_PING:
        send(wire.FRAME_PONG, session=session)  # these answers keep the session alive
    elif kind == wire.FRAME_ITEM:
        event = api.GenerateEvent.FromString(body)
        if event.HasField("reset"):  # only if a worker died and no other could go on from there
            print(f"\n[once more from token {event.reset.first_index}]", file=sys.stderr)
        print(event.tokens.text, end="", flush=True)
    elif kind in (wire.FRAME_END, wire.FRAME_ERROR, wire.FRAME_GOODBYE):
        print(flush=True)
        if kind == wire.FRAME_END:
            send(wire.FRAME_GOODBYE, status_pb2.Status(), session)
        leave(status_pb2.Status.FromString(body))
sys.exit("the broker does not answer")
