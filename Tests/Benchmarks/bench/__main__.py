"""`make bench`: measures, and writes a table as text, JSON, a picture and a part of docs/benchmarks.md.

    python3 Tests/Benchmarks/bench [--long] [--only row,row] [--pairs N] [--json FILE] [--picture FILE] [--document FILE]

The short form takes minutes, the long one up to half an hour. A row that fails is a line of the table; the others go on.
"""

import argparse
import json
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import table  # noqa: E402
from finding import skip  # noqa: E402
from picture import draw  # noqa: E402
from programs import Missing  # noqa: E402
from rows import ALL  # noqa: E402


@dataclass
class Bench:
    is_long: bool
    pairs: int


def main():
    arguments = parse()
    bench = Bench(arguments.long, arguments.pairs)
    names = arguments.only.split(",") if arguments.only else list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"no row {unknown[0]!r}; there are: {', '.join(ALL)}")
    findings = []
    begin = time.monotonic()
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        found = []
        row_begin = time.monotonic()
        try:
            for finding in ALL[name].run(bench):
                found.append(finding)
                print("  " + table.line(finding), file=sys.stderr, flush=True)
        except Missing as missing:
            found.append(skip(name, name, str(missing)))
        except Exception as error:
            traceback.print_exc()
            found.append(skip(name, name, f"failed: {error}"))
        print(f"  {name} took {time.monotonic() - row_begin:.0f} s", file=sys.stderr, flush=True)
        findings += found
    conditions = table.conditions(bench, time.monotonic() - begin)
    print(table.text(findings, conditions))
    if arguments.json:
        report = {"conditions": conditions, "findings": [finding.to_json() for finding in findings]}
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    if arguments.picture:
        arguments.picture.write_text(draw(findings, conditions))
    if arguments.document:
        table.write_into(arguments.document, findings, conditions)


def parse():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--long", action="store_true", help="more and longer runs, more peers")
    parser.add_argument("--only", metavar="ROWS", help=f"of: {', '.join(ALL)}")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of each comparison (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="an SVG")
    parser.add_argument("--document", type=Path, metavar="FILE", help="whose marked part the table replaces")
    return parser.parse_args()


if __name__ == "__main__":
    main()
