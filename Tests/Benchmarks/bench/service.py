"""Aladdin itself, as its users run it."""

import json
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

from programs import PEERS, RELEASE, free_ports, run, running, share_priority

ALADDIN = RELEASE / "aladdin"


@dataclass
class Service:
    process: object
    frontend: str
    worker: str
    scheduler: str
    admin: str
    http: str = ""

    def status(self):
        return json.loads(run(ALADDIN, "status", "--json", "--admin-endpoint", self.admin))


def endpoints():
    names = ("frontend", "worker", "scheduler", "admin")
    return dict(zip(names, (f"tcp://127.0.0.1:{port}" for port in free_ports(4))))


def flags(addresses, *names):
    return [word for name in names for word in (f"--{name}-endpoint", addresses[name])]


@contextmanager
def up(
    policy="aladdin", workers=1, journal=None, database=None, profile=PEERS / "instant.json", time_scale=0, extra=()
):
    """The whole service in one process, with an emulated engine that takes no time unless told otherwise."""
    addresses = endpoints()
    (http,) = free_ports(1)
    storage = ["--data", journal] if journal else ["--journal", database or "none"]
    command = [
        ALADDIN, "up", "--engine", "emulated", "--profile", profile, "--time-scale", time_scale, "--workers", workers,
        "--policy", policy, "--http", f"127.0.0.1:{http}", "--log-level", "error", *storage,
        *flags(addresses, *addresses), *extra,
    ]
    with running(*command, port=http) as process:
        wait_until_ready(f"http://127.0.0.1:{http}/ready")
        share_priority(process)
        yield Service(process, http=f"http://127.0.0.1:{http}", **addresses)


def wait_until_ready(url, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"{url} is not ready after {seconds} s")
        time.sleep(0.02)


@contextmanager
def broker_and_scheduler(policy="jsq", keys=None):
    """Broker and scheduler as processes of their own, without a worker."""
    addresses = endpoints()
    storage = ["--journal", "none", "--log-level", "error"]
    port = int(addresses["frontend"].rsplit(":", 1)[1])
    security = ["--keys", keys] if keys else []
    key = ["--key", keys / "scheduler.key"] if keys else []
    with running(ALADDIN, "broker", *storage, *flags(addresses, *addresses), *security, port=port) as broker:
        endpoint = flags(addresses, "scheduler")
        with running(ALADDIN, "scheduler", "--policy", policy, "--log-level", "error", *endpoint, *key) as scheduler:
            time.sleep(0.5)  # it connects within milliseconds; without keys that could be asked for
            share_priority(broker)
            share_priority(scheduler)
            yield Service(broker, **addresses)


def make_keys(folder):
    """A directory of keys with one for a worker, a client and a scheduler."""
    run(ALADDIN, "keys", "init", "--keys", folder)
    for role in ("worker", "frontend", "scheduler"):
        run(ALADDIN, "keys", "new", role, "--role", role, "--keys", folder)
    return folder
