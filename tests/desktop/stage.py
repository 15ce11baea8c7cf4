"""What the scenes of the desktop program share: a hub in a process of its own, people, a window, and waiting."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from helpers.forked_commands import SYNOVIA, Command
from helpers.patience import PATIENCE
from motion.desktop.program import application, open_window
from motion.desktop.windows.desk import Desk
from motion.desktop.windows.main_window import MainWindow
from synovia_client import BlockingClient

ROOT = Path(__file__).resolve().parents[2]
MOTION = ROOT / "apps" / "motion"
ANNA = "anna.keller@example.org"
SEEDED = "SEEDED_CLINIC"
"""The variable that says where the database is of which hubs have copies."""
T = TypeVar("T")


def until(condition: Callable[[], T], what: str = "what is waited for") -> T:
    """Let Qt's events run until a condition holds, and give what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} does not come"
        turn(5)
    return found


def turn(milliseconds: int) -> None:
    """Let Qt's events run for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Hub:
    """A hub with the motion application on a file of SQLite, in a process of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}
        self._file = folder / "hub.db"
        self._store = f"sqlite:///{self._file}"
        self._log = folder / "hub.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"ws://127.0.0.1:{self.port}"
        self._process: Command | None = None

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["dev", str(MOTION), "--no-reload", "--store", self._store, "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = Command(SYNOVIA, arguments, self._environment, log.fileno(), log.fileno())
        until(self._answers, "the hub")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")
        with contextlib.suppress(urllib.error.URLError, OSError):
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).status == 200)
        return False

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def fill(self) -> None:
        """Give it, before it starts, a copy of the database with people and recordings to look at."""
        shutil.copyfile(os.environ[SEEDED], self._file)

    @contextmanager
    def person(self, email: str) -> Iterator[BlockingClient]:
        """Give another client of somebody."""
        with BlockingClient(self.url, token=f"dev:{email}", proxy=None) as client:
            client.connected()
            yield client


@contextmanager
def running_hub(*, seeded: bool = True, **environment: str) -> Iterator[Hub]:
    """Run a hub, with these settings, until the block ends."""
    application()
    with tempfile.TemporaryDirectory(prefix="motion-desktop-") as folder:
        hub = Hub(Path(folder), environment)
        try:
            if seeded:
                hub.fill()
            hub.start()
            yield hub
        finally:
            hub.kill()


@contextmanager
def window_on(hub: Hub, root: Path | None = None) -> Iterator[MainWindow]:
    """Open the program's window on a hub, with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="motion-desktop-") as folder:
        window = open_window(hub.url, root or Path(folder), proxy=None)
        try:
            yield window
        finally:
            window.session.close()
            window.close()
            window.deleteLater()
            turn(20)


@contextmanager
def desk_of(email: str = ANNA, *, seeded: bool = True) -> Iterator[tuple[Hub, Desk]]:
    """Sign somebody in on a hub, and give the desk."""
    with running_hub(seeded=seeded) as hub, window_on(hub) as window:
        yield hub, sign_in(window, email)


def sign_in(window: MainWindow, email: str) -> Desk:
    """Sign in by the page, as a person does."""
    card = window.sign_in
    assert card is not None
    until(lambda: card.email.isVisible(), "the ways to sign in")
    write(card.email, email)
    QTest.keyClick(card.email, Qt.Key.Key_Return)
    until(lambda: window.desk is not None, "the desk")
    assert window.desk is not None
    return window.desk


# --- what hands do


def click(widget: QWidget, at: QPoint | None = None) -> None:
    """Press a widget with the mouse."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or widget.rect().center())


def write(field: QLineEdit | QPlainTextEdit, words: str) -> None:
    """Go to a field and write into it, in place of what is there."""
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, words)


def find(parent: QWidget, kind: type[Any], name: str) -> Any:
    """Find the widget with an accessible name that is seen."""

    def seen() -> list[Any]:
        return [each for each in parent.findChildren(kind) if each.accessibleName() == name and each.isVisible()]

    return until(seen, f"the {kind.__name__} {name!r}")[0]
