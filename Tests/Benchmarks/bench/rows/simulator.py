"""The simulator: queries a second of its own time, and the search for the smallest fleet."""

import resource
import time
from statistics import median

from finding import Finding
from programs import ROOT, probe, run as run_program
from service import ALADDIN


def run(bench):
    queries = 1_000_000 if bench.is_long else 50_000
    for policy in ("aladdin", "jsq"):
        rounds = 1 if bench.is_long else bench.pairs
        results = [
            probe("simulator", "--policy", policy, "--workers", 64, "--queries", queries, timeout=1200)
            for _ in range(rounds)
        ]
        seconds = [each["seconds"] * 1e6 / each["queries"] for each in results]
        yield Finding(
            "simulator", f"{policy}: a million queries on 64 workers", "s", seconds,
            target=60 if policy == "aladdin" else None, more_is_better=False,
            note=f"{queries:,} queries, processor time; {results[0]['speedup']:.0f} × real time",
        )
    yield search(bench)


def search(bench):
    command = [
        ALADDIN, "simulate", "--trace", ROOT / "Tests/Data/traces/sharegpt_opt_poisson16.csv",
        "--profile", ROOT / "Tests/Data/profiles/p70.json", "--arrivals", "poisson", "--rate", "51.31",
        "--duration-s", "390", "--warmup-s", "60", "--mode", "prefill-priority", "--slo-ttft-ms", "2000",
        "--slo-atgt-ms", "100", "--policy", "aladdin", "--find-min-workers", "--json",
    ]
    seconds, elapsed = [], []
    for _ in range(bench.pairs if bench.is_long else 2):
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        run_program(*command)
        elapsed.append(time.monotonic() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Finding(
        "simulator", "aladdin: --find-min-workers on 20,000 queries", "s", seconds, target=10, more_is_better=False,
        note=f"processor time of all threads; {median(elapsed):.1f} s on the clock",
    )
