"""Scenes of the desk: signing in, lists that follow others, editing; each is run in a process of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from desktop.stage import ANNA, desk_of, find, running_hub, sign_in, turn, until, window_on, write
from motion.desktop.pages.recordings import RecordingsPage
from motion.desktop.program import APPEARANCES, application
from motion.desktop.style.theme import theme
from motion.desktop.widgets.buttons import Button, Kind
from motion.desktop.windows.desk import Desk
from motion.desktop.words.naming import title_of

FILLED: tuple[Kind, ...] = ("primary", "danger")


def recordings_of(desk: Desk, place: str = "recordings") -> RecordingsPage:
    """Go to a list, and wait for it."""
    desk.go(place)
    page = desk.pages[place]
    assert isinstance(page, RecordingsPage)
    until(lambda: page.live.loaded, "the list")
    return page


def titles(page: RecordingsPage) -> list[str]:
    """List the titles that are shown."""
    return [title_of(page.shown.row(page.shown.index(row, 0))) for row in range(page.shown.rowCount())]


def signing_in() -> None:
    """Sign in by name, see the seeded recordings, be signed in at the next start, and sign out."""
    with tempfile.TemporaryDirectory() as folder, running_hub() as hub:
        with window_on(hub, Path(folder)) as window:
            desk = sign_in(window, ANNA)
            page = recordings_of(desk)
            assert titles(page)[:2] == ["Week 6: even at last", "First gait after the brace"]
            assert (page.shown.rowCount(), window.windowTitle()) == (9, "Recordings · Motion Desk")
            assert page.shown.heading(page.shown.index(0, 0)) in ("Today", "Yesterday")
            window.resize(700, 600)
        with window_on(hub, Path(folder)) as window:
            assert window.sign_in is None, "the program asks again who one is"
            assert (window.width(), window.height()) == (700, 600)
            until(lambda: window.desk is not None, "the desk")
            window.session.sign_out()
            assert window.sign_in is not None
            turn(200)
        with window_on(hub, Path(folder)) as window:
            card = window.sign_in
            assert card is not None
            until(lambda: card.email.isVisible(), "the ways to sign in")
            write(card.email, "not@an@address@")
            card.send()
            until(lambda: card.problem, "the refusal")
            assert window.desk is None


def a_newcomer() -> None:
    """Who is new is asked what they are, and comes to an empty desk."""
    with running_hub(seeded=False) as hub, window_on(hub) as window:
        card = window.sign_in
        assert card is not None
        until(lambda: card.email.isVisible(), "the ways to sign in")
        write(card.email, "new@example.org")
        card.send()
        until(lambda: window.welcome is not None, "the question")
        welcome = window.welcome
        assert welcome is not None
        welcome.send()
        assert "Choose" in welcome.problem
        welcome.choose("physiotherapist")
        write(welcome.name, "Nora New")
        welcome.send()
        until(lambda: window.desk is not None, "the desk")
        assert window.desk is not None
        page = recordings_of(window.desk)
        assert page.state == "empty"
        assert window.desk.people.me["name"] == "Nora New"


def changes_of_others() -> None:
    """What another client saves and changes appears, and the recording that is open follows it."""
    with desk_of() as (hub, desk), hub.person(ANNA) as other:
        page = recordings_of(desk)
        row = page.live.rows[3]
        desk.go("recordings", row["_id"])
        until(lambda: page.pane.view is not None)
        assert page.pane.view is not None
        other.mutation("recordings:update", {"recordingId": row["_id"], "notes": "Changed elsewhere", "tags": ["new"]})
        until(lambda: "Changed elsewhere" in titles(page))
        view = page.pane.view
        until(lambda: view.about.notes.toPlainText() == "Changed elsewhere")
        assert view.about.tags.tags == ["new"]
        before = page.shown.rowCount()
        other.mutation("recordings:archive", {"recordingId": page.live.rows[0]["_id"]})
        until(lambda: page.shown.rowCount() == before - 1)


def renaming_in_the_list() -> None:
    """A title is edited in the list: shown at once, saved; a refused one is taken back, and told."""
    with desk_of() as (hub, desk), hub.person(ANNA) as other:
        page = recordings_of(desk)
        index = page.shown.index(0, 0)
        row = page.shown.row(index)
        page.list.setCurrentIndex(index)
        page.list.edit(index)
        editor = find(page.list, QLineEdit, "Title")
        assert editor.text() == "Week 6: even at last"
        write(editor, "Week 6, renamed")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert until(lambda: titles(page)[0] == "Week 6, renamed")
        until(lambda: desk.context.client.waiting == 0, "the answer")
        notes = other.query("recordings:get", {"recordingId": row["_id"]})["notes"]
        assert notes == "Week 6, renamed\nNo pain on stairs."
        page.shown.setData(page.shown.index(0, 0), "x" * 10_001)
        until(lambda: desk.toasts.words, "the notice")
        assert desk.toasts.words[0].startswith("The title was not changed.")
        assert titles(page)[0] == "Week 6, renamed"


def what_cannot_be_pressed() -> None:
    """A button of any kind that is filled looks another way while it is disabled, light and dark."""
    application()
    for appearance in APPEARANCES:
        theme().choose(appearance)
        for kind in FILLED:
            button = Button("Delete my account", kind)
            filled = ground_of(button)
            button.setEnabled(False)
            assert ground_of(button) != filled, (appearance, kind)


def ground_of(button: Button) -> int:
    """Give the colour beside a button's text."""
    return button.grab().toImage().pixel(6, button.sizeHint().height() // 2)


def by_keys_alone() -> None:
    """Arrows go through the list from the start; whatever Tab comes to can be seen to have the focus."""
    with desk_of() as (_, desk):
        assert desk.hasFocus(), "a button has a ring that nobody asked for"
        page = recordings_of(desk)
        QTest.keyClick(desk, Qt.Key.Key_Down)
        until(lambda: page.pane.recording_id == page.live.rows[0]["_id"], "the first recording")
        view = until(lambda: page.pane.view, "the recording")
        assert view is not None
        stops: list[QWidget] = []
        while (stop := desk.window().focusWidget()) not in stops:
            stops.append(stop)
            QTest.keyClick(stop, Qt.Key.Key_Tab)
        assert {view.export, view.plot.plot, view.about.notes, page.list} <= set(stops)
        assert not [stop for stop in stops if isinstance(stop, QScrollArea)]
        view.export.setFocus()
        QTest.keyClick(view.export, Qt.Key.Key_PageDown)
        assert view.area.verticalScrollBar().value() > 0


def searching() -> None:
    """Words, tags and people narrow a list; the order is another if one is chosen; what is not there is said."""
    with desk_of() as (_, desk):
        page = recordings_of(desk)
        bar = page.filter_bar
        write(bar.search, "week post")
        until(lambda: page.shown.rowCount() == 3)
        bar.show_all()
        bar.search.setText("nowhere to be found")
        assert page.state == "nothing found"
        bar.show_all()
        assert page.shown.rowCount() == 9
        page.shown.set_order("longest")
        assert titles(page)[0] == "One hour of daily life"
        page.shown.set_order("title")
        assert titles(page) == sorted(titles(page), key=str.casefold)
        page.shown.set_order("newest")
        assert titles(page)[0] == "Week 6: even at last"
        key = page.live.rows[0]["subjectId"]
        desk.show_recordings_of(key)
        assert {row["subjectId"] for row in (page.shown.row(page.shown.index(n, 0)) for n in range(3))} == {key}


def plots() -> None:
    """A recording is drawn, zooming asks for finer numbers, and keys move."""
    with desk_of() as (_, desk):
        page = recordings_of(desk)
        desk.go("recordings", page.live.rows[1]["_id"])
        until(lambda: page.pane.view is not None)
        assert page.pane.view is not None
        plot = page.pane.view.plot
        until(lambda: plot.is_drawn, "the curves")
        assert desk.window().isActiveWindow(), "some part of it was a window of its own for a moment"
        whole = plot.numbers.cards["left"].big
        assert whole.endswith("°")
        plot.plot.setFocus()
        QTest.keyClick(plot.plot, Qt.Key.Key_Plus)
        assert plot.view.span < plot.span.whole.span
        until(lambda: plot.numbers.scope == "in view", "the numbers of the view")
        QTest.keyClick(plot.plot, Qt.Key.Key_0)
        until(lambda: plot.numbers.scope == "whole recording")
        assert plot.numbers.cards["left"].big == whole
