"""Memory for each queued query and connection, and how long a start takes."""

import time

from finding import Finding
from programs import compile_load, resident_bytes, running
from service import up

PROMPT_BYTES = 64


def run(bench):
    yield queued()
    yield connections()
    yield workers()
    seconds = []
    for _ in range(bench.pairs):
        begin = time.monotonic()
        with up():
            seconds.append(time.monotonic() - begin)
    yield Finding("footprint", "aladdin up: from start to ready", "s", seconds, more_is_better=False)


def growth(connections, in_flight):
    """Bytes by which the service grows under so many connections with so many queries each that are never answered."""
    load = compile_load()
    with up(policy="jsq", time_scale=1e7) as service:
        before = resident_bytes(service.process)
        with running(load, service.frontend, connections, in_flight, 20, PROMPT_BYTES, "volatile"):
            time.sleep(6)
            grown = resident_bytes(service.process) - before
        # It would wait for its queries, of which none will ever end.
        service.process.kill()
        return grown


def queued():
    few, many = growth(40, 50), growth(40, 1000)
    each = (many - few) / (40 * 950) - PROMPT_BYTES
    return Finding(
        "footprint", "memory of a query that waits, beside its prompt", "B", [each], target=2048, more_is_better=False,
        note="broker, scheduler and worker together, 40,000 queries",
    )


def connections():
    few, many = growth(10, 1), growth(510, 1)
    return Finding(
        "footprint", "memory of a client's connection", "B", [(many - few) / 500], target=65536, more_is_better=False,
        note="with one query each",
    )


def workers():
    sizes = []
    for count in (2, 102):
        with up(workers=count) as service:
            while len(service.status()["workers"]) < count:
                time.sleep(0.1)
            sizes.append(resident_bytes(service.process))
    each = (sizes[1] - sizes[0]) / 100
    return Finding(
        "footprint", "memory of a worker without its engine's", "B", [each], more_is_better=False,
        note="its own, the broker's and the scheduler's, in one process",
    )
