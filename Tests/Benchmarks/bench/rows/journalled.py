"""The whole path with a journal, beside message queues that write to the same disk before they answer.

Redis does the same job, question to answer; and, as NATS does, only the first part of it: taking in the question.
"""

import csv
from contextlib import ExitStack, contextmanager
from statistics import median

from finding import Finding, alternate, skip
from programs import Missing, compile_c, free_ports, measure, need, run as run_program, running, scratch
from service import up

CLIENTS = 50
BYTES = 64


def run(bench):
    load = compile_c("clients")
    seconds = 4 if bench.is_long else 1
    with ExitStack() as stack:
        place = stack.enter_context(scratch())
        service = stack.enter_context(up(policy="jsq", journal=place / "journal"))
        latencies = []

        def queries():
            result = measure(load, service.frontend, CLIENTS, seconds, BYTES, "accept")
            latencies.append(result["p99_us"] / 1000)
            return result["per_s"]

        for name, server, figure, target in (
            ("Redis Streams, always synced, question to answer", redis, redis_answers, 3),
            ("Redis Streams, always synced, one XADD", redis, redis_adds, None),
            ("NATS JetStream, never synced, one publish", nats, nats_publishes, None),
        ):
            what = f"jsq, accept, {BYTES} B, {CLIENTS} clients, not pipelined: {name}"
            try:
                port = stack.enter_context(server(place))
            except Missing as missing:
                yield skip("journalled", what, str(missing))
                continue
            pairs = alternate(bench.pairs, queries, lambda: figure(port, seconds))
            yield Finding(
                "journalled", what, "×", pairs.ratios, target=target, ours=median(pairs.ours),
                theirs=median(pairs.theirs), rate_unit="queries/s",
            )
        yield Finding(
            "journalled", f"{CLIENTS} clients: p99 from question to answer", "ms", latencies, more_is_better=False
        )


@contextmanager
def redis(place):
    need("redis-server", "redis-benchmark")
    (port,) = free_ports(1)
    folder = place / "redis"
    folder.mkdir(exist_ok=True)
    options = ["--port", port, "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    with running("redis-server", *options, port=port):
        yield port


def redis_answers(port, seconds):
    return measure(compile_c("redis", "-lpthread"), port, CLIENTS, seconds, BYTES)["per_s"]


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
