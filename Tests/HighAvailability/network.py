"""Hosts of a test as network namespaces on one bridge: cut off, partitioned, slowed down, on one machine."""
from __future__ import annotations

import os
import subprocess


def call(*words: str, check: bool = True) -> bool:
    run = subprocess.run(words, capture_output=True, text=True)
    if check and run.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {run.stderr.strip()}")
    return run.returncode == 0


def missing() -> str:
    """Why there can be no such network here; empty if there can."""
    if os.geteuid() != 0:
        return "network namespaces want root"
    name = f"alprobe{os.getpid()}"
    try:
        call("ip", "netns", "add", name)
        call("ip", "-n", name, "link", "add", "br0", "type", "bridge")
        call("ip", "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "a1")
        call("ip", "netns", "exec", name, "nft", "add", "table", "inet", "ha")
    except (OSError, RuntimeError) as error:
        return f"this kernel or this container lacks something: {error}"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return ""


class Host:
    def __init__(self, network: Network, name: str, number: int):
        self.network, self.name, self.port = network, name, f"p-{name}"
        self.namespace = f"{network.prefix}-{name}"
        self.address = f"10.77.0.{number}"
        call("ip", "netns", "add", self.namespace)
        call("ip", "-n", network.hub, "link", "add", self.port, "type", "veth", "peer", "name", "eth0",
             "netns", self.namespace)
        call("ip", "-n", network.hub, "link", "set", self.port, "master", "br0", "up")
        self.ip("link", "set", "lo", "up")
        self.ip("address", "add", f"{self.address}/24", "dev", "eth0")
        self.ip("link", "set", "eth0", "up")
        self.filter("add", "table", "inet", "ha")
        self.filter("add", "chain", "inet", "ha", "in", "{ type filter hook input priority 0; }")

    def ip(self, *words: str) -> None:
        call("ip", "-n", self.namespace, *words)

    def filter(self, *words: str) -> None:
        call(*self.inside("nft", *words))

    def inside(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *command]

    def cut(self) -> None:
        """No frame passes any more; the host itself sees a link that is up, as with a switch that fails."""
        call("bridge", "-n", self.network.hub, "link", "set", "dev", self.port, "state", "0")

    def mend(self) -> None:
        call("bridge", "-n", self.network.hub, "link", "set", "dev", self.port, "state", "3")

    def part_from(self, *others: Host) -> None:
        """What comes from the others vanishes, and what they get from here."""
        for other in others:
            self.filter("add", "rule", "inet", "ha", "in", "ip", "saddr", other.address, "drop")
            other.filter("add", "rule", "inet", "ha", "in", "ip", "saddr", self.address, "drop")

    def lose(self, percent: int) -> None:
        self.filter("add", "rule", "inet", "ha", "in", f"numgen random mod 100 < {percent} drop")

    def slow_down(self, kilobits: int, delay_ms: int) -> list[str]:
        """Limits what the host sends, both its rate and, where the kernel can, its haste; returns what it can't."""
        limit = ["tbf", "rate", f"{kilobits}kbit", "burst", "16kb", "latency", "2000ms"]
        dev = ["tc", "qdisc", "replace", "dev", "eth0"]
        if delay_ms and call(*self.inside(*dev, "root", "handle", "1:", "netem", "delay", f"{delay_ms}ms"), check=False):
            call(*self.inside(*dev, "parent", "1:", "handle", "10:", *limit))
            return []
        call(*self.inside(*dev, "root", *limit))
        return [f"{delay_ms} ms of latency: the kernel has no netem"] if delay_ms else []

    def heal(self) -> None:
        """Undoes all but `cut`."""
        self.filter("flush", "chain", "inet", "ha", "in")
        call(*self.inside("tc", "qdisc", "del", "dev", "eth0", "root"), check=False)


class Network:
    def __init__(self) -> None:
        self.prefix = f"al{os.getpid()}"
        self.hub = f"{self.prefix}-hub"
        self.hosts: dict[str, Host] = {}
        call("ip", "netns", "add", self.hub)
        call("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        call("ip", "-n", self.hub, "link", "set", "br0", "up")

    def add(self, name: str) -> Host:
        self.hosts[name] = Host(self, name, len(self.hosts) + 11)
        return self.hosts[name]

    def heal(self) -> None:
        for host in self.hosts.values():
            host.mend()
            host.heal()

    def close(self) -> None:
        for namespace in [host.namespace for host in self.hosts.values()] + [self.hub]:
            call("ip", "netns", "del", namespace, check=False)
