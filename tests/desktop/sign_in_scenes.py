"""Scenes of the program's way in: with the system's browser at an issuer, and by a code that comes by mail."""

from __future__ import annotations

import json
import re

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton

from desktop.stage import ANNA, find, running_hub, until, window_on, write
from helpers.issuer_process import Browser, issuer_process


class SystemBrowser(QObject):
    """Stands where Qt opens addresses, and goes there as a browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.browser = Browser()
        QDesktopServices.setUrlHandler("http", self, "go")  # type: ignore[arg-type]  # the stub wants bytes

    @Slot(QUrl)
    def go(self, url: QUrl) -> None:
        self.browser.open(bytes(url.toEncoded().data()).decode())

    def close(self) -> None:
        QDesktopServices.unsetUrlHandler("http")
        self.browser.close()


def with_the_browser() -> None:
    """Who is refused can try again; who is let in and new is asked what they are."""
    with issuer_process() as issuer:
        issuers = json.dumps([{"issuer": issuer.url, "audience": ["the-page", "the-program"]}])
        with running_hub(seeded=False, SYNOVIA_AUTH_ISSUERS=issuers) as hub, window_on(hub) as window:
            system = SystemBrowser()
            card = window.sign_in
            assert card is not None
            button = find(card, QPushButton, "Continue with 127.0.0.1")
            issuer.behave("access_denied")
            button.click()
            until(lambda: card.problem, "the refusal")
            assert "not today" in card.problem
            assert button.isEnabled()
            issuer.behave()
            button.click()
            until(lambda: window.welcome is not None, "the question")
            system.close()
            assert [status for status, _ in system.browser.pages] == [400, 200]


def with_a_code_by_mail() -> None:
    """A wrong code can be mended, and the address, too; the right one leads to the desk."""
    with running_hub() as hub, window_on(hub) as window:
        card = window.sign_in
        assert card is not None
        until(lambda: card.email.isVisible(), "the ways to sign in")
        write(card.email, ANNA)
        find(card, QPushButton, "Send me a code").click()
        until(lambda: card.code.isVisible(), "the question for the code")
        write(card.code, "00 000 000")
        find(card, QPushButton, "Sign in").click()
        assert until(lambda: card.problem, "the refusal") == "This is not the code, or it is too old."
        find(card, QPushButton, "Use another address").click()
        assert (card.email.isVisible(), card.code.isVisible(), card.problem) == (True, False, "")
        find(card, QPushButton, "Send me a code").click()
        until(lambda: card.code.isVisible(), "the question for the code")
        found = until(lambda: re.findall(r"^ +(\d{8,12})\s*$", hub.log, re.M), "the mail, which is in the log here")
        write(card.code, found[-1])
        find(card, QPushButton, "Sign in").click()
        until(lambda: window.desk is not None, "the desk")
