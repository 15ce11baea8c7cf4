"""The window: the way in, or the desk of who is signed in."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from motion.desktop.dialogs.close import CloseDialog
from motion.desktop.models.account_files import Preferences
from motion.desktop.models.session import Session
from motion.desktop.pages.sign_in import SignInCard
from motion.desktop.pages.welcome import WelcomeCard
from motion.desktop.style.icons import mark_icon
from motion.desktop.windows.desk import Desk
from motion.desktop.windows.entrance import Entrance
from motion.desktop.windows.splash import Splash
from motion.desktop.words.errors import code_of, describe

TITLE = "Motion Desk"
SIZE, LEAST = (1_280, 820), (560, 480)


class MainWindow(QMainWindow):
    """Shows what there is for who is signed in, or for nobody.

    Args:
        session: Who is signed in.
        preferences: Where the window's place is remembered.
    """

    def __init__(self, session: Session, preferences: Preferences) -> None:
        super().__init__()
        self.session, self.preferences = session, preferences
        self.desk: Desk | None = None
        self.sign_in: SignInCard | None = None
        self.welcome: WelcomeCard | None = None
        self._shown = ""
        self._stack = QStackedWidget()
        self.setCentralWidget(self._stack)
        self.setWindowTitle(TITLE)
        self.setWindowIcon(mark_icon())
        self.setMinimumSize(*LEAST)
        self._restore_geometry()
        session.changed.connect(self._follow)
        self._follow()

    def _restore_geometry(self) -> None:
        kept = self.preferences.settings.value("window/geometry")
        if not isinstance(kept, QByteArray) or not self.restoreGeometry(kept):
            self.resize(*SIZE)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember where the window was, and how large; save what is being written. Ask first while it measures."""
        if self.desk is not None and self.desk.is_measuring:
            event.ignore()
            CloseDialog(self, self._stop_and_close).open()
            return
        if self.desk is not None:
            self.desk.commit()
        self.preferences.settings.setValue("window/geometry", self.saveGeometry())
        super().closeEvent(event)

    def _stop_and_close(self) -> None:
        if self.desk is not None:
            self.desk.commit()
        self.close()

    # --- who is signed in

    def _follow(self) -> None:
        session = self.session
        if session.client is None:
            self._show("sign-in")
        elif session.problem is not None:
            archived = code_of(session.problem) == "forbidden"
            words = (
                "This account is archived. An administrator can restore it." if archived else describe(session.problem)
            )
            self._show("splash", words)
        elif not session.is_known:
            self._show("splash", "")
        elif session.me is None:
            self._show("welcome")
        elif self.desk is not None and self._shown == "desk":
            self.desk.people.rename_me(session.me)
        else:
            self._show("desk")

    def _show(self, what: str, words: str = "") -> None:
        if (what, words) == (self._shown, "") and what != "splash":
            return
        self.desk = self.sign_in = self.welcome = None
        page = self._make(what, words)
        self._shown = what
        while (old := self._stack.widget(0)) is not None:
            self._stack.removeWidget(old)
            old.deleteLater()
        self._stack.addWidget(page)
        if self.desk is not None:
            self.desk.setFocus()  # or Qt would choose the first button, and draw a ring around it

    def _make(self, what: str, words: str) -> QWidget:
        session, client = self.session, self.session.client
        if what == "sign-in" or client is None:
            self.sign_in = SignInCard(session)
            self.setWindowTitle(TITLE)
            return Entrance(self.sign_in)
        if what == "welcome":
            self.welcome = WelcomeCard(session, client)
            return Entrance(self.welcome)
        if what == "desk" and session.me is not None:
            self.desk = Desk(session, client, session.me, self.preferences)
            self.desk.went.connect(lambda title: self.setWindowTitle(f"{title} · {TITLE}"))
            return self.desk
        return Splash(client, words, session.sign_out)
