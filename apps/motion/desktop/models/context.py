"""What every page is handed: the client, the people, notices, and how to go elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from motion.desktop.models.account_files import Preferences
from motion.desktop.models.outlines import Outlines
from motion.desktop.models.people import People
from motion.desktop.models.session import Session
from motion.desktop.words.errors import describe
from synovia_client import OptimisticUpdate
from synovia_qt import Call, SynoviaClient


class Notices(Protocol):
    """Short notices that go by themselves."""

    def say(self, text: str, action: tuple[str, Callable[[], object]] | None = None) -> None:
        """Tell that something is done; ``action`` is a word to press, and what it does."""

    def error(self, text: str) -> None:
        """Tell that something went wrong."""


class Navigator(Protocol):
    """Leads to the places of the desk."""

    def go(self, place: str, document: str | None = None) -> None:
        """Show a place, and a document there."""

    def ask_import(self) -> None:
        """Ask which files to import."""

    def show_recordings_of(self, user_id: str) -> None:
        """Show the recordings whose subject somebody is."""


@dataclass
class Context:
    """What every page is handed."""

    session: Session
    client: SynoviaClient
    people: People
    outlines: Outlines
    notices: Notices
    navigator: Navigator
    preferences: Preferences

    def mutate(
        self,
        path: str,
        args: dict[str, Any],
        done: str | None = None,
        *,
        expected: OptimisticUpdate | None = None,
        tells: bool = True,
    ) -> Call:
        """Run a mutation, however long there is no connection, and tell what becomes of it.

        Args:
            done: What is told when it has succeeded; by default nothing.
            expected: Shows what is expected of it at once.
            tells: Whether a refusal is told here; else by who connects to ``failed``.
        """
        call = self.client.mutation(path, args, optimistic_update=expected, timeout=None)
        if tells:
            call.failed.connect(lambda error: self.notices.error(describe(error)))
        if done is not None:
            call.succeeded.connect(lambda _: self.notices.say(done))
        return call
