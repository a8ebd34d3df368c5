"""The service as processes of the release build, each of which can be killed, stopped and started again."""
from __future__ import annotations

import asyncio
import ctypes
import functools
import json
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALADDIN = Path(os.environ.get("ALADDIN_EXECUTABLE") or ROOT / ".build/release/aladdin")
PROFILE = ROOT / "Tests/Data/profiles/p8.json"
MODEL = "llama3.1-8b"
ENDPOINTS = ("frontend", "worker", "scheduler", "admin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


LIBC = ctypes.CDLL(None)


def prepare(limits: dict[int, int]) -> None:
    """In the new process: it does not outlive the driver, however that ends, and keeps within its limits."""
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for what, limit in limits.items():
        resource.setrlimit(what, (limit, limit))


def endpoint_flags(ports: dict[str, int]) -> list[str]:
    return [word for name in ports for word in (f"--{name}-endpoint", f"tcp://127.0.0.1:{ports[name]}")]


class Role:
    """One process of the deployment and its log, over all its lives."""

    def __init__(self, name: str, command: list[str], folder: Path, limits: dict[int, int] | None = None):
        self.name = name
        self.command = command
        self.log = folder / f"{name}.log"
        self.limits = limits or {}
        self.process: asyncio.subprocess.Process | None = None
        self.lives = 0
        self.started_at = 0.0
        self.is_expected_to_end = False

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.lives += 1
            self.started_at = time.monotonic()
            log.write(f"--- life {self.lives}: {' '.join(self.command)}\n".encode())
            log.flush()
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                # With a limit on files, a write beyond it fails instead of ending the process: SIGXFSZ stays ignored.
                restore_signals=not self.limits, preexec_fn=functools.partial(prepare, self.limits),
            )
            self.is_expected_to_end = False

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def ended_unasked(self) -> bool:
        return self.process is not None and not self.is_running and not self.is_expected_to_end

    def signal(self, number: signal.Signals) -> None:
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.is_expected_to_end = True
        if self.process and self.is_running:
            self.process.send_signal(number)

    async def wait(self, seconds: float) -> int | None:
        """The exit code; None of one that does not end in time."""
        assert self.process
        try:
            return await asyncio.wait_for(self.process.wait(), max(seconds, 0.01))
        except asyncio.TimeoutError:
            return None

    async def end(self, number: signal.Signals, seconds: float = 15.0) -> int | None:
        self.signal(number)
        return await self.wait(seconds)

    @property
    def resident_bytes(self) -> int:
        if not self.process or not self.is_running:
            return 0
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * 4096


def status(ports: dict[str, int]) -> dict:
    flags = ["--admin-endpoint", f"tcp://127.0.0.1:{ports['admin']}"]
    run = subprocess.run([ALADDIN, "status", "--json", *flags], capture_output=True, text=True, timeout=20)
    return json.loads(run.stdout) if run.returncode == 0 and run.stdout else {}


async def wait_for_workers(ports: dict[str, int], count: int, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            seen = len((await asyncio.to_thread(status, ports)).get("workers", []))
        except (subprocess.TimeoutExpired, ValueError):
            seen = 0
        if seen >= count:
            return True
        await asyncio.sleep(0.3)
    return False


def worker_command(name: str, ports: dict[str, int], time_scale: float, *more: str) -> list[str]:
    return [
        str(ALADDIN), "worker", "--name", name, "--engine", "emulated", "--profile", str(PROFILE),
        "--time-scale", str(time_scale), "--noise", "0.1", *endpoint_flags(ports), *more,
    ]


def broker_command(ports: dict[str, int], data: Path, *more: str) -> list[str]:
    return [str(ALADDIN), "broker", *endpoint_flags(ports), "--data", str(data), *more]
