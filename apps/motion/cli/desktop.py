"""``synovia-motion desktop``: the program with a window, where what it needs is installed."""

from __future__ import annotations

import importlib
import importlib.util

NEEDED = {"PySide6": "PySide6", "pyqtgraph": "pyqtgraph", "synovia_qt": "synovia-qt"}
"""What the program imports, and what is installed for it."""


class Missing(Exception):
    """Something is not installed; the message says what, and how to have it."""


def run(url: str) -> int:
    """Open the window on a hub, and give the exit code when it is closed.

    Raises:
        Missing: What it needs is not there, or cannot be used here.
    """
    absent = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if absent:
        raise Missing(f"the desktop program needs {', '.join(absent)}: pip install 'synovia-motion[desktop]'")
    try:
        program = importlib.import_module("motion.desktop.program")
    except ImportError as error:  # a library of the system's that Qt needs, or a version that is known to break
        raise Missing(f"the desktop program cannot start here: {error}") from None
    return int(program.run(url))
