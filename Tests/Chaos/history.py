"""What clients write down: one JSON object a line, for each call that ended and each acceptance as it is heard.

    {"query": 7, "accepted": ID, "level": "accept", "duplicate": false, "at": T}
    {"query": 7, "call": "generate" | "attach" | "http", "from": 0, "seen": 0, "began": T, "ended": T,
     "events": [["accepted", ID, LEVEL], ["started", ATTEMPT], ["tokens", FIRST, COUNT, TEXT], ["reset", INDEX],
                ["finished", COUNT]],
     "end": [CODE, REASON] | null}
    {"query": 7, "acknowledged": ID}

T is CLOCK_MONOTONIC, which all processes of a machine share. `end` is null where the connection was lost. Consecutive
`tokens` are one. An HTTP client sees no indices; its tokens are those that its text is made of.
"""
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Iterator


class Call:
    """One call of a query, as its client heard it."""

    def __init__(self, query: int, call: str, first: int = 0, seen: int = 0):
        self.record: dict[str, Any] = {
            "query": query, "call": call, "from": first, "seen": seen, "began": time.monotonic(), "events": []
        }

    @property
    def events(self) -> list[list[Any]]:
        return self.record["events"]

    def tokens(self, first: int, count: int, text: str) -> None:
        last = self.events[-1] if self.events else None
        if last and last[0] == "tokens" and last[1] + last[2] == first:
            last[2] += count
            last[3] += text
        else:
            self.events.append(["tokens", first, count, text])


class Journal:
    """A client's own log, which outlives it: what it holds was heard."""

    def __init__(self, path: Path):
        self.file = path.open("a", buffering=1)

    def accepted(self, query: int, identifier: str, level: str, duplicate: bool) -> None:
        self._write({
            "query": query, "accepted": identifier, "level": level, "duplicate": duplicate, "at": time.monotonic()
        })

    def acknowledged(self, query: int, identifier: str) -> None:
        self._write({"query": query, "acknowledged": identifier})

    def ended(self, call: Call, end: list[Any] | None) -> None:
        self._write(call.record | {"ended": time.monotonic(), "end": end})

    def _write(self, record: dict[str, Any]) -> None:
        self.file.write(json.dumps(record) + "\n")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log; a last line that its writer was killed in is left out."""
    if not path.exists():
        return
    lines = path.read_text(errors="replace").split("\n")
    for index, line in enumerate(lines):
        if not line:
            continue
        try:
            yield json.loads(line)
        except ValueError:
            # A restarted client begins after what its killed forerunner left of a line.
            if not line.startswith("{"):
                raise ValueError(f"{path}:{index + 1} is no record") from None
