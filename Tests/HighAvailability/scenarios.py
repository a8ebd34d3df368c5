"""What goes wrong: the leader's host, partitions, the database, slow and lossy links."""
from __future__ import annotations

import asyncio
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from deployment import ALADDIN
from service import BROKERS, Service

LEASE_S = 3.0


class Scenario:
    large_prompts = False
    rate = 110.0
    seconds = 60.0

    def __init__(self, folder: Path, seed: int, rounds: int):
        self.folder, self.seed, self.rounds = folder, seed, rounds
        self.service = Service(folder, self.keys(), LEASE_S)
        self.terms = 0
        self.notes: list[str] = []
        self.faults: list[tuple[float, str]] = []

    def keys(self) -> Path | None:
        return None

    def say(self, text: str) -> None:
        at = time.monotonic() - getattr(self.service, "start", time.monotonic())
        print(f"[{at:6.1f}] {text}", file=sys.stderr, flush=True)

    async def run(self) -> tuple[dict, list[str]]:
        service = self.service
        try:
            await service.deploy()
            await service.ask(self.seed, self.rate, self.seconds, self.large_prompts)
            await asyncio.sleep(3)
            await self.break_things()
            service.network.heal()
            await asyncio.sleep(max(0.0, service.start + self.seconds - time.monotonic()))
            self.say("everything drains")
            await service.drain()
            verdict = (await service.judge()).judge()
            return self.figures(verdict), verdict.violations + service.violations
        finally:
            await service.close()

    async def break_things(self) -> None:
        raise NotImplementedError

    def fault(self, what: str) -> float:
        self.say(what)
        self.faults.append((time.monotonic(), what))
        return self.faults[-1][0]

    def figures(self, verdict) -> dict:
        pauses = [self.service.silence_after(at) for at, _ in self.faults]
        return {
            "seconds": round(self.seconds), "sent": verdict.sent, "completed": verdict.completed,
            "failed_by_reason": dict(verdict.failures), "lost": verdict.lost, "unanswered": verdict.unanswered,
            "volatile_given_up": verdict.given_up, "duplicated_tokens": verdict.duplicated_tokens,
            "missing_tokens": verdict.missing_tokens, "wrong_texts": verdict.wrong_texts,
            "ran_twice": verdict.ran_twice, "changed_ends": verdict.changed_ends, "resets": verdict.resets,
            "attachments": verdict.attachments, "faults": len(self.faults),
            "silence_after_a_fault_s": {
                "median": round(statistics.median(pauses), 2), "worst": round(max(pauses), 2)
            } if pauses else {},
            **({"left_out": "; ".join(self.notes)} if self.notes else {}),
        }


class Takeover(Scenario):
    """The leader's host is killed, cut off or stands still, again and again."""

    def __init__(self, folder: Path, seed: int, rounds: int):
        self.seconds = 10.0 + 10.0 * rounds
        self.takeovers: dict[str, list[float]] = {}
        super().__init__(folder, seed, rounds)

    async def break_things(self) -> None:
        service = self.service
        for number in range(self.rounds):
            name, term = await service.leader()
            host, role = service.hosts[name], service.roles[name]
            kind = ("kill", "cut", "kill", "cut", "stop")[number % 5]
            at = self.fault(f"{number + 1}: {kind} {name}")
            if kind == "cut":
                host.cut()
            else:
                role.signal(signal.SIGKILL if kind == "kill" else signal.SIGSTOP)
            _, _ = await service.wait_for_next(term)
            self.takeovers.setdefault(kind, []).append(time.monotonic() - at)
            # The old leader comes back, as one that stands by.
            await asyncio.sleep(2)
            if kind == "kill":
                await role.wait(5)
                await role.start()
            elif kind == "cut":
                host.mend()
            else:
                role.signal(signal.SIGCONT)
            # Until the fleet has found the new one.
            await asyncio.sleep(1)
            await service.wait_for_workers()
            await asyncio.sleep(1)

    def figures(self, verdict) -> dict:
        figures = super().figures(verdict)
        for kind, times in sorted(self.takeovers.items()):
            heard = [
                self.service.silence_after(at) for at, what in self.faults if f" {kind} " in what
            ]
            figures[f"{kind}_s"] = {
                "next_leads_median": round(statistics.median(times), 2), "next_leads_worst": round(max(times), 2),
                "silence_median": round(statistics.median(heard), 2), "silence_worst": round(max(heard), 2),
            }
        return figures


