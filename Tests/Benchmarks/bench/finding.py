"""What a row of the table says, and how pairs of measurements become it."""

from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass
class Finding:
    """One line of the table.

    `values` has one figure for each pair or run, in the order measured; the line shows their median and range. `target`
    is what they are held against: at least that if `more_is_better`, else at most.
    """

    row: str
    what: str
    unit: str
    values: list
    target: float = None
    more_is_better: bool = True
    ours: float = None
    theirs: float = None
    rate_unit: str = ""
    note: str = ""
    skipped: str = ""

    @property
    def middle(self):
        return median(self.values) if self.values else None

    @property
    def is_met(self):
        """None where there is nothing to meet or nothing was measured."""
        if self.target is None or not self.values:
            return None
        return self.middle >= self.target if self.more_is_better else self.middle <= self.target

    def to_json(self):
        return asdict(self) | {"median": self.middle, "met": self.is_met}


def skip(row, what, reason):
    """A line that says why there is no figure."""
    return Finding(row, what, "", [], skipped=reason)


@dataclass
class Pairs:
    """Measurements of ours and of a peer, taken in turns, so that both see the same machine."""

    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)

    @property
    def ratios(self):
        return [our / their for our, their in zip(self.ours, self.theirs) if their]


def alternate(count, ours, theirs):
    """Calls both `count` times in turns; every other pair begins with the peer."""
    pairs = Pairs()
    for number in range(count):
        order = [(ours, pairs.ours), (theirs, pairs.theirs)]
        for measure, figures in order if number % 2 == 0 else reversed(order):
            figures.append(measure())
    return pairs
