"""Open or closed load on the broker's frontend: who is answered in time, and how fast the others are refused."""
from __future__ import annotations

import argparse
import dataclasses
import json
import random
import time
from pathlib import Path

import workload
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2
from session import Session, generate_request

PATIENCE_SECONDS = 30.0


@dataclasses.dataclass
class Sent:
    phase: str
    at: float
    sent: float
    tokens: int = 0
    first: float = 0.0
    last: float = 0.0
    accepted: bool = False


class Load:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.draw = random.Random(f"load {options.seed}")
        self.session = Session(options.endpoint, "load")
        self.open: dict[int, Sent] = {}
        self.ended: list[list] = []
        self.number = 0
        self.told: set[tuple[str, int]] = set()
        while not self.session.is_open:
            for _ in self.session.frames(50):
                pass

    def send(self, phase: str, at: float) -> None:
        self.number += 1
        query = workload.Query(
            self.number, at, f"load-{self.options.seed}-{phase}-{self.number}-{time.monotonic_ns()}",
            self.draw.getrandbits(62), self.draw.choice((16, 60, 200)), self.draw.choice((20, 30, 40)), "accept",
        )
        request = generate_request(query, self.options.ttft_ms, self.options.tpot_ms)
        stream = self.session.call(wire.METHOD_FRONTEND_GENERATE, request)
        self.open[stream] = Sent(phase, at, time.monotonic())

    def listen(self, wait_ms: int) -> None:
        if self.session.is_over:
            raise SystemExit(f"the session ended: {self.session.why_over}")
        for kind, _, stream, body in self.session.frames(wait_ms):
            sent, now = self.open.get(stream), time.monotonic()
            if sent is None:
                continue
            if kind == wire.FRAME_END:
                del self.open[stream]
                self.end(sent, status_pb2.Status.FromString(body), now)
                continue
            event = api.GenerateEvent.FromString(body)
            if event.HasField("accepted"):
                sent.accepted = True
            if event.HasField("tokens"):
                sent.tokens += event.tokens.count
                sent.first = sent.first or now
                sent.last = now

    def end(self, sent: Sent, status: status_pb2.Status, now: float) -> None:
        is_refusal = status.code in (status_pb2.STATUS_RESOURCE_EXHAUSTED, status_pb2.STATUS_UNAVAILABLE)
        if status.code == status_pb2.STATUS_OK:
            outcome = "ok"
        elif is_refusal:
            outcome = "refused-late" if sent.accepted else "refused"
        else:
            outcome = "failed"
        ttft = (sent.first - sent.sent) * 1000
        tpot = (sent.last - sent.first) * 1000 / max(sent.tokens - 1, 1)
        met = outcome == "ok" and ttft <= self.options.ttft_ms and tpot <= self.options.tpot_ms
        is_explained = status.retry_after_ms > 0 and "predicted" in status.message and " ms" in status.message
        if is_refusal and (sent.phase, int(sent.at / 5)) not in self.told:
            # A few for the log.
            self.told.add((sent.phase, int(sent.at / 5)))
            print(f"{sent.phase} {sent.at:.1f} s: {status.message}; retry after {status.retry_after_ms} ms", flush=True)
        fails = "pace" if "token time" in status.message.split(";")[0] else "ttft"
        self.ended.append([sent.phase, sent.at, outcome, met, (now - sent.sent) * 1000, is_explained, fails])

    def closed(self) -> dict:
        """Always so many open: what the service can do at most, of its second half."""
        begin = time.monotonic()
        half, end = begin + self.options.seconds / 2, begin + self.options.seconds
        while (now := time.monotonic()) < end:
            while len(self.open) < self.options.closed:
                self.send("closed", now - begin)
            self.listen(5)
            if now < half:
                self.ended.clear()
        rate = sum(outcome == "ok" for _, _, outcome, *_ in self.ended) / (end - half)
        self.drain()
        return {"rate": rate}

    def phases(self) -> dict:
        for phase in self.options.phase:
            name, rate, seconds = phase.split(":")
            begin = due = time.monotonic()
            while due < begin + float(seconds):
                while due <= time.monotonic() and due < begin + float(seconds):
                    self.send(name, due - begin)
                    due += self.draw.expovariate(float(rate))
                self.listen(max(0, min(5, int((due - time.monotonic()) * 1000))))
            # What is still open belongs to its phase; the next one finds the service as it is, except below capacity,
            # where each phase is measured for itself.
            if name not in ("over",):
                self.drain()
        self.drain()
        return {"queries": self.ended}

    def drain(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.open and time.monotonic() < deadline:
            self.listen(20)
        for sent in self.open.values():
            self.ended.append([sent.phase, sent.at, "failed", False, 0.0, False, ""])
        self.open.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--ttft-ms", type=float, required=True)
    parser.add_argument("--tpot-ms", type=float, required=True)
    parser.add_argument("--closed", type=int, help="so many queries open all the time")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--phase", action="append", default=[], help="NAME:RATE:SECONDS, one after the other")
    load = Load(options := parser.parse_args())
    answer = load.closed() if options.closed else load.phases()
    load.session.close()
    Path(options.output).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
