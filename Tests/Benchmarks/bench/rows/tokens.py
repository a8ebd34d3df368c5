"""Tokens through the broker: 64 workers of 64 sequences each, one message a step, with and without encryption."""

from finding import Finding
from programs import compile_workers, measure, scratch
from service import broker_and_scheduler, make_keys

WORKERS = SEQUENCES = 64


def run(bench):
    load = compile_workers()
    tokens = 400 if bench.is_long else 100
    for name, secured, target in (("plain", False, 1_000_000), ("CURVE", True, 500_000)):
        figures = []
        for _ in range(bench.pairs):
            with scratch() as place:
                keys = make_keys(place / "keys") if secured else None
                with broker_and_scheduler(keys=keys) as service:
                    files = [keys / "worker.key", keys / "frontend.key"] if secured else []
                    result = measure(load, service.worker, service.frontend, WORKERS, SEQUENCES, tokens, *files)
                    figures.append(result["tokens_per_s"])
        yield Finding(
            "tokens", f"{WORKERS} workers × {SEQUENCES} sequences, {name}", "tokens/s", figures, target=target
        )

