"""Two brokers on PostgreSQL and a fleet over a network, under load while hosts vanish and links fail.

    Tests/HighAvailability/run                          everything, some minutes
    Tests/HighAvailability/run takeover --rounds 5      one of them
"""
from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import time

from deployment import ROOT
from network import missing
from scenarios import SCENARIOS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scenario", nargs="*", default=[], help=f"some of: {', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--rounds", type=int, default=20, help="takeovers (default: 20)")
    parser.add_argument("--keep", action="store_true", help="keep the logs of a good run too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    for name in options.scenario:
        if name not in SCENARIOS:
            parser.error(f"'{name}' is no scenario; there are: {', '.join(SCENARIOS)}")
    if why := missing():
        print(f"skipped: {why}", file=sys.stderr)
        return 0
    folder = ROOT / ".build/ha" / f"{time.strftime('%Y%m%d-%H%M%S')}-seed-{options.seed}"
    results, violations = {}, []
    for name in options.scenario or SCENARIOS:
        print(f"{name}, seed {options.seed}", file=sys.stderr, flush=True)
        figures, broken = asyncio.run(SCENARIOS[name](folder / name, options.seed, options.rounds).run())
        results[name] = figures
        violations += [f"{name}: {what}" for what in broken]
        if not options.json:
            print(f"{name}: " + json.dumps(figures), flush=True)
    if options.json:
        print(json.dumps({"seed": options.seed, "scenarios": results, "violations": violations}, indent=1))
    for line in violations[:40]:
        print(f"VIOLATION {line}", file=sys.stderr)
    if violations or options.keep:
        print(f"seed {options.seed}; logs and histories are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
