"""Garbage collection of a process that serves: what is there from the start is not looked at again and again."""

from __future__ import annotations

import gc

THRESHOLDS = 5_000, 1, 100
"""Objects in containers before the young are looked at, and how often that before the older ones are."""


def tune() -> None:
    """Set the collector up for a server that has just started.

    A full collection stops everything, 100 ms with 500 clients, and with Python's own thresholds it comes often. What is
    there when the server starts, and stays, is taken out of it, and it comes more rarely: nearly everything that pushes and
    requests need is freed without it. A connection that has ended may wait a little longer. What is young is looked at
    twice at most before it counts as old: a long read makes so many objects that looking at them ten times takes 30 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
