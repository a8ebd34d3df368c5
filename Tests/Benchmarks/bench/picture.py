"""The comparisons as a picture: how far each is from its target, on a logarithmic axis."""

from html import escape
from math import log10

from table import number, spread

WIDTH, LEFT, RIGHT, ROW, TOP = 990, 470, 140, 24, 64
LOW, HIGH = 0.05, 20.0
GOOD, BAD, GREY = "#2f7d4f", "#b4532a", "#666"


def position(value):
    share = (log10(min(max(value, LOW), HIGH)) - log10(LOW)) / (log10(HIGH) - log10(LOW))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def attained(finding, value):
    """1 is the target, more is better."""
    if not value:
        return LOW
    return value / finding.target if finding.more_is_better else finding.target / value


def draw(findings, conditions):
    """An SVG of the findings that have a target."""
    shown = [finding for finding in findings if finding.target and finding.values]
    height = TOP + ROW * len(shown) + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="16" y="24" font-size="15">How far each figure is from its target</text>',
        f'<text x="16" y="42" fill="{GREY}">1 is the target, further right is better; the bar is the range of the pairs</text>',
    ]
    bottom = TOP + ROW * len(shown)
    for tick in (0.1, 0.25, 0.5, 1, 2, 5, 10):
        x = position(tick)
        colour = "#333" if tick == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}" stroke="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="{GREY}">{tick}</text>')
    for index, finding in enumerate(shown):
        parts += bar(finding, TOP + ROW * index)
    parts.append(f'<text x="16" y="{height - 8}" fill="{GREY}" font-size="10">{escape(conditions)}</text></svg>')
    return "\n".join(parts) + "\n"


def bar(finding, top):
    colour = GOOD if finding.is_met else BAD
    ends = sorted(position(attained(finding, value)) for value in finding.values)
    middle = position(attained(finding, finding.middle))
    what = f"{finding.row}: {finding.what}"
    if len(what) > 74:
        what = what[:73] + "…"
    title = escape(f"{finding.what}: {number(finding.middle)} {finding.unit} ({spread(finding)})")
    return [
        f"<g><title>{title}</title>",
        f'<text x="{LEFT - 12}" y="{top + 15}" text-anchor="end">{escape(what)}</text>',
        f'<line x1="{ends[0]:.1f}" x2="{ends[-1]:.1f}" y1="{top + 11}" y2="{top + 11}" stroke="{colour}" stroke-width="3" opacity="0.4"/>',
        f'<circle cx="{middle:.1f}" cy="{top + 11}" r="5" fill="{colour}"/>',
        f'<text x="{WIDTH - RIGHT + 12}" y="{top + 15}" fill="{colour}">{escape(number(finding.middle))} {escape(finding.unit)}</text></g>',
    ]
