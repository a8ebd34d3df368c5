"""What a chaos run asks, and what the answers must be."""
from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import Iterable, Iterator

WORDS = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna "
    "aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat"
).split()
MASK = (1 << 64) - 1


def mix(word: int) -> int:
    """The output function of SplitMix64."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def token(seed: int, index: int) -> int:
    """The token that an emulated engine emits at an index: a function of the query's seed alone."""
    return mix((seed + index * 0x9E3779B97F4A7C15) & MASK) % len(WORDS)


def text(seed: int, first: int, count: int) -> str:
    """The text of `count` tokens from `first` on, written down here once more on purpose."""
    return "".join((" " if index else "") + WORDS[token(seed, index)] for index in range(first, first + count))


@dataclasses.dataclass(frozen=True)
class Query:
    """One question: everything a client needs to ask it, and the judge to know the answer."""

    number: int
    at: float
    key: str
    seed: int
    prompt_tokens: int
    max_tokens: int
    durability: str

    def expected(self) -> str:
        return text(self.seed, 0, self.max_tokens)


def queries(seed: int, clients: dict[str, float], rate: float, seconds: float) -> dict[str, list[Query]]:
    """Queries with Poisson arrivals for each client; `clients` has their shares of the rate."""
    draw = random.Random(f"workload {seed}")
    names, shares = list(clients), list(clients.values())
    lists: dict[str, list[Query]] = {name: [] for name in names}
    at, number = 0.0, 0
    while (at := at + draw.expovariate(rate)) < seconds:
        number += 1
        query = Query(
            number=number,
            at=round(at, 4),
            key=f"chaos-{seed}-{number}",
            seed=draw.getrandbits(62),
            prompt_tokens=draw.choice((4, 16, 60, 200, 700)),
            max_tokens=draw.choice((1, 4, 12, 24, 40, 64)),
            durability=draw.choices(("accept", "stream", "volatile"), (70, 20, 10))[0],
        )
        lists[draw.choices(names, shares)[0]].append(query)
    return lists


def write(path: Path, items: Iterable[Query]) -> None:
    path.write_text("".join(json.dumps(dataclasses.asdict(query)) + "\n" for query in items))


def read(path: Path) -> Iterator[Query]:
    for line in path.read_text().splitlines():
        yield Query(**json.loads(line))
