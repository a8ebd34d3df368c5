"""Three times the load that the workers can take: what is still served in time, and how the rest is refused."""
from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import sys
from collections import Counter
from pathlib import Path

from deployment import (
    ALADDIN, ENDPOINTS, PROFILE, Role, broker_command, endpoint_flags, free_port, wait_for_workers, worker_command,
)

HERE = Path(__file__).resolve().parent
WORKERS = 2
TTFT_MS, TPOT_MS = 2000.0, 100.0
# Loads as multiples of the capacity measured first, and seconds for each.
BELOW = (0.7, 0.85, 1.0)
BELOW_SECONDS = 12.0
OVER, OVER_SECONDS = 3.0, 60.0
SETTLING_SECONDS = 20.0
AFTER, AFTER_SECONDS = 0.6, 12.0


@dataclasses.dataclass(frozen=True)
class Answered:
    """One query of the load, as it ended."""

    phase: str
    at: float
    outcome: str
    met: bool
    refusal_ms: float
    is_explained: bool
    fails: str


class Overload:
    def __init__(self, folder: Path, seed: int, policy: str | None = None):
        self.folder = folder
        self.seed = seed
        self.policy = ["--policy", policy] if policy else []
        self.violations: list[str] = []
        self.ports = {name: free_port() for name in ENDPOINTS}
        self.roles: dict[str, Role] = {}
        self.most_resident = self.resident_before = 0

    async def run(self) -> tuple[dict, list[str]]:
        self.folder.mkdir(parents=True)
        try:
            await self.deploy()
            watch = asyncio.create_task(self.watch())
            capacity = await self.measure_capacity()
            phases = [(f"{load:g}", load * capacity, BELOW_SECONDS) for load in BELOW]
            phases += [("over", OVER * capacity, OVER_SECONDS), ("after", AFTER * capacity, AFTER_SECONDS)]
            answers = await self.load(phases)
            watch.cancel()
            return self.figures(capacity, answers), self.violations
        finally:
            for role in self.roles.values():
                role.signal(signal.SIGKILL)
            await asyncio.gather(*(role.wait(5) for role in self.roles.values() if role.process))

    def add(self, name: str, command: list[str]) -> Role:
        self.roles[name] = Role(name, command, self.folder)
        return self.roles[name]

    async def deploy(self) -> None:
        """Workers of few places, so that three times their capacity is no load for the machine."""
        profile = json.loads(PROFILE.read_text())
        profile["limits"]["max_sequences"] = 16
        path = self.folder / "profile.json"
        path.write_text(json.dumps(profile))
        self.add("broker", broker_command(self.ports, self.folder / "data"))
        self.add("scheduler", [str(ALADDIN), "scheduler", *self.policy, *endpoint_flags(self.ports)])
        for number in range(1, WORKERS + 1):
            command = worker_command(f"worker-{number}", self.ports, 2.0)
            command[command.index("--profile") + 1] = str(path)
            self.add(f"worker-{number}", command)
        for role in self.roles.values():
            await role.start()
        if not await wait_for_workers(self.ports, WORKERS):
            raise RuntimeError(f"the deployment does not come up; its logs are in {self.folder}")

    async def watch(self) -> None:
        while True:
            self.most_resident = max(self.most_resident, self.roles["broker"].resident_bytes)
            await asyncio.sleep(0.2)

    async def client(self, name: str, *arguments: str) -> dict:
        """Runs a load generator of its own process and returns what it prints."""
        output = self.folder / f"{name}.json"
        client = self.add(name, [
            sys.executable, str(HERE / "load.py"), "--endpoint", f"tcp://127.0.0.1:{self.ports['frontend']}",
            "--seed", str(self.seed), "--ttft-ms", str(TTFT_MS), "--tpot-ms", str(TPOT_MS), "--output", str(output),
            *arguments,
        ])
        await client.start()
        if await client.wait(400) != 0:
            raise RuntimeError(f"the load generator failed; see {client.log}")
        return json.loads(output.read_text())

    async def measure_capacity(self) -> float:
        """Queries a second with every place of the workers taken, and half as many queries waiting for one."""
        answer = await self.client("saturation", "--closed", str(24 * WORKERS), "--seconds", "8")
        self.resident_before = self.roles["broker"].resident_bytes
        return max(answer["rate"], 1.0)

    async def load(self, phases: list[tuple[str, float, float]]) -> list[Answered]:
        arguments = [word for name, rate, seconds in phases for word in ("--phase", f"{name}:{rate:.3f}:{seconds}")]
        answer = await self.client("load", *arguments)
        return [Answered(*fields) for fields in answer["queries"]]

    def figures(self, capacity: float, answers: list[Answered]) -> dict:
        def goodput(phase: str, begin: float, end: float) -> float:
            return sum(one.met for one in answers if one.phase == phase and begin <= one.at < end) / (end - begin)

        below = {f"{load:g}": round(goodput(f"{load:g}", 3, BELOW_SECONDS), 2) for load in BELOW}
        best = max(below.values())
        over = goodput("over", SETTLING_SECONDS, OVER_SECONDS)
        refused = [one for one in answers if one.phase == "over" and one.outcome == "refused"]
        late = sum(one.outcome == "refused-late" for one in answers)
        delays = sorted(one.refusal_ms for one in refused)
        p99 = delays[min(int(0.99 * len(delays)), len(delays) - 1)] if delays else 0.0
        recovery = self.recovery(answers)
        kinds = ("ok", "refused", "refused-late", "failed")
        outcomes = {name: sum(one.outcome == name for one in answers) for name in kinds}
        self.expect(over >= 0.95 * best, f"goodput is {over:.1f} queries/s under overload, {best:.1f} at best below")
        self.expect(bool(refused), "nothing was refused at three times the capacity")
        self.expect(late == 0, f"{late} queries were accepted and shed afterwards")
        self.expect(p99 < 50, f"p99 of a refusal is {p99:.1f} ms")
        unexplained = sum(not one.is_explained for one in refused)
        self.expect(unexplained == 0, f"{unexplained} refusals without prediction or retry-after")
        self.expect(recovery <= 10, f"{recovery:.0f} s after the overload objectives were still missed")
        return {
            "capacity_qps": round(capacity, 1), "goodput_below_qps": below, "best_qps": round(best, 1),
            "goodput_over_qps": round(over, 1), "share_of_best": round(over / best, 3) if best else 0.0,
            "sent": len(answers), **outcomes,
            "refused_for": dict(Counter(one.fails for one in answers if one.outcome.startswith("refused"))),
            "refusal_p50_ms": round(delays[len(delays) // 2], 2) if delays else 0.0,
            "refusal_p99_ms": round(p99, 2), "recovery_s": recovery,
            "broker_rss_mib": {
                "before": round(self.resident_before / 2**20, 1), "most": round(self.most_resident / 2**20, 1)
            },
        }

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.violations.append(otherwise)

    @staticmethod
    def recovery(answers: list[Answered]) -> float:
        """Seconds after the overload's end until nine of ten arrivals meet their objective again, and go on to."""
        bins: dict[int, list[bool]] = {}
        for one in answers:
            if one.phase == "after":
                bins.setdefault(int(one.at), []).append(one.met)
        bad = [second for second, met in bins.items() if sum(met) < 0.9 * len(met)]
        return float(max(bad) + 1) if bad else 0.0
