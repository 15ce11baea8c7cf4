"""What a benchmark gives: figures beside their peers', and how ratios are taken on a noisy machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Setting:
    """What all benchmarks are run with.

    Attributes:
        mongodb: The URI of a replica set.
        quick: Few and short rounds: shows that it works; the figures are rough.
        profile: A folder for profiles of the hubs; their figures are then far too slow.
        full: The largest sizes too, which take minutes more.
    """

    mongodb: str
    quick: bool = False
    profile: str | None = None
    full: bool = False

    def rounds(self, usual: int) -> int:
        """Give the number of rounds, an odd one."""
        return 3 if self.quick else usual


@dataclass(frozen=True, slots=True)
class Aim:
    """What a ratio should be: at most ``limit``, or at least."""

    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def met(self, ratio: float) -> bool:
        return ratio >= self.limit if self.at_least else ratio <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its peer's.

    Attributes:
        name: What was measured.
        figure: Of Synovia.
        unit: Of both figures.
        peer: What it is compared with: another program measured in the same run, or a named limit.
        peer_figure: Of the peer.
        ratio: ``figure`` to ``peer_figure``; over several rounds, the median of the rounds' ratios.
        aim: None for a figure that only informs.
    """

    name: str
    figure: float
    unit: str
    peer: str
    peer_figure: float
    ratio: float
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.ratio)


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found.

    Attributes:
        name: The benchmark's.
        rows: For the table.
        skipped: Why it, or a part of it, could not be run.
        laid_out: Its own tables as Markdown, where the common one does not suit it.
        pictures: By their names, as SVG.
    """

    name: str
    rows: tuple[Row, ...]
    skipped: str | None = None
    laid_out: str | None = None
    pictures: Mapping[str, str] = field(default_factory=dict)


def compared(
    name: str, unit: str, figures: Sequence[float], peer: str, peers: Sequence[float], aim: Aim | None = None
) -> Row:
    """Compare what was measured in alternating rounds: medians of the figures, and the median of the rounds' ratios.

    Two rounds that follow each other see the same disturbance, so their ratio says more than that of two medians.
    """
    ratios = [figure / other for figure, other in zip(figures, peers, strict=True)]
    return Row(name, median(figures), unit, peer, median(peers), median(ratios), aim)


def compared_latencies(
    what: str, figures: Sequence[Sequence[float]], calm: Sequence[Sequence[float]], aims: Mapping[int, Aim | None]
) -> list[Row]:
    """Compare times from commit to push beside something with calm ones, in alternating rounds.

    Args:
        figures: The milliseconds of each round; ``calm`` those of the rounds before them.
        aims: By the percentiles that are told.
    """
    return [
        compared(
            f"commit to push, p{percent}, {what}",
            "ms",
            [percentile(each, percent) for each in figures],
            "calm",
            [percentile(each, percent) for each in calm],
            aim,
        )
        for percent, aim in aims.items()
    ]


def limited(name: str, unit: str, figure: float, limit: float) -> Row:
    """Compare a figure with a limit it should not exceed."""
    return Row(name, figure, unit, "limit", limit, figure / limit, Aim(1.0))


def percentile(values: Sequence[float], percent: float) -> float:
    """Give the smallest value that ``percent`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Give two of the values that the median of all that could be measured lies between, with a certainty of 95 %.

    That is so whatever the distribution (the interval of the sign test); with five values or fewer, it is less certain.
    """
    ordered, count = sorted(values), len(values)
    below = [sum(math.comb(count, k) for k in range(at + 1)) / 2**count for at in range(count)]
    at = max(0, sum(share <= 0.025 for share in below) - 1)
    return ordered[at], ordered[count - 1 - at]
