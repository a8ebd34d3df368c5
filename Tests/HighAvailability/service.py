"""Two brokers, their database, schedulers, gateways, workers and clients, each on a host that can fail."""
from __future__ import annotations

import asyncio
import dataclasses
import signal
import sys
import time
from pathlib import Path

import history
import workload
from database import Database
from deployment import ALADDIN, MODEL, PROFILE, ROOT, Role
from judge import Judge
from network import Host, Network

CHAOS = ROOT / "Tests/Chaos"
SWIFT_CLIENT = ROOT / ".build/release/ChaosClient"
WORKERS = 8
# In tokens of four bytes: half a second of a link of 4 Mbit/s.
LARGE_PROMPT = 60_000
CLIENTS = {"client-python": 0.4, "client-swift": 0.4, "client-http": 0.2}
BROKERS = ("broker1", "broker2")


class Service:
    """One deployment, from an empty database to its end."""

    def __init__(self, folder: Path, keys: Path | None = None, lease_s: float = 3):
        self.folder, self.keys, self.lease_s = folder, keys, lease_s
        self.network = Network()
        self.hosts: dict[str, Host] = {
            name: self.network.add(name) for name in (*BROKERS, "db", "fleet1", "fleet2", "front", "clients")
        }
        self.roles: dict[str, Role] = {}
        self.database: Database | None = None
        self.brokers = ",".join(self.hosts[name].address for name in BROKERS)
        self.http: list[str] = []
        self.violations: list[str] = []

    def add(self, name: str, host: str, command: list[str]) -> Role:
        self.roles[name] = Role(name, self.hosts[host].inside(*command), self.folder)
        return self.roles[name]

    def key(self, role: str) -> list[str]:
        return ["--key", str(self.keys / f"{role}.key")] if self.keys else []

    async def deploy(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = await asyncio.to_thread(Database, self.hosts["db"])
        for name in BROKERS:
            address = self.hosts[name].address
            endpoints = [
                word for port, endpoint in enumerate(("frontend", "worker", "scheduler", "admin"), 5550)
                for word in (f"--{endpoint}-endpoint", f"tcp://{address}:{port}")
            ]
            access = ["--keys", str(self.keys)] if self.keys else ["--insecure-bind"]
            self.add(name, name, [
                str(ALADDIN), "broker", "--journal", self.database.address, "--leader-lease-s", f"{self.lease_s:g}",
                *endpoints, *access,
            ])
        peers = ["--broker", self.brokers]
        for number in (1, 2):
            standby = ["--standby"] if number == 2 else []
            self.add(f"scheduler-{number}", "front", [
                str(ALADDIN), "scheduler", *standby, *peers, *self.key("scheduler")
            ])
            self.http.append(f"{self.hosts['front'].address}:{8080 + number}")
            self.add(f"gateway-{number}", "front", [
                str(ALADDIN), "gateway", "--http", self.http[-1], "--insecure-bind", *peers, *self.key("frontend")
            ])
        for number in range(1, WORKERS + 1):
            # Every third begins answers anew that another one began.
            more = ["--no-resume"] if number % 3 == 0 else []
            self.add(f"worker-{number}", f"fleet{1 + number % 2}", [
                str(ALADDIN), "worker", "--name", f"worker-{number}", "--engine", "emulated", "--profile", str(PROFILE),
                "--time-scale", "1", "--noise", "0.1", *peers, *self.key("worker"), *more,
            ])
        for role in self.roles.values():
            await role.start()
        await self.wait_for_workers()

    async def wait_for_workers(self, seconds: float = 60) -> None:
        """Until the broker that leads has all workers."""
        deadline = time.monotonic() + seconds
        command = [str(ALADDIN), "status", "--json", "--broker", self.brokers, *self.key("admin")]
        while time.monotonic() < deadline:
            run = await asyncio.create_subprocess_exec(
                *self.hosts["clients"].inside(*command), stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            output, _ = await run.communicate()
            if output.count(b'"worker-') >= WORKERS:
                return
            await asyncio.sleep(0.2)
        raise RuntimeError(f"the workers do not all come (back); logs are in {self.folder}")

    # Load.

    async def ask(self, seed: int, rate: float, seconds: float, large_prompts: bool = False) -> None:
        """Starts clients that ask so many queries a second for so long."""
        clients = dict(CLIENTS)
        if self.keys:
            clients = {"client-swift": 1.0}
        self.lists = workload.queries(seed, clients, rate, seconds)
        if large_prompts:
            self.lists = {
                name: [
                    dataclasses.replace(query, prompt_tokens=LARGE_PROMPT) if query.number % 40 == 0 else query
                    for query in queries
                ]
                for name, queries in self.lists.items()
            }
        self.start = time.monotonic() + 1
        endpoint = ",".join(f"tcp://{address}:5550" for address in self.brokers.split(","))
        gateways = [word for address in self.http for word in ("--gateway", address)]
        commands = {
            "client-python": [
                sys.executable, str(CHAOS / "zeromq_client.py"), "--endpoint", endpoint, "--acknowledge", "--name", "python"
            ],
            "client-swift": [str(SWIFT_CLIENT), "--endpoint", endpoint, *self.key("frontend")],
            "client-http": [sys.executable, str(CHAOS / "http_client.py"), "--model", MODEL, *gateways],
        }
        for name in clients:
            queries = self.folder / f"{name}.queries"
            workload.write(queries, self.lists[name])
            log = self.folder / f"{name}.history"
            role = self.add(name, "clients", [
                *commands[name], "--queries", str(queries), "--log", str(log), "--start", str(self.start)
            ])
            await role.start()
        await asyncio.sleep(self.start - time.monotonic())

    async def drain(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        for name in self.lists:
            code = await self.roles[name].wait(deadline - time.monotonic())
            if code is None:
                self.violations.append(f"{name} still waited {seconds:.0f} s after the last fault")
                await self.roles[name].end(signal.SIGTERM, 5)
            elif code != 0:
                self.violations.append(f"{name} ended with {code}")

    async def judge(self) -> Judge:
        """What clients heard, and whether the database has an end for all that was accepted."""
        judge = Judge(query for queries in self.lists.values() for query in queries)
        self.heard_at: list[float] = []
        for name in self.lists:
            records = list(history.read(self.folder / f"{name}.history"))
            judge.add(records)
            self.heard_at += [
                record.get("at") or record["ended"] for record in records
                if "at" in record or (record.get("end") or ["", ""])[0] == "OK"
            ]
        self.heard_at.sort()
        rows = self.database.ask("SELECT id || ' ' || (ended_ms IS NOT NULL) FROM aladdin.query")
        ends = dict(row.split(" ") for row in rows)
        for number, identifier in sorted(judge.kept().items()):
            if identifier not in ends:
                self.violations.append(f"query {number}: accepted durably, and not in the journal")
            elif ends[identifier] != "true":
                self.violations.append(f"query {number}: accepted durably, and without an end in the journal")
        for role in self.roles.values():
            if role.ended_unasked and not role.name.startswith("client"):
                self.violations.append(f"{role.name} ended by itself; see {role.log}")
        return judge

    def silence_after(self, at: float, seconds: float = 6) -> float:
        """The longest time within so many seconds in which no client was told of an acceptance or an end."""
        heard = [at, *(time for time in self.heard_at if at < time < at + seconds)]
        return max((next - last for last, next in zip(heard, heard[1:])), default=float("inf"))

    # Who leads.

    async def leader(self) -> tuple[str, str]:
        """The host that leads, and its term."""
        row = await asyncio.to_thread(self.database.leader)
        for name in BROKERS:
            if f"{self.hosts[name].address}:" in row:
                return name, row
        return "", row

    async def wait_for_next(self, term: str, seconds: float = 60) -> tuple[str, str]:
        """Until somebody leads in another term."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            name, now = await self.leader()
            if name and now != term:
                return name, now
            await asyncio.sleep(0.05)
        raise RuntimeError(f"nobody took over within {seconds:.0f} s; logs are in {self.folder}")

    async def close(self) -> None:
        for role in self.roles.values():
            role.signal(signal.SIGCONT)
            role.signal(signal.SIGKILL)
        await asyncio.gather(*(role.wait(5) for role in self.roles.values() if role.process))
        if self.database:
            await asyncio.to_thread(self.database.close)
        self.network.close()
