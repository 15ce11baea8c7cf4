"""Synovia for Qt programs: a client with signals, and item models that follow live queries row by row."""

from synovia_protocol.version import __version__
from synovia_qt.binding import BINDING
from synovia_qt.call import Call
from synovia_qt.client import SynoviaClient
from synovia_qt.columns import Column
from synovia_qt.models import ROW_ROLE, LiveListModel, LiveTableModel

__all__ = [
    "BINDING",
    "ROW_ROLE",
    "Call",
    "Column",
    "LiveListModel",
    "LiveTableModel",
    "SynoviaClient",
    "__version__",
]
