"""The binding of Python to Qt: PySide6 or PyQt6, whichever the program has imported, or else the first that is there."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

NAMES = ("PySide6", "PyQt6")


def chosen() -> str:
    """Give the name of the binding.

    Raises:
        ImportError: There is none, or one that cannot work, with the reason.
    """
    for name in [name for name in NAMES if f"{name}.QtCore" in sys.modules] or NAMES:
        try:
            core = importlib.import_module(f"{name}.QtCore")
        except ImportError:
            continue
        check(name, str(getattr(core, "__version__", "")), sys.version_info[:2])
        return name
    raise ImportError("synovia-qt needs PySide6 or PyQt6: pip install 'synovia-qt[pyside6]'")


def check(name: str, version: str, python: tuple[int, ...]) -> None:
    """Refuse a binding that is known to break; ImportError says why."""
    if (name, version, python) == ("PySide6", "6.12.0", (3, 11)):
        raise ImportError(
            "PySide6 6.12.0 loses references to None on every emitted signal under Python 3.11, and aborts after some "
            "hundred of them: install another version of PySide6, as 6.11.3, or use Python 3.12"
        )


BINDING = chosen()
"""The name of the binding in use: ``PySide6`` or ``PyQt6``."""

if TYPE_CHECKING:
    from PySide6 import QtCore
    from PySide6.QtCore import Property, Signal, Slot
else:
    QtCore: Any = importlib.import_module(f"{BINDING}.QtCore")
    Property, Signal, Slot = (
        getattr(QtCore, name if BINDING == "PySide6" else f"pyqt{name}") for name in ("Property", "Signal", "Slot")
    )


def is_heard(owner: Any, signal: Any) -> bool:
    """Tell whether anybody is connected to a signal of an object."""
    if BINDING == "PySide6":
        return bool(owner.isSignalConnected(QtCore.QMetaMethod.fromSignal(signal)))
    return bool(owner.receivers(signal) > 0)


__all__ = ["BINDING", "Property", "QtCore", "Signal", "Slot", "check", "is_heard"]
