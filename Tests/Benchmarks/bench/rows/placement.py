"""Placement: decisions a second of the production scheduler, and how they grow with the fleet."""

from statistics import median

from finding import Finding
from programs import probe


def run(bench):
    for policy in ("aladdin", "jsq"):
        fleets = [10, 100, 1000] + ([10_000] if bench.is_long or policy == "aladdin" else [])
        decisions = 4000 if bench.is_long else 1500
        fill = 20 if bench.is_long else 8
        result = probe(
            "placement", "--policy", policy, "--workers", ",".join(map(str, fleets)), "--rounds", bench.pairs,
            "--decisions", decisions, "--fill-s", fill, timeout=1200,
        )
        yield from findings(policy, {fleet["workers"]: fleet for fleet in result["fleets"]})


def findings(policy, fleets):
    is_ours = policy == "aladdin"
    for workers, fleet in fleets.items():
        rates = [1e6 / each for each in fleet["us_per_decision"]]
        isMeasured = is_ours and workers == 1000
        yield Finding(
            "placement", f"{policy}, {workers:,} workers, {fleet['in_flight']:,} queries in flight: decisions",
            "/s", rates, target=100_000 if isMeasured else None,
        )
        yield Finding(
            "placement", f"{policy}, {workers:,} workers: p99 of a decision", "µs", fleet["p99_us"],
            target=50 if isMeasured else None, more_is_better=False,
        )
    sizes = sorted(fleets)
    for small, large in zip(sizes, sizes[1:]):
        growth = [b / a for a, b in zip(fleets[small]["us_per_decision"], fleets[large]["us_per_decision"])]
        yield Finding(
            "placement", f"{policy}: time of a decision at {large:,} workers over {small:,}", "×", growth,
            target=2 if is_ours and large == 10_000 else None, more_is_better=False,
            ours=median(fleets[large]["us_per_decision"]), theirs=median(fleets[small]["us_per_decision"]),
            rate_unit="µs",
        )
