"""Invitations: those to answer, and those that one has sent."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.dialogs.invite import InviteDialog
from motion.desktop.models.context import Context
from motion.desktop.pages.received_invites import ReceivedInvites
from motion.desktop.widgets.buttons import Button, Item, menu_of
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.page import Page
from motion.desktop.widgets.row_list import Look, RowList
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.widgets.texts import Tone, text
from motion.desktop.words.naming import Row
from motion.desktop.words.times import from_now, now_ms
from synovia_qt import LiveListModel

STATES: dict[str, tuple[str, Tone]] = {
    "pending": ("Waiting", "accent"),
    "accepted": ("Accepted", "good"),
    "expired": ("Expired", "warn"),
    "withdrawn": ("Withdrawn", "neutral"),
    "declined": ("Declined", "neutral"),
}


class InvitesPage(Page):
    """What waits for an answer, on both sides."""

    def __init__(self, context: Context) -> None:
        super().__init__("Invitations", "Contacts are mutual: one asks, the other accepts.")
        self._context = context
        self._can_mail = not context.people.is_patient
        client = context.client
        self.sent = LiveListModel(client, "invites:list_sent", {}, ["toEmail"], parent=self)
        self.received = LiveListModel(client, "invites:list_received", {}, ["fromName"], parent=self)
        self.to_answer = ReceivedInvites(lambda path, args, done: context.mutate(path, args, done))
        self.list = RowList(self.sent, self._look, "Sent invitations")
        self.list.asked.connect(self._ask)
        self.buttons.addWidget(self._create())
        self._build()
        for model in (self.sent, self.received):
            model.loadedChanged.connect(self._show)
            model.countChanged.connect(self._show)
        self._show()

    def _build(self) -> None:
        self._answer_title, self._sent_title = text("To answer", "section"), text("Sent", "section")
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self._answer_title)
        layout.addWidget(self.to_answer)
        layout.addSpacing(8)
        layout.addWidget(self._sent_title)
        layout.addWidget(self.list)
        layout.addStretch(1)
        self._there = self.add_state(inside)
        self._loading = self.add_state(Skeleton(4))
        words = "Invite a patient or a colleague by e-mail to share recordings with them."
        words = words if self._can_mail else "Invitations to you appear here."
        self._empty = self.add_state(Empty("mail", "No invitations", words, row(None, self._create(), None)))

    def _create(self) -> Button:
        words = "Invite somebody" if self._can_mail else "Ask somebody"
        return Button(words, "primary", "mail", lambda: InviteDialog(self.window(), self._context).open())

    def _show(self) -> None:
        sent, received = self.sent.rowCount(), self.received.rowCount()
        self.to_answer.show_invites(list(self.received.rows))
        shown: tuple[tuple[QWidget, int], ...] = (
            (self._answer_title, received),
            (self.to_answer, received),
            (self._sent_title, sent),
            (self.list, sent),
        )
        for widget, there in shown:
            widget.setVisible(there > 0)
        if sent or received:
            self.show_state(self._there)
        else:
            self.show_state(self._empty if self.sent.loaded and self.received.loaded else self._loading)

    def _look(self, invite: Row) -> Look:
        alias, email, now = invite.get("alias"), str(invite["toEmail"]), now_ms()
        times = f", {invite['timesSent']} times" if invite["timesSent"] > 1 else ""
        sent = f"sent {from_now(invite['sentAt'], now)}{times}" if invite.get("sentAt") else "waits until they sign in"
        expires = f" · expires {from_now(invite['expiresAt'], now)}" if invite["status"] == "pending" else ""
        known_as = f"{email} · " if alias else ""
        return Look(
            str(alias or email),
            f"{known_as}{sent}{expires}",
            STATES[invite["status"]],
            has_menu=bool(self._items(invite)),
        )

    def _items(self, invite: Row) -> list[Item]:
        context, args, email = self._context, {"inviteId": invite["_id"]}, invite["toEmail"]
        again = Item("Send again", "send", lambda: context.mutate("invites:resend", args, f"Sent again to {email}."))
        back = Item("Withdraw", "close", lambda: context.mutate("invites:withdraw", args, "Withdrawn."), True)
        can_send = [again] if self._can_mail else []
        return {"pending": [*can_send, back], "expired": can_send}.get(str(invite["status"]), [])

    def _ask(self, invite: Row, where: QPoint) -> None:
        menu_of(self._items(invite), self).popup(where)
