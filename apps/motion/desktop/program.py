"""The program: one window on one server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from motion.desktop.models.account_files import NAME, ORGANIZATION, Preferences
from motion.desktop.models.session import Session
from motion.desktop.style.theme import Appearance, theme
from motion.desktop.windows.main_window import MainWindow

DEFAULT_URL = "ws://127.0.0.1:8000"
APPEARANCES: tuple[Appearance, ...] = ("system", "light", "dark")


def application() -> QApplication:
    """Make the application of this process, or give it."""
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(sys.argv[:1])
    app.setOrganizationName(ORGANIZATION)
    app.setApplicationName(NAME)
    app.setApplicationDisplayName(NAME)
    app.setStyle("Fusion")
    return app


def open_window(url: str, root: Path | None = None, **options: Any) -> MainWindow:
    """Open the window on a server, as who was signed in there last.

    Args:
        url: The server.
        root: Where what is remembered lies; by default where the system keeps such things.
        options: As for ``SynoviaClient``.
    """
    application()
    preferences = Preferences(root)
    chosen = str(preferences.settings.value("appearance", "system"))
    theme().choose(next((each for each in APPEARANCES if each == chosen), "system"))
    session = Session(url, preferences, **options)
    window = MainWindow(session, preferences)
    session.setParent(window)
    session.resume()
    window.show()
    return window


def run(url: str = DEFAULT_URL) -> int:
    """Run until the window is closed; give the exit code."""
    app = application()
    window = open_window(url)
    app.aboutToQuit.connect(window.session.close)
    return app.exec()


def main(args: Sequence[str] | None = None) -> None:
    """Run what is packaged: the program by itself, without the command line of the server's side."""
    parser = argparse.ArgumentParser(prog="motion-desk", description="The Motion Desk.")
    parser.add_argument("--url", default=DEFAULT_URL, help="where the server is (default: %(default)s)")
    sys.exit(run(parser.parse_args(args).url))
