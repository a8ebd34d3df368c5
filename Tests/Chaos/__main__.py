"""Runs the real service under load while everything that can go wrong does, and checks what was promised.

    python Tests/Chaos                        the faults, the full disk and the overload, some minutes
    python Tests/Chaos faults --seed 7        one of them, with the schedule of one seed
"""
from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import time
from pathlib import Path

from chaos_run import ChaosRun, Settings
from deployment import ROOT
from full_disk import FullDisk
from overload import Overload

SCENARIOS = ("faults", "disk", "overload")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scenario", nargs="*", default=[], help=f"some of: {', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--minutes", type=float, default=2.5, help="how long the faults go on (default: 2.5)")
    parser.add_argument("--rate", type=float, default=70.0, help="queries a second meanwhile (default: 70)")
    parser.add_argument("--gap", type=float, default=1.2, help="mean seconds between faults (default: 1.2)")
    parser.add_argument("--policy", help="the scheduler's policy under overload (default: its own)")
    parser.add_argument("--keep", action="store_true", help="keep the logs of a good run too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    for name in options.scenario:
        if name not in SCENARIOS:
            parser.error(f"'{name}' is no scenario; there are: {', '.join(SCENARIOS)}")
    folder = ROOT / ".build/chaos" / f"{time.strftime('%Y%m%d-%H%M%S')}-seed-{options.seed}"
    results, violations = {}, []
    for name in options.scenario or SCENARIOS:
        print(f"{name}, seed {options.seed}; again: make chaos ARGS='{name} --seed {options.seed}'", file=sys.stderr)
        figures, broken = run(name, options, folder / name)
        results[name] = figures
        violations += [f"{name}: {what}" for what in broken]
        if not options.json:
            print(text(name, figures), flush=True)
    if options.json:
        print(json.dumps({"seed": options.seed, "scenarios": results, "violations": violations}, indent=1))
    for line in violations[:40]:
        print(f"VIOLATION {line}", file=sys.stderr)
    if len(violations) > 40:
        print(f"… and {len(violations) - 40} more", file=sys.stderr)
    if violations or options.keep:
        (folder / "violations.txt").write_text("\n".join(violations) + "\n")
        print(f"seed {options.seed}; logs and histories are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if violations else 0


def run(name: str, options: argparse.Namespace, folder: Path) -> tuple[dict, list[str]]:
    if name == "faults":
        settings = Settings(options.seed, options.minutes * 60, options.rate, options.gap, folder)
        verdict, figures = asyncio.run(ChaosRun(settings).run())
        return figures, verdict.violations
    if name == "disk":
        return asyncio.run(FullDisk(folder, options.seed).run())
    return asyncio.run(Overload(folder, options.seed, options.policy).run())


def text(name: str, figures: dict) -> str:
    """The figures on a few lines, as `aladdin bench` prints its own."""
    def shown(value: object) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{key} {shown(one)}" for key, one in value.items()) or "none"
        return f"{value:g}" if isinstance(value, float) else str(value)

    lines, line = [], f"{name}:"
    for key, value in figures.items():
        piece = f" {key.replace('_', ' ')} {shown(value)}" + (";" if isinstance(value, dict) else ",")
        if isinstance(value, dict) or len(line) + len(piece) > 118:
            lines.append(line.rstrip(",;"))
            line = " "
        line += piece
    return "\n".join(lines + [line.rstrip(",;")])


if __name__ == "__main__":
    sys.exit(main())
