"""Attaches to queries that were accepted durably, and writes down what the broker still knows of them."""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import history
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2
from session import Session, code_name, reason_name

PARALLEL = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--kept", required=True, help="JSON: numbers of queries and their identifiers")
    parser.add_argument("--log", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    waiting = sorted((int(number), name) for number, name in json.loads(Path(options.kept).read_text()).items())
    log = history.Journal(Path(options.log))
    deadline = time.monotonic() + options.seconds
    streams: dict[int, tuple[history.Call, str]] = {}
    session = Session(options.endpoint, "audit")
    while (waiting or streams) and time.monotonic() < deadline:
        if session.is_over:
            session.close()
            waiting += [(call.record["query"], name) for call, name in streams.values()]
            streams.clear()
            session = Session(options.endpoint, "audit")
        while session.is_open and waiting and len(streams) < PARALLEL:
            number, name = waiting.pop()
            request = api.AttachRequest(query_id=name)
            streams[session.call(wire.METHOD_FRONTEND_ATTACH, request)] = (history.Call(number, "attach"), name)
        for kind, _, stream, body in session.frames(50):
            if stream not in streams:
                continue
            call, name = streams[stream]
            if kind == wire.FRAME_END:
                del streams[stream]
                status = status_pb2.Status.FromString(body)
                if status.code == status_pb2.STATUS_RESOURCE_EXHAUSTED:
                    waiting.insert(0, (call.record["query"], name))
                    continue
                log.ended(call, [code_name(status), reason_name(status)])
            else:
                note(call, api.GenerateEvent.FromString(body))
    for call, _ in streams.values():
        log.ended(call, None)
    session.close()


def note(call: history.Call, event: api.GenerateEvent) -> None:
    match event.WhichOneof("event"):
        case "accepted":
            call.events.append(["accepted", event.accepted.query_id, event.accepted.durability])
        case "tokens":
            call.tokens(event.tokens.first_index, event.tokens.count, event.tokens.text)
        case "reset":
            call.events.append(["reset", event.reset.first_index])
        case "finished":
            call.events.append(["finished", event.finished.output_tokens])


if __name__ == "__main__":
    main()
