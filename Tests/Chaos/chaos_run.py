"""A deployment under load while everything in it is killed, stopped and cut off at random."""
from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import signal
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import faults
import history
import recorded
import workload
from cluster import CLIENTS, HERE, Cluster
from deployment import Role
from judge import Judge, Verdict
from proxy import Link


# Clients that go on from their own log.
RESTARTABLE = ("client-python", "client-slow")


@dataclasses.dataclass
class Settings:
    seed: int
    seconds: float
    rate: float
    gap: float
    folder: Path
    is_quiet: bool = False
    drain_seconds: float = 150.0


class ChaosRun:
    """One run, from an empty directory to its verdict."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.cluster = Cluster(settings.folder)
        self.roles, self.links = self.cluster.roles, self.cluster.links
        self.violations: list[str] = []
        self.befallen: Counter[str] = Counter()
        self.broker_starts: list[tuple[float, float]] = []
        self.most_resident = 0
        self.start = 0.0
        self.lists = workload.queries(settings.seed, CLIENTS, settings.rate, settings.seconds)

    def say(self, text: str) -> None:
        if not self.settings.is_quiet:
            print(f"[{time.monotonic() - self.start if self.start else 0:6.1f}] {text}", file=sys.stderr, flush=True)

    async def run(self) -> tuple[Verdict, dict]:
        self.settings.folder.mkdir(parents=True)
        try:
            await self.cluster.deploy()
            self.start = time.monotonic() + 1
            await self.cluster.add_clients(self.lists, self.start)
            plan = self.plan()
            watch = asyncio.create_task(self.watch())
            for name in CLIENTS:
                await self.roles[name].start()
            await self.play(plan)
            self.say("faults are over; everything drains")
            await self.drain()
            watch.cancel()
            judge = self.judge()
            await self.audit(judge)
            verdict = judge.judge()
            verdict.violations += self.violations
            return verdict, self.figures(verdict)
        finally:
            await self.cluster.close()

    # What goes wrong.

    def plan(self) -> list[faults.Fault]:
        processes = [name for name in self.roles if name not in ("client-http", "client-swift", "client-slow")]
        end = self.settings.seconds - 8
        return faults.schedule(self.settings.seed, processes, list(self.links), 4.0, end, self.settings.gap)

    async def play(self, plan: list[faults.Fault]) -> None:
        tasks = []
        for fault in plan:
            await asyncio.sleep(max(0.0, self.start + fault.at - time.monotonic()))
            self.say(str(fault).strip())
            self.befallen[fault.kind] += 1
            tasks.append(asyncio.create_task(self.befall(fault)))
        await asyncio.gather(*tasks)
        await asyncio.sleep(max(0.0, self.start + self.settings.seconds - time.monotonic()))

    async def befall(self, fault: faults.Fault) -> None:
        if fault.kind == "kill-all":
            await self.kill_all(fault)
        elif fault.target.startswith("link:"):
            await self.break_link(self.links[fault.target.removeprefix("link:")], fault)
        elif fault.kind in ("kill", "terminate"):
            await self.restart(self.roles[fault.target], fault)
        else:
            role = self.roles[fault.target]
            role.signal(signal.SIGSTOP)
            await asyncio.sleep(fault.seconds)
            role.signal(signal.SIGCONT)

    async def restart(self, role: Role, fault: faults.Fault) -> None:
        if role.name.startswith("client") and not role.is_running:
            return  # it has nothing left to ask
        began = time.monotonic()
        code = await role.end(signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM)
        if code is None:
            self.violations.append(f"{role.name} did not end within 15 s of SIGTERM")
            await role.end(signal.SIGKILL)
        elif fault.kind == "terminate" and code != 0:
            self.violations.append(f"{role.name} ended with {code} after SIGTERM")
        await asyncio.sleep(fault.seconds)
        await role.start()
        if role.name == "broker":
            self.broker_starts.append((began, time.monotonic()))

    async def kill_all(self, fault: faults.Fault) -> None:
        """What a power cut looks like to the processes."""
        began = time.monotonic()
        roles = [role for role in self.roles.values() if not role.name.startswith("client")]
        await asyncio.gather(*(role.end(signal.SIGKILL) for role in roles))
        await asyncio.sleep(fault.seconds)
        for role in roles:
            await role.start()
        self.broker_starts.append((began, time.monotonic()))

    async def break_link(self, link: Link, fault: faults.Fault) -> None:
        match fault.kind:
            case "half-open-up": link.hold(up=True, down=False)
            case "half-open-down": link.hold(up=False, down=True)
            case "black-hole" | "black-hole-reset": link.hold(up=True, down=True)
            case "throttle": link.throttle(4096)
            case "reset-mid-frame": link.cut(random.Random(fault.seed))
        await asyncio.sleep(fault.seconds)
        if fault.kind == "black-hole-reset":
            link.reset_all()
        link.heal()

    async def watch(self) -> None:
        """Nobody may end unasked; how large the broker becomes."""
        told: set[tuple[str, int]] = set()
        while True:
            for role in self.roles.values():
                if not role.ended_unasked or (role.name, role.lives) in told:
                    continue
                told.add((role.name, role.lives))
                code = role.process.returncode if role.process else 0
                if role.name in RESTARTABLE and code == -signal.SIGABRT:
                    # The libzmq in pyzmq aborts now and then when a connection breaks while it may not read: one more
                    # client that was killed.
                    self.befallen["client-abort"] += 1
                    await role.start()
                elif code != 0 or not role.name.startswith("client"):
                    self.violations.append(f"{role.name} ended by itself with {code}; see {role.log}")
            self.most_resident = max(self.most_resident, self.roles["broker"].resident_bytes)
            await asyncio.sleep(0.2)

    # What became of it.

    async def drain(self) -> None:
        deadline = time.monotonic() + self.settings.drain_seconds
        for name in CLIENTS:
            role = self.roles[name]
            while (code := await role.wait(deadline - time.monotonic())) not in (0, None):
                await asyncio.sleep(0.5)  # until it has been started again
            if code is None:
                self.violations.append(f"{name} still waited {self.settings.drain_seconds:.0f} s after the last fault")
                await role.end(signal.SIGTERM, 5)
        self.drained = time.monotonic() - self.start - self.settings.seconds

    def judge(self) -> Judge:
        judge = Judge(query for queries in self.lists.values() for query in queries)
        self.heard_at: list[float] = []
        for name in CLIENTS:
            records = list(history.read(self.settings.folder / f"{name}.history"))
            judge.add(records)
            self.heard_at += [record.get("at") or record["ended"] for record in records if "at" in record or (
                record.get("end") or ["", ""])[0] == "OK"]
        self.heard_at.sort()
        return judge

    async def audit(self, judge: Judge) -> None:
        """After everything was killed once more, whoever asks hears the same of every kept query."""
        if not (kept := judge.kept()):
            return
        self.say(f"everything is killed at once and started again; {len(kept)} kept queries are attached to")
        await self.kill_all(faults.Fault(0, "kill-all", "all", 0.5, 0))
        self.befallen["kill-all"] += 1
        names, log = self.settings.folder / "kept.json", self.settings.folder / "audit.history"
        names.write_text(json.dumps(kept))
        endpoint = f"tcp://127.0.0.1:{self.cluster.ports['frontend']}"
        auditor = self.cluster.add("client-audit", [
            sys.executable, str(HERE / "audit.py"), "--endpoint", endpoint, "--kept", str(names), "--log", str(log)
        ])
        await auditor.start()
        await auditor.wait(90)
        judge.add_audit(history.read(log))
        missing = len(kept) - sum(bool(records) for records in judge.audits.values())
        if missing:
            self.violations.append(f"{missing} kept queries could not be attached to afterwards")
        await self.roles["broker"].end(signal.SIGKILL)
        self.violations += recorded.faults(self.cluster.data / "journal.sqlite", kept)

    def figures(self, verdict: Verdict) -> dict:
        recoveries = []
        for _, started in self.broker_starts:
            if after := [at for at in self.heard_at if at > started]:
                recoveries.append(after[0] - started)
        return {
            "seed": self.settings.seed, "seconds": round(self.settings.seconds, 1), "drained_s": round(self.drained, 1),
            "sent": verdict.sent, "completed": verdict.completed, "failed": verdict.failed,
            "failed_by_reason": dict(verdict.failures), "lost": verdict.lost, "unanswered": verdict.unanswered,
            "volatile_given_up": verdict.given_up, "duplicated_tokens": verdict.duplicated_tokens,
            "missing_tokens": verdict.missing_tokens, "wrong_texts": verdict.wrong_texts,
            "ran_twice": verdict.ran_twice, "changed_ends": verdict.changed_ends,
            "queries_by_durability": dict(verdict.durability),
            "queries_by_client": {name: len(queries) for name, queries in self.lists.items()},
            "audited_afterwards": verdict.audited, "resets": verdict.resets, "attachments": verdict.attachments,
            "resubmissions": verdict.resubmissions, "faults": dict(sorted(self.befallen.items())),
            "broker_deaths": len(self.broker_starts),
            "recovery_s": {
                "median": round(statistics.median(recoveries), 2) if recoveries else None,
                "worst": round(max(recoveries), 2) if recoveries else None,
            },
            "broker_rss_mib": round(self.most_resident / 2**20, 1), "violations": len(verdict.violations),
        }
