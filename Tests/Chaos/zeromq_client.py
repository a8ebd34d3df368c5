"""A client of the chaos run over ZeroMQ: asks its queries, survives every lost session, and writes down what it heard.

Killed and started again it goes on from its own log: what has not ended is sent again under the same key.
"""
from __future__ import annotations

import argparse
import dataclasses
import signal
import time
from collections import deque
from pathlib import Path
from typing import Any

import history
import workload
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2
from judge import is_end
from session import Session, code_name, generate_request, reason_name

@dataclasses.dataclass
class Asked:
    """One query between its first call and its end."""

    query: workload.Query
    call: history.Call | None = None
    identifier: str = ""
    level: str = "volatile"
    heard_now: bool = False
    position: int = 0
    attempt: int = 0

    @property
    def is_kept(self) -> bool:
        return bool(self.identifier) and self.level != "volatile"


class Client:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        log = Path(options.log)
        calls = [record for record in history.read(log) if "call" in record]
        ended = {call["query"] for call in calls if is_end(call["end"], call["events"])}
        self.log = history.Journal(log)
        self.waiting = deque(query for query in workload.read(Path(options.queries)) if query.number not in ended)
        self.retries: list[tuple[float, Asked]] = []
        self.streams: dict[int, Asked] = {}
        self.session: Session | None = None
        self.stops = False
        self.retry_pause = 0.1
        self.tries = 0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stops", True))
        while not self.stops and (self.waiting or self.retries or self.streams):
            self.keep_session()
            if self.session and self.session.is_open:
                self.send_what_is_due()
            if self.session:
                for frame in self.session.frames(20, 40 if self.options.read_pause else 2000):
                    self.hear(*frame)
            if self.options.read_pause:
                time.sleep(self.options.read_pause)
        if self.session:
            self.session.close()

    def keep_session(self) -> None:
        if self.session and not self.session.is_over:
            return
        if self.session:
            self.session.close()
            for asked in self.streams.values():
                self.interrupt(asked, None)
            self.streams.clear()
            time.sleep(self.retry_pause)
        # Of several brokers one answers: who is silent for a moment is left for the next.
        endpoints = self.options.endpoint.split(",")
        patience = 1.2 if len(endpoints) > 1 else 5.0
        self.tries += 1
        endpoint = endpoints[self.tries % len(endpoints)]
        self.session = Session(endpoint, self.options.name, self.options.read_pause > 0, patience)

    def send_what_is_due(self) -> None:
        now = time.monotonic()
        due = [asked for at, asked in self.retries if at <= now]
        self.retries = [(at, asked) for at, asked in self.retries if at > now]
        while self.waiting and self.waiting[0].at + self.options.start <= now:
            if len(self.streams) + len(due) >= self.options.open:
                break
            due.append(Asked(self.waiting.popleft()))
        for asked in due:
            self.send(asked)

    def send(self, asked: Asked) -> None:
        assert self.session
        asked.heard_now = False
        if asked.is_kept:
            asked.call = history.Call(asked.query.number, "attach", asked.position, asked.attempt)
            request: Any = api.AttachRequest(
                query_id=asked.identifier, first_index=asked.position, seen_attempt=asked.attempt
            )
            stream = self.session.call(wire.METHOD_FRONTEND_ATTACH, request)
        else:
            asked.position = asked.attempt = 0
            asked.call = history.Call(asked.query.number, "generate")
            stream = self.session.call(wire.METHOD_FRONTEND_GENERATE, generate_request(asked.query))
        self.streams[stream] = asked

    def hear(self, kind: int, method: int, stream: int, body: bytes) -> None:
        asked = self.streams.get(stream)
        if asked is None or asked.call is None:
            return
        if kind == wire.FRAME_END:
            del self.streams[stream]
            self.hear_end(asked, status_pb2.Status.FromString(body))
            return
        event = api.GenerateEvent.FromString(body)
        match event.WhichOneof("event"):
            case "accepted":
                asked.identifier, asked.level = event.accepted.query_id, event.accepted.durability or "volatile"
                asked.heard_now = True
                asked.call.events.append(["accepted", asked.identifier, asked.level])
                self.log.accepted(asked.query.number, asked.identifier, asked.level, event.accepted.duplicate)
            case "started":
                asked.attempt = max(asked.attempt, event.started.attempt)
                asked.call.events.append(["started", event.started.attempt])
            case "tokens":
                tokens = event.tokens
                asked.call.tokens(tokens.first_index, tokens.count, tokens.text)
                asked.position = tokens.first_index + tokens.count
            case "reset":
                asked.call.events.append(["reset", event.reset.first_index])
                asked.position = event.reset.first_index
            case "finished":
                asked.call.events.append(["finished", event.finished.output_tokens])

    def hear_end(self, asked: Asked, status: status_pb2.Status) -> None:
        end = [code_name(status), reason_name(status)]
        if not is_end(end, asked.call.events if asked.call else []):
            pause = max(status.retry_after_ms / 1000, 0.2)
            self.interrupt(asked, end, pause)
            return
        self.log.ended(asked.call, end)
        if status.code == status_pb2.STATUS_OK and self.options.acknowledge and asked.query.number % 8 == 0:
            self.acknowledge(asked)

    def acknowledge(self, asked: Asked) -> None:
        if self.session and self.session.is_open and asked.is_kept:
            self.log.acknowledged(asked.query.number, asked.identifier)
            self.session.call(
                wire.METHOD_FRONTEND_ACKNOWLEDGE, api.AcknowledgeRequest(query_id=asked.identifier)
            )

    def interrupt(self, asked: Asked, end: list[str] | None, pause: float = 0.0) -> None:
        """The stream is over and the query is not: it is taken up in another one, unless it was only volatile."""
        self.log.ended(asked.call, end)
        if asked.identifier and not asked.is_kept:
            return
        self.retries.append((time.monotonic() + pause, asked))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="of several brokers, with a comma between")
    parser.add_argument("--name", default="chaos")
    parser.add_argument("--queries", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--start", type=float, required=True, help="CLOCK_MONOTONIC of the run's beginning")
    parser.add_argument("--open", type=int, default=400, help="calls open at once")
    parser.add_argument("--read-pause", type=float, default=0, help="seconds between reads of 40 frames: slow")
    parser.add_argument("--acknowledge", action="store_true", help="give up every eighth result")
    Client(parser.parse_args()).run()


if __name__ == "__main__":
    main()
