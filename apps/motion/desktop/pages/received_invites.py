"""Invitations to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import column, emptied, holder, row
from motion.desktop.widgets.texts import Disc, ElidedLabel, divider
from motion.desktop.words.naming import Row
from motion.desktop.words.times import from_now, now_ms

Answer = Callable[[str, dict[str, Any], str], object]


class ReceivedInvites(QFrame):
    """Each with the two answers to it.

    Args:
        answer: Called with the mutation, its arguments, and what is told when it is done.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.setObjectName("rows")
        self._answer = answer
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)

    def show_invites(self, invites: list[Row]) -> None:
        """Show these."""
        emptied(self._rows)
        for number, invite in enumerate(invites):
            if number:
                self._rows.addWidget(divider())
            self._rows.addWidget(self._row(invite))

    def _row(self, invite: Row) -> QWidget:
        args, name = {"inviteId": invite["_id"]}, str(invite["fromName"])
        expires = from_now(invite["expiresAt"], now_ms())
        words = column(
            None, ElidedLabel(name, "strong"), ElidedLabel(f"{invite['fromEmail']} · expires {expires}", "small"), None,
            spacing=0,
        )  # fmt: skip
        no = Button("Decline", "quiet", run=lambda: self._answer("invites:decline", args, "Declined."))
        no.setAccessibleName(f"Decline {name}")
        yes = Button(
            "Accept",
            "primary",
            run=lambda: self._answer("invites:accept_received", args, "You are contacts now."),
        )
        yes.setAccessibleName(f"Accept {name}")
        inside = row(Disc(name, 40), words, no, yes, spacing=12, margins=(14, 12, 14, 12))
        inside.setStretch(1, 1)
        return holder(inside)
