"""The table as text and as Markdown."""

import os
import platform
import subprocess
import time

BEGIN = "<!-- bench: begin -->"
END = "<!-- bench: end -->"


def number(value):
    if value is None:
        return ""
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def middle(finding):
    return f"{number(finding.middle)} {finding.unit}".strip() if finding.values else "—"


def spread(finding):
    if len(finding.values) < 2:
        return ""
    return f"{number(min(finding.values))}–{number(max(finding.values))}"


def target(finding):
    if finding.target is None:
        return ""
    return f"{'≥' if finding.more_is_better else '≤'} {number(finding.target)}"


def verdict(finding):
    return {None: "", True: "met", False: "missed"}[finding.is_met]


def sides(finding):
    if finding.skipped:
        return finding.skipped
    parts = []
    if finding.ours is not None:
        parts.append(f"{number(finding.ours)} against {number(finding.theirs)} {finding.rate_unit}".strip())
    if finding.note:
        parts.append(finding.note)
    return "; ".join(parts)


def cells(finding):
    return [
        finding.row, finding.what, middle(finding), spread(finding), target(finding), verdict(finding), sides(finding)
    ]


HEADINGS = ["row", "what", "median", "range", "target", "", "figures"]


def line(finding):
    return "  ".join(cell for cell in cells(finding)[1:] if cell)


def text(findings, conditions):
    rows = [HEADINGS] + [cells(finding) for finding in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines + ["", conditions])


def markdown(findings, conditions):
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    for finding in findings:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells(finding)) + " |")
    return "\n".join(lines + ["", conditions])


def conditions(bench, seconds):
    """Where and when, for whoever wants to compare."""
    cpus = os.cpu_count()
    name = platform.processor() or "processor"
    try:
        with open("/proc/cpuinfo", encoding="utf8") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    form = "long" if bench.is_long else "short"
    load = os.getloadavg()
    return (
        f"{time.strftime('%Y-%m-%d')}, {'commit ' + commit + ', ' if commit else ''}{cpus} × {name}, {form} form, "
        f"{bench.pairs} pairs, {seconds:.0f} s; {load[0]:.1f} processes ran or waited to run in the last minute."
    )


def write_into(document, findings, conditions):
    """Replaces what is between the two marks of a document."""
    whole = document.read_text()
    if BEGIN not in whole or END not in whole:
        raise SystemExit(f"{document} has no part between {BEGIN} and {END}")
    before, rest = whole.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    document.write_text(f"{before}{BEGIN}\n{markdown(findings, conditions)}\n{END}{after}")
