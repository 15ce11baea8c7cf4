"""Synovia for Qt programs: a client with signals, item models and curves that follow live queries, and signing in."""

import importlib
from typing import TYPE_CHECKING, Any

from synovia_client import KeyringTokens
from synovia_protocol.version import __version__
from synovia_qt.binding import BINDING
from synovia_qt.call import Call
from synovia_qt.client import SynoviaClient
from synovia_qt.columns import Column
from synovia_qt.live_samples import LiveSamples
from synovia_qt.models import ROW_ROLE, LiveListModel, LiveTableModel
from synovia_qt.sign_in import SignIn
from synovia_qt.texts import describe, install_translations

if TYPE_CHECKING:
    from synovia_qt.array_curve import ArrayCurve
    from synovia_qt.live_curve import FollowMode, LiveCurve
    from synovia_qt.offline_banner import OfflineBanner
    from synovia_qt.shared_text import SharedText

__all__ = [
    "BINDING",
    "ROW_ROLE",
    "ArrayCurve",
    "Call",
    "Column",
    "FollowMode",
    "KeyringTokens",
    "LiveCurve",
    "LiveListModel",
    "LiveSamples",
    "LiveTableModel",
    "OfflineBanner",
    "SharedText",
    "SignIn",
    "SynoviaClient",
    "__version__",
    "describe",
    "install_translations",
]

_WITH_MORE = {
    "ArrayCurve": "array_curve",
    "FollowMode": "live_curve",
    "LiveCurve": "live_curve",
    "OfflineBanner": "offline_banner",
    "SharedText": "shared_text",
}
"""What needs more than Qt's core, such as pyqtgraph, is imported when somebody asks for it."""


def __getattr__(name: str) -> Any:
    if name not in _WITH_MORE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WITH_MORE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
