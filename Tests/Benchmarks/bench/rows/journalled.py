"""The whole path with a journal, beside message queues that write to the same disk before they answer.

Redis does the same job, question to answer; and, as NATS does, only the first part of it: taking in the question.
"""

import csv
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from finding import Finding, alternate, skip
from programs import Missing, compile_c, compile_load, free_ports, measure, need, run as run_program, running, scratch
from service import up

CLIENTS = 50
# On one connection, and within what a session may have.
IN_FLIGHT = 1000
BYTES = 64


def run(bench):
    with ExitStack() as stack:
        place = stack.enter_context(scratch())
        ours = Ours(stack.enter_context(up(policy="jsq", journal=place / "journal")).frontend, 4 if bench.is_long else 1)
        waiting = f"{CLIENTS} clients, not pipelined"
        many = f"{IN_FLIGHT:,} in flight on one connection"
        for what, queries, server, figure, target in (
            (f"{waiting}: Redis Streams, always synced, question to answer", ours.answers, redis, redis_answers, 3),
            (f"{many}: Redis Streams, always synced, question to answer, {waiting}", ours.many, redis, redis_answers, 3),
            (
                f"{many}: Redis Streams, always synced, question to answer, {IN_FLIGHT:,} clients", ours.many, redis,
                lambda port, seconds: redis_answers(port, seconds, IN_FLIGHT), None,
            ),
            (f"{waiting}: Redis Streams, always synced, one XADD", ours.answers, redis, redis_adds, None),
            (f"{waiting}: NATS JetStream, never synced, one publish", ours.answers, nats, nats_publishes, None),
        ):
            if target is None and not bench.is_long:
                continue
            what = f"jsq, accept, {BYTES} B, {what}"
            try:
                with server(place) as port:
                    pairs = alternate(bench.pairs, queries, lambda: figure(port, ours.seconds))
            except Missing as missing:
                yield skip("journalled", what, str(missing))
                continue
            yield Finding(
                "journalled", what, "×", pairs.ratios, target=target, ours=median(pairs.ours),
                theirs=median(pairs.theirs), rate_unit="queries/s",
            )
        yield Finding(
            "journalled", f"{CLIENTS} clients: p99 from question to answer", "ms", ours.latencies, more_is_better=False
        )
        pairs = alternate(bench.pairs, ours.acceptance, lambda: sync(place / "page", ours.seconds))
        yield Finding(
            "journalled", "one client: p99 from question to the word that it is accepted: p99 of a page's sync", "×",
            pairs.ratios, target=2, more_is_better=False, ours=median(pairs.ours), theirs=median(pairs.theirs),
            rate_unit="µs",
        )


class Ours:
    """What a service with a journal does for clients; each figure is one run's."""

    def __init__(self, endpoint, seconds):
        self.endpoint = endpoint
        self.seconds = seconds
        self.latencies = []

    def answers(self):
        result = measure(compile_c("clients"), self.endpoint, CLIENTS, self.seconds, BYTES, "accept")
        self.latencies.append(result["p99_us"] / 1000)
        return result["per_s"]

    def many(self):
        return measure(compile_load(), self.endpoint, 1, IN_FLIGHT, self.seconds, BYTES, "accept")["per_s"]

    def acceptance(self):
        return measure(compile_c("clients"), self.endpoint, 1, self.seconds, BYTES, "accept")["accepted_p99_us"]


def sync(file, seconds):
    return measure(compile_c("sync"), file, seconds)["p99_us"]


@contextmanager
def redis(place):
    need("redis-server", "redis-benchmark")
    (port,) = free_ports(1)
    # One that finds its last run's log would read all of it first, and answer nobody meanwhile.
    folder = Path(tempfile.mkdtemp(prefix="redis-", dir=place))
    options = ["--port", port, "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    with running("redis-server", *options, port=port):
        yield port


def redis_answers(port, seconds, clients=CLIENTS):
    return measure(compile_c("redis", "-lpthread"), port, clients, seconds, BYTES)["per_s"]


def redis_adds(port, seconds):
    del seconds  # it counts requests
    output = run_program(
        "redis-benchmark", "-p", port, "-c", CLIENTS, "-n", 6000, "--csv", "XADD", "queries", "*", "q", "a" * BYTES
    )
    return float(next(csv.reader(output.strip().splitlines()[-1:]))[1])


@contextmanager
def nats(place):
    need("nats-server")
    port, = free_ports(1)
    with running("nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", place / "nats", port=port):
        yield port


def nats_publishes(port, seconds):
    load = compile_c("nats")
    return measure(load, port, CLIENTS, seconds, BYTES)["per_s"]
