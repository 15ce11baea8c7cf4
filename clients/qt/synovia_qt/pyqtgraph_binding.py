"""pyqtgraph, on the binding to Qt that the rest of the program uses."""

from __future__ import annotations

import os
import sys
from typing import Any

from synovia_qt.binding import BINDING

_CHOICE = "PYQTGRAPH_QT_LIB"


def load() -> Any:
    """Import pyqtgraph.

    Raises:
        ImportError: It is missing, or uses another binding, with what to do about it.
    """
    chosen = "pyqtgraph" not in sys.modules and _CHOICE not in os.environ
    if chosen:
        os.environ[_CHOICE] = BINDING
    try:
        import pyqtgraph
    except ModuleNotFoundError as error:
        raise ImportError("curves need pyqtgraph: pip install 'synovia-qt[plot]'") from error
    finally:
        if chosen:
            del os.environ[_CHOICE]
    check(pyqtgraph.Qt.QT_LIB)
    return pyqtgraph


def check(library: str) -> None:
    """Refuse a pyqtgraph that draws with another binding; ImportError says what to do."""
    if library != BINDING:
        raise ImportError(
            f"pyqtgraph uses {library}, synovia-qt uses {BINDING}: import {BINDING} first, and nothing of {library}, "
            f"or set {_CHOICE}={BINDING}"
        )


pyqtgraph = load()
