"""Scenes of the strip that says that there is no connection, and of languages; each in a process of its own."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from client.peer import PeerConnection
from client.qt.stage import QtWidgets, application, connected, until
from synovia_client import Backoff, SignInCode, SignInError
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Mutation
from synovia_qt import OfflineBanner, describe, install_translations
from synovia_qt.binding import BINDING, QtCore
from synovia_qt.texts import TRANSLATIONS

German = QtCore.QLocale(QtCore.QLocale.Language.German)


def interrupted() -> None:
    """Say nothing of a short break; then why, and how many changes wait; try again at once when asked."""

    async def cut(connection: PeerConnection) -> None:
        await connection.expect(Mutation)
        connection.cut()

    async def answer(connection: PeerConnection) -> None:
        await connection.answer(await connection.expect(Mutation), None, 5)

    with connected(backoff=Backoff(60.0, 60.0), random=lambda: 1.0) as (hub, client):
        played = hub.play(cut)
        window = QtWidgets.QWidget()
        until(lambda: client.online)
        banner = OfflineBanner(client, window, grace=50)
        patient = OfflineBanner(client, window, grace=60_000)
        window.show()
        told: list[bool] = []
        banner.shownChanged.connect(told.append)
        call = client.mutation("m")
        until(played.done)
        until(lambda: banner.is_shown)
        assert not patient.is_shown
        assert banner.isVisible()
        until(lambda: "1 change will be sent when it is back." in banner.text)
        assert banner.text.startswith("The connection is interrupted.")
        assert banner.toolTip() == client.trouble != ""
        played = hub.play(answer)
        (button,) = banner.findChildren(QtWidgets.QPushButton)
        assert button.text() == "Try now"
        button.click()  # it would wait a minute
        until(lambda: call.done)
        until(lambda: not banner.is_shown)
        assert told == [True, False]
        assert not patient.is_shown
        assert not banner.isVisible()
        client.close()
        client.retry()


def let_in_by_nobody() -> None:
    """A server that refuses for good is told at once, and there is nothing to try."""

    async def refuse(connection: PeerConnection) -> None:
        await connection.dismiss(ErrorInfo("protocol_error", "another version"))

    with connected() as (hub, client):
        banner = OfflineBanner(client, grace=60_000)
        hub.play(refuse)
        until(lambda: client.state == "failed" and banner.is_shown)
        (button,) = banner.findChildren(QtWidgets.QPushButton)
        assert (button.isHidden(), banner.text) == (True, "The server does not let this program in.")
        client.deleteLater()
        application().processEvents()


def languages() -> None:
    """Speak German where it is installed, follow a change of language, and English for the rest."""
    with connected() as (_, client):
        banner = OfflineBanner(client, grace=0)
        until(lambda: banner.is_shown)
        assert banner.text == "There is no connection yet. What you see may be old."
        client.mutation("a")
        client.mutation("b")
        until(lambda: banner.text.endswith("2 changes will be sent when it is back."))
        assert install_translations(QtCore.QLocale(QtCore.QLocale.Language.Icelandic)) is None
        translator = install_translations(German)
        assert translator is not None
        until(lambda: banner.text.endswith("2 Änderungen werden gesendet, sobald sie wieder besteht."))
        assert banner.text.startswith("Noch keine Verbindung.")
        assert describe(SignInError(SignInCode.DENIED, "x")) == "Der Anmeldedienst hat die Anmeldung abgelehnt."
        assert describe(ValueError("something else")) == "something else"
        QtCore.QCoreApplication.removeTranslator(translator)
        until(lambda: banner.text.endswith("2 changes will be sent when it is back."))
        assert all(describe(SignInError(code, "told by nobody")) != "told by nobody" for code in SignInCode)


def colours_of_the_palette() -> None:
    """Take the colours of the palette, light or dark, with text that can be read on them."""
    gui: Any = importlib.import_module(f"{BINDING}.QtGui")
    with connected() as (_, client):
        banner = OfflineBanner(client, grace=0)
        until(lambda: banner.is_shown)
        for window, text in (("#fafafa", "#111111"), ("#202124", "#f0f0f0")):
            palette = gui.QPalette()
            palette.setColor(gui.QPalette.ColorRole.Window, gui.QColor(window))
            palette.setColor(gui.QPalette.ColorRole.WindowText, gui.QColor(text))
            application().setPalette(palette)
            until(lambda: banner.palette().color(gui.QPalette.ColorRole.WindowText).name() == text)  # noqa: B023
            shown = banner.palette().color(gui.QPalette.ColorRole.Window)
            image = banner.grab().toImage()
            assert image.pixelColor(2, 2) == shown
            assert shown.name() != window
            lightness = gui.QColor(window).lightness()
            assert abs(shown.lightness() - lightness) < 60


def translations_are_complete() -> None:
    """The file of translations has every text of the code, and the one in the wheel is made of it."""
    import tempfile

    source = TRANSLATIONS / "synovia_qt_de.ts"
    code = TRANSLATIONS.parent / "texts.py"
    tools = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        found, made = Path(folder) / "found.ts", Path(folder) / "made.qm"
        subprocess.run([tools / "pyside6-lupdate", code, "-ts", found], check=True, capture_output=True)
        subprocess.run([tools / "pyside6-lrelease", source, "-qm", made], check=True, capture_output=True)
        texts = [set(re.findall(r"<source>(.*?)</source>", each.read_text("utf-8"))) for each in (found, source)]
        assert texts[0] == texts[1]
        assert len(texts[0]) > 20
        assert "unfinished" not in source.read_text("utf-8")
        assert made.read_bytes() == source.with_suffix(".qm").read_bytes()
