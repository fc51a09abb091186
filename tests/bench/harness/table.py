"""Medians of figures and of ratios paired within a round, and the printed table."""

import statistics

PASS, SHORT, MISSING = "PASS", "FALLS SHORT", "NOT MEASURED"


class Spread:
    """The median of some figures, with the least and the greatest."""

    def __init__(self, figures):
        self.median = statistics.median(figures)
        self.least = min(figures)
        self.greatest = max(figures)

    def text(self, digits):
        return (f"{self.median:>9.{digits}f}   "
                f"[{self.least:.{digits}f} .. {self.greatest:.{digits}f}]")


class Verdict:
    """One target of performance.md and what came of it."""

    def __init__(self, row, claim, bound, spread, note="", unit="", digits=None):
        self.row, self.claim, self.bound = row, claim, bound
        self.spread, self.note, self.unit = spread, note, unit
        self.digits = 0 if unit == "B" else 1 if unit else 2
        if digits is not None:
            self.digits = digits

    def fail(self, note):
        """It was tried and the server did not stand it: that falls short, with no figure."""
        self.spread, self.note = Spread([float("inf")]), note

    def word(self):
        if self.spread is None:
            return MISSING
        return PASS if self.spread.median <= self.bound and not self.note else SHORT

    def line(self):
        claim = f"{self.claim} <= {self.bound:g}{' ' + self.unit if self.unit else ''}"
        figures = self.spread.text(self.digits) if self.spread else f"{'-':>9}"
        note = f"   ({self.note})" if self.note else ""
        return f"  {self.row:<4}{claim:<58}{figures:<32}{self.word()}{note}"


def ratios(figures, other):
    """Ratios paired within a round; both lists have one figure per round."""
    return Spread([a / b for a, b in zip(figures, other)])


def print_row(row, title):
    print(f"\n{row}  {title}", flush=True)


def print_head():
    print(f"  {'server':<28}{'CPU us/request':<32}{'answers/s':>10}{'p99 ms':>10}  errors")


def print_measurements(kind, measurements):
    cpu = Spread([m.cpu_us for m in measurements]).text(3)
    rate = statistics.median(m.rate for m in measurements)
    p99 = statistics.median(m.p99_ms for m in measurements)
    errors = sum(m.errors for m in measurements)
    print(f"  {kind:<28}{cpu:<32}{rate:>10.0f}{p99:>10.2f}{errors:>8}", flush=True)


def print_figures(kind, figures, digits):
    print(f"  {kind:<28}{Spread(figures).text(digits)}", flush=True)


def print_ratio(claim, spread):
    """One that has no target."""
    print(f"      {claim:<58}{spread.text(2)}", flush=True)


def print_missing(kind, reason):
    print(f"  {kind:<28}left out: {reason}", flush=True)


def print_failed(kind, reason):
    print(f"  {kind:<28}failed: {reason}", flush=True)


def print_verdicts(verdicts):
    for verdict in verdicts:
        print(verdict.line())
