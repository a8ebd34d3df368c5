"""What goes wrong in a chaos run, and when: drawn beforehand from a seed, so that a run can be repeated."""
from __future__ import annotations

import dataclasses
import random

# Seconds after which a silent session is over, as the broker says in its Welcome.
SESSION_TIMEOUT = 5.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that goes wrong for `seconds`: a process that is gone or stands still, a link that misbehaves."""

    at: float
    kind: str
    target: str
    seconds: float
    seed: int

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.kind:<15} {self.target:<14} for {self.seconds:.1f} s"


# How often each kind happens to whom, and how long it lasts.
PROCESS_KINDS = (
    ("kill", 6, (0.1, 1.5)),
    ("terminate", 2, (0.1, 1.0)),
    ("pause", 3, (0.5, 3.0)),
    ("long-pause", 2, (SESSION_TIMEOUT + 1, SESSION_TIMEOUT + 3)),
)
LINK_KINDS = (
    ("half-open-up", 2, (1.0, SESSION_TIMEOUT + 3)),
    ("half-open-down", 2, (1.0, SESSION_TIMEOUT + 3)),
    ("black-hole", 2, (1.0, SESSION_TIMEOUT + 3)),
    ("black-hole-reset", 2, (1.0, SESSION_TIMEOUT + 3)),
    ("throttle", 1, (2.0, 6.0)),
    ("reset-mid-frame", 3, (0.2, 1.0)),
)
WEIGHTS = {"broker": 5.0, "scheduler": 1.5, "worker": 1.5, "gateway": 1.2, "client": 0.7, "link": 1.0}


def schedule(seed: int, processes: list[str], links: list[str], begin: float, end: float, gap: float) -> list[Fault]:
    """Faults about `gap` seconds apart; none befalls a target that still suffers from the last one."""
    draw = random.Random(f"faults {seed}")
    targets = processes + [f"link:{name}" for name in links]
    weights = [WEIGHTS[target.split(":")[0].split("-")[0]] for target in targets]
    busy = {target: 0.0 for target in targets}
    faults: list[Fault] = []
    at = begin
    massacre_at = begin + (end - begin) * draw.uniform(0.4, 0.6)
    while (at := at + draw.expovariate(1 / gap)) < end:
        if at >= massacre_at and all(until < at for until in busy.values()):
            massacre_at = float("inf")
            fault = Fault(round(at, 2), "kill-all", "all", 0.5, draw.getrandbits(32))
            busy = {target: at + 4 for target in targets}
            faults.append(fault)
            continue
        free = [(target, weight) for target, weight in zip(targets, weights) if busy[target] < at]
        if at >= massacre_at or not free:
            continue
        target = draw.choices([name for name, _ in free], [weight for _, weight in free])[0]
        kinds = LINK_KINDS if target.startswith("link:") else PROCESS_KINDS
        kind, _, lengths = draw.choices(kinds, [weight for _, weight, _ in kinds])[0]
        seconds = round(draw.uniform(*lengths), 2)
        faults.append(Fault(round(at, 2), kind, target, seconds, draw.getrandbits(32)))
        # A broker needs a moment of work between two deaths, or nothing else is tested.
        busy[target] = at + seconds + (4 if target == "broker" else 2)
    return faults
