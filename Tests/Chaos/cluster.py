"""The deployment of a chaos run: every role twice where there may be two, half of them behind links that can fail."""
from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import workload
from deployment import (
    ALADDIN, ENDPOINTS, MODEL, ROOT, Role, broker_command, endpoint_flags, free_port, wait_for_workers, worker_command,
)
from proxy import Link

HERE = Path(__file__).resolve().parent
SWIFT_CLIENT = ROOT / ".build/release/ChaosClient"
WORKERS = 6
# How queries are spread over the clients.
CLIENTS = {"client-python": 0.4, "client-swift": 0.35, "client-http": 0.15, "client-slow": 0.1}


class Cluster:
    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        self.ports = {name: free_port() for name in ENDPOINTS}
        self.http: list[str] = []
        self.roles: dict[str, Role] = {}
        self.links: dict[str, Link] = {}

    def add(self, name: str, command: list[str]) -> Role:
        self.roles[name] = Role(name, command, self.folder)
        return self.roles[name]

    async def through_link(self, name: str, endpoint: str) -> dict[str, int]:
        """The ports for one that reaches the broker's `endpoint` through a link of its own."""
        link = Link(self.ports[endpoint])
        await link.listen()
        self.links[name] = link
        return self.ports | {endpoint: link.port}

    async def deploy(self) -> None:
        """Starts all but the clients and waits until it stands."""
        self.add("broker", broker_command(self.ports, self.data))
        for number in (1, 2):
            ports = await self.through_link("scheduler-1", "scheduler") if number == 1 else self.ports
            standby = ["--standby"] if number == 2 else []
            self.add(f"scheduler-{number}", [str(ALADDIN), "scheduler", *standby, *endpoint_flags(ports)])
            self.http.append(f"127.0.0.1:{free_port()}")
            self.add(f"gateway-{number}", [
                str(ALADDIN), "gateway", "--http", self.http[-1], *endpoint_flags(self.ports)
            ])
        for number in range(1, WORKERS + 1):
            name = f"worker-{number}"
            ports = await self.through_link(name, "worker") if number % 2 else self.ports
            # Every third begins answers anew that another one began.
            more = ["--no-resume"] if number % 3 == 0 else []
            self.add(name, worker_command(name, ports, 2.0, *more))
        for role in self.roles.values():
            await role.start()
        if not await wait_for_workers(self.ports, WORKERS):
            raise RuntimeError(f"the deployment does not come up; its logs are in {self.folder}")

    async def add_clients(self, lists: dict[str, list[workload.Query]], start: float) -> None:
        """Clients that begin at `start`, not started yet."""
        direct = f"tcp://127.0.0.1:{self.ports['frontend']}"
        linked = {
            name: f"tcp://127.0.0.1:{(await self.through_link(name, 'frontend'))['frontend']}"
            for name in ("client-python", "client-swift")
        }
        python = [sys.executable, str(HERE / "zeromq_client.py"), "--endpoint"]
        gateways = [word for address in self.http for word in ("--gateway", address)]
        commands = {
            "client-python": [*python, linked["client-python"], "--acknowledge", "--name", "python"],
            "client-slow": [*python, direct, "--read-pause", "0.25", "--name", "slow"],
            "client-swift": [str(SWIFT_CLIENT), "--endpoint", linked["client-swift"]],
            "client-http": [sys.executable, str(HERE / "http_client.py"), "--model", MODEL, *gateways],
        }
        for name, command in commands.items():
            queries = self.folder / f"{name}.queries"
            workload.write(queries, lists[name])
            log = self.folder / f"{name}.history"
            self.add(name, [*command, "--queries", str(queries), "--log", str(log), "--start", str(start)])

    async def close(self) -> None:
        for role in self.roles.values():
            role.signal(signal.SIGKILL)
        await asyncio.gather(*(role.wait(5) for role in self.roles.values() if role.process))
        for link in self.links.values():
            await link.close()
