"""Helper processes of the benchmarks that are forked from one which has imported what they need: most of a short run."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing import forkserver

import pytest
from benchmarks import processes

PROGRAMS = ("hub", "crowd", "drivers", "peers.broadcaster", "peers.broker", "peers.clients")
STORES = ("synovia.store.mongo", "synovia.store.sqlite")


@pytest.fixture(scope="package", autouse=True)
def _forked() -> Iterator[None]:
    """Fork what is measured; who measures starts new processes, each of which is its own from the beginning."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"benchmarks.{each}" for each in PROGRAMS] + [*STORES])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("OPENBLAS_NUM_THREADS", "1")  # a process with several threads is not to be forked
        forkserver.ensure_running()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_CONTEXT", context)
        yield
