"""A journal whose disk fills up, and one whose directory cannot be written."""
from __future__ import annotations

import asyncio
import dataclasses
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import history
import workload
from deployment import ALADDIN, ENDPOINTS, Role, broker_command, endpoint_flags, free_port, worker_command
from judge import Judge

HERE = Path(__file__).resolve().parent
SMALL, LARGE = "3m", "256m"


class SmallDisk:
    """A file system of a few MiB: a tmpfs where that may be mounted, else a limit on the size of files."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.is_mounted = os.geteuid() == 0 and self._mount("-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs")
        self.kind = f"tmpfs of {SMALL}iB" if self.is_mounted else "limit of 1 MiB on files"

    def _mount(self, *arguments: str) -> bool:
        return subprocess.run(["mount", *arguments, str(self.folder)], capture_output=True).returncode == 0

    @property
    def limits(self) -> dict[int, int]:
        return {} if self.is_mounted else {resource.RLIMIT_FSIZE: 1 << 20}

    def make_room(self) -> None:
        if self.is_mounted:
            self._mount("-o", f"remount,size={LARGE}")

    def forbid_writing(self, directory: Path) -> bool:
        """Whether that is possible: root may write where the permissions say no."""
        if self.is_mounted:
            return self._mount("-o", "remount,ro")
        directory.chmod(0o500)
        return os.geteuid() != 0

    def remove(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", str(self.folder)], capture_output=True)


class FullDisk:
    def __init__(self, folder: Path, seed: int):
        self.folder = folder
        self.seed = seed
        self.violations: list[str] = []
        self.ports = {name: free_port() for name in ENDPOINTS}
        self.roles: list[Role] = []

    async def run(self) -> tuple[dict, list[str]]:
        self.folder.mkdir(parents=True)
        disk = SmallDisk(self.folder / "disk")
        try:
            return await self._run(disk), self.violations
        finally:
            for role in self.roles:
                role.signal(signal.SIGKILL)
            await asyncio.gather(*(role.wait(5) for role in self.roles if role.process))
            disk.remove()

    def add(self, name: str, command: list[str], limits: dict[int, int] | None = None) -> Role:
        self.roles.append(Role(name, command, self.folder, limits))
        return self.roles[-1]

    async def _run(self, disk: SmallDisk) -> dict:
        data = disk.folder / "data"
        broker = self.add("broker", broker_command(self.ports, data), disk.limits)
        others = [self.add("scheduler", [str(ALADDIN), "scheduler", *endpoint_flags(self.ports)])]
        others += [self.add(name, worker_command(name, self.ports, 0.5)) for name in ("worker-1", "worker-2")]
        for role in [broker, *others]:
            await role.start()
        queries = [
            dataclasses.replace(query, durability="accept", prompt_tokens=4000, max_tokens=24)
            for query in workload.queries(self.seed, {"client": 1.0}, 60, 20)["client"]
        ]
        client = self.add("client", self.client_command(queries))
        await client.start()
        code = await self.wait_for_end(broker)
        if code is None:
            self.violations.append("the broker still runs although its disk is full")
            await broker.end(signal.SIGKILL)
        elif code != 1:
            self.violations.append(f"the broker ended with {code} when its disk was full, not with 1")
        words = broker.log.read_text(errors="replace")
        if not any(word in words for word in ("disk is full", "No space", "File too large", "disk reports an error")):
            self.violations.append("the broker did not say that its disk is full")
        accepted = sum("accepted" in record for record in history.read(self.folder / "client.history"))
        disk.make_room()
        broker.limits = {}
        restarted = time.monotonic()
        await broker.start()
        if await client.wait(120) is None:
            self.violations.append("queries were still open two minutes after there was room again")
            await client.end(signal.SIGTERM)
        drained = time.monotonic() - restarted
        judge = Judge(queries)
        judge.add(history.read(self.folder / "client.history"))
        verdict = judge.judge()
        self.violations += verdict.violations
        await broker.end(signal.SIGTERM)
        refused = await self.check_unwritable(disk, data)
        return {
            "disk": disk.kind, "exit_code": code, "accepted_before": accepted, "sent": verdict.sent,
            "completed": verdict.completed, "failed": verdict.failed, "lost": verdict.lost,
            "ran_twice": verdict.ran_twice, "drained_s": round(drained, 1), "unwritable_directory": refused,
        }

    def client_command(self, queries: list[workload.Query]) -> list[str]:
        path = self.folder / "client.queries"
        workload.write(path, queries)
        return [
            sys.executable, str(HERE / "zeromq_client.py"), "--endpoint", f"tcp://127.0.0.1:{self.ports['frontend']}",
            "--queries", str(path), "--log", str(self.folder / "client.history"), "--start", str(time.monotonic() + 1),
        ]

    @staticmethod
    async def wait_for_end(role: Role) -> int | None:
        return await role.wait(60)

    async def check_unwritable(self, disk: SmallDisk, data: Path) -> str:
        if not disk.forbid_writing(data):
            return "not tried"
        broker = self.add("broker-unwritable", broker_command(self.ports, data))
        await broker.start()
        code = await broker.wait(20)
        said = broker.log.read_text(errors="replace")
        if code in (None, 0):
            self.violations.append(f"a broker that may not write its journal ended with {code}")
            await broker.end(signal.SIGKILL)
        if not any(word in said for word in ("read-only", "Read-only", "ermission", "cannot")):
            self.violations.append("a broker that may not write its journal did not say so")
        if any(word in said for word in ("Fatal error", "Crash:")):
            self.violations.append("a broker that may not write its journal crashed")
        return f"refused with {code}"