class Partitions(Scenario):
    """Some reach each other and some don't; never do two brokers have an effect."""

    seconds = 100.0

    async def break_things(self) -> None:
        service = self.service
        first, term = await service.leader()
        other = BROKERS[1 - BROKERS.index(first)]
        hosts = service.hosts
        self.say(f"{first} leads; it and {other} lose sight of each other")
        hosts[first].part_from(hosts[other])
        await asyncio.sleep(8)
        if await service.leader() != (first, term):
            service.violations.append("the lead has changed although only the two brokers were parted")
        service.network.heal()

        self.fault(f"{first} loses sight of the database, and of nobody else")
        hosts[first].part_from(hosts["db"])
        second, term = await service.wait_for_next(term)
        if second == first:
            service.violations.append(f"{first} leads again, without the database")
        await asyncio.sleep(8)
        service.network.heal()
        await service.wait_for_workers()

        self.say(f"{second} loses sight of half of the workers")
        hosts[second].part_from(hosts["fleet1"])
        await asyncio.sleep(15)
        if (await service.leader())[1] != term:
            service.violations.append("the lead has changed although only workers were parted from it")
        service.network.heal()
        await service.wait_for_workers()

        self.fault(f"{second} loses sight of the clients and gateways and keeps everything else")
        hosts[second].part_from(hosts["clients"], hosts["front"])
        await asyncio.sleep(6)
        service.network.heal()
        await service.wait_for_workers()


class DatabaseFaults(Scenario):
    """The database is restarted, killed, and stands still for less and for more than a lease."""

    seconds = 95.0

    async def break_things(self) -> None:
        service, database = self.service, self.service.database
        _, term = await service.leader()
        self.fault("the database is restarted")
        await asyncio.to_thread(database.tell, "restart")
        await asyncio.sleep(6)
        self.say("the lead has stayed" if (await service.leader())[1] == term else "the lead has changed")
        await service.wait_for_workers()
        self.fault("the database is killed, and started again after a second")
        await asyncio.to_thread(database.tell, "kill")
        await asyncio.sleep(1)
        await asyncio.to_thread(database.tell, "start")
        await asyncio.sleep(8)
        await service.wait_for_workers()
        _, term = await service.leader()
        self.fault("the database stands still for 2 s")
        await asyncio.to_thread(database.tell, "pause")
        await asyncio.sleep(2)
        await asyncio.to_thread(database.tell, "resume")
        await asyncio.sleep(5)
        if (await service.leader())[1] != term:
            service.violations.append("the lead has changed although the database stood still for less than a lease")
        self.fault("the database stands still for 10 s")
        await asyncio.to_thread(database.tell, "pause")
        await asyncio.sleep(10)
        await asyncio.to_thread(database.tell, "resume")
        await asyncio.sleep(8)
        await service.wait_for_workers()


class SlowLinks(Scenario):
    """With keys, over links that are narrow, lose packets and take their time; large prompts among the small."""

    seconds = 60.0
    rate = 40.0
    large_prompts = True

    def keys(self) -> Path:
        folder = self.folder / "keys"
        folder.parent.mkdir(parents=True, exist_ok=True)

        def keys(*words: str) -> None:
            subprocess.run([str(ALADDIN), "keys", *words, "--keys", str(folder)], check=True, capture_output=True)

        keys("init")
        for role in ("frontend", "worker", "scheduler", "admin"):
            keys("new", role, "--role", role)
        return folder

    async def break_things(self) -> None:
        service = self.service
        for name in ("fleet1", "fleet2", "clients", "front"):
            service.hosts[name].lose(2)
            self.notes += service.hosts[name].slow_down(4000, 40)
        self.notes = sorted(set(self.notes))
        self.say("2 % of all packets are lost, 4 Mbit/s for each host" + ("" if self.notes else ", 40 ms of latency"))
        await asyncio.sleep(15)
        name, term = await service.leader()
        self.fault(f"and {name} is cut off")
        service.hosts[name].cut()
        await service.wait_for_next(term)
        await asyncio.sleep(8)
        service.hosts[name].mend()
        await asyncio.sleep(10)


SCENARIOS = {"takeover": Takeover, "partitions": Partitions, "database": DatabaseFaults, "slow-links": SlowLinks}
