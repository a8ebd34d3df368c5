"""The PostgreSQL of a test, on a host of its own."""
from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from deployment import ROOT
from network import Host

SUPERVISE = ROOT / "Tests/PostgreSQLServer/supervise"


def binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise SystemExit("there is no PostgreSQL server; install it with: .ci/install-packages tests")
    return found[-1].parent


class Database:
    def __init__(self, host: Host):
        # A socket's path must be short.
        self.directory = tempfile.mkdtemp(prefix="aladdin-ha-", dir="/tmp")
        settings = ["listen_addresses = '*'", "fsync = on", "log_min_messages = warning"]
        self.process = subprocess.Popen(
            host.inside(str(SUPERVISE), self.directory, str(binaries()), *settings),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.address = f"postgres://aladdin@{host.address}/journals"
        answer = self.process.stdout.readline().strip()
        if answer != "ready":
            raise RuntimeError(answer + self.process.stdout.read())

    def tell(self, command: str) -> None:
        """start, kill, restart, pause or resume; returns when that is done."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def ask(self, sql: str) -> list[str]:
        """Rows, by the socket that no network fault reaches; empty while the server does not answer."""
        run = subprocess.run(
            ["psql", "-h", self.directory, "-U", "aladdin", "-d", "journals", "-Atc", sql],
            capture_output=True, text=True, timeout=30,
        )
        return run.stdout.split("\n")[:-1] if run.returncode == 0 else []

    def leader(self) -> str:
        """The instance that leads and where it listens; empty if nobody is known."""
        rows = self.ask("SELECT instance || ' ' || name FROM aladdin.leader WHERE NOT is_released")
        return rows[0] if rows else ""

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
