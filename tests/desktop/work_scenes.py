"""Scenes of the work in a measuring room: files, live sessions, sharing, the archive, no connection."""

from __future__ import annotations

import math
import os
import socket
import tempfile
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QWidget

from desktop.desk_scenes import recordings_of, titles
from desktop.stage import (
    ANNA,
    Hub,
    click,
    desk_of,
    find,
    running_hub,
    sign_in,
    turn,
    until,
    window_on,
    write,
)
from motion.desktop.dialogs.archive import ArchiveDialog
from motion.desktop.dialogs.close import CloseDialog
from motion.desktop.dialogs.import_files import ImportDialog
from motion.desktop.dialogs.live import FinishDialog, StartDialog
from motion.desktop.pages.contacts import ContactsPage
from motion.desktop.pages.invites import InvitesPage
from motion.desktop.pages.live import LivePage
from motion.desktop.pages.recording import RecordingView
from motion.desktop.pages.recordings import RecordingsPage
from motion.desktop.plot.live_plot import WINDOWS
from motion.desktop.widgets.buttons import Button
from motion.desktop.windows.desk import Desk
from motion.files import read_motion
from synovia_client import BlockingClient

JONAS = "jonas.weber@example.org"


def opened(desk: Desk, page: RecordingsPage, recording_id: str) -> RecordingView:
    """Open a recording, and give it when it is shown."""
    desk.go(page.place, recording_id)
    until(lambda: page.pane.view is not None and page.pane.view.recording["_id"] == recording_id, "the recording")
    assert page.pane.view is not None
    return page.pane.view


def settled(desk: Desk) -> None:
    """Wait until nothing waits for an answer."""
    until(lambda: desk.context.client.waiting == 0, "the answers")


def notes_and_tags() -> None:
    """Notes and tags are saved when their fields are left; Esc goes back; what others write comes in meanwhile."""
    with desk_of() as (hub, desk), hub.person(ANNA) as other:
        page = recordings_of(desk)
        row = page.live.rows[1]
        about = opened(desk, page, row["_id"]).about
        write(about.notes, "Better than last week")
        about.exercise.setFocus()
        until(lambda: "Better than last week" in titles(page))
        QTest.keyClicks(about.tags.input, "swelling, pain")
        QTest.keyClick(about.tags.input, Qt.Key.Key_Return)
        settled(desk)
        saved = other.query("recordings:get", {"recordingId": row["_id"]})
        assert (saved["notes"], saved["tags"]) == ("Better than last week", ["ACL", "brace off", "swelling", "pain"])
        write(about.exercise, "zz, not one of those offered")
        QTest.keyClick(about.exercise, Qt.Key.Key_Escape)
        assert about.exercise.text() == "walking"
        about.subject.choice.setCurrentIndex(about.subject.choice.findText("Ruth Okafor"))
        about.subject.choice.activated.emit(about.subject.choice.currentIndex())
        until(lambda: page.shown.people.subject_of(page.live.rows[1]) == "Ruth Okafor")
        settled(desk)


def a_draft_at_the_end() -> None:
    """What is being written when the program ends is saved, by the next start at the latest; the end may come twice."""
    with tempfile.TemporaryDirectory() as folder, running_hub() as hub:
        with window_on(hub, Path(folder)) as window:
            desk = sign_in(window, ANNA)
            page = recordings_of(desk)
            row = page.live.rows[0]
            write(opened(desk, page, row["_id"]).about.notes, "Not left yet")
            window.session.close()
            assert window.close()
        with window_on(hub, Path(folder)) as window:
            until(lambda: window.desk is not None, "the desk")
            client = window.session.client
            until(lambda: client is not None and client.unanswered == 0, "the answer")
        assert saved_notes(hub, row["_id"]) == "Not left yet"


def sharing() -> None:
    """A recording is shared with a contact, who sees it at once, and no longer when it is taken back."""
    with desk_of() as (hub, desk), hub.person(JONAS) as jonas:
        page = recordings_of(desk)
        row = page.live.rows[0]
        view = opened(desk, page, row["_id"])
        view.area.ensureWidgetVisible(view.sharing.add)
        click(view.sharing.add)
        click(find(view.sharing, Button, "Share with Jonas Weber"))
        settled(desk)
        shared = [each["_id"] for each in jonas.query("recordings:list_shared", {})]
        assert row["_id"] in shared
        click(find(view.sharing, Button, "Stop sharing with Jonas Weber"))
        settled(desk)
        shared = [each["_id"] for each in jonas.query("recordings:list_shared", {})]
        assert row["_id"] not in shared


def archiving() -> None:
    """A recording leaves the list for the archive with its reason, and comes back."""
    with desk_of() as (_, desk):
        page = recordings_of(desk)
        row = page.live.rows[0]
        view = opened(desk, page, row["_id"])
        click(view.archive)
        dialog = until(lambda: desk.window().findChildren(ArchiveDialog))[0]
        write(dialog.reason, "Sensor slipped")
        QTest.keyClick(dialog.reason, Qt.Key.Key_Return)
        until(lambda: page.shown.rowCount() == 8)
        until(lambda: "Archived." in desk.toasts.words, "the notice")
        archive = recordings_of(desk, "archive")
        assert [each["archiveReason"] for each in archive.live.rows] == ["Sensor slipped", "Sensor slipped on the left"]
        click(opened(desk, archive, row["_id"]).restore)
        until(lambda: archive.shown.rowCount() == 1)
        until(lambda: page.shown.rowCount() == 9)


def dropping_files() -> None:
    """A file that is dropped becomes a recording with its plot; a damaged one says why, and what may help."""
    with tempfile.TemporaryDirectory() as folder, desk_of() as (_, desk):
        page = recordings_of(desk)
        good, bad = Path(folder) / "evening walk.csv", Path(folder) / "columns.csv"
        angles = ((i / 100, 30 + 30 * math.sin(i / 16), 28 + 28 * math.sin(i / 16 + 3)) for i in range(1_500))
        good.write_text("time,knee_angle_l,knee_angle_r\n" + "\n".join(f"{t},{a:.4f},{b:.4f}" for t, a, b in angles))
        bad.write_text("a,b\n1,2\n2,3\n3,4\n")
        drop(desk, good)
        until(lambda: page.pane.view is not None, "the recording")
        assert page.pane.view is not None
        assert page.pane.view.recording["notes"] == "evening walk"
        assert page.pane.view.recording["sampleCount"] == 1_500
        plot = page.pane.view.plot
        until(lambda: plot.is_drawn, "the curves")
        drop(desk, bad)
        until(lambda: any(each.state == "failed" for each in desk.imports.all), "the refusal")
        refused = next(each for each in desk.imports.all if each.state == "failed")
        assert "columns" in refused.remedies
        assert refused.problem


def choosing_files() -> None:
    """Giving up a file dialog keeps what was chosen; an export gets its ending, and no file is replaced unasked."""
    with tempfile.TemporaryDirectory() as folder, desk_of() as (_, desk):
        table = Path(folder) / "walk.csv"
        table.write_text("time,knee_angle_l\n0,1\n0.1,2\n")
        desk.ask_import()
        dialog = until(lambda: desk.window().findChildren(ImportDialog))[0]
        click(dialog.choose)
        choose(dialog, table)
        until(lambda: dialog.paths == [table], "the file")
        click(dialog.choose)
        until(lambda: dialog.findChildren(QFileDialog), "the dialog")[0].reject()
        turn(20)
        assert (dialog.paths, dialog.submit.isEnabled()) == ([table], True)
        dialog.reject()
        page = recordings_of(desk)
        view = opened(desk, page, page.live.rows[0]["_id"])
        written = Path(folder) / "week 1.2.mot"
        for _ in range(2):
            view.ask_file(".mot")
            choose(desk.window(), written.with_suffix(""))
            until(lambda: any(written.name in each for each in desk.toasts.words), "the notice")
        until(lambda: f"{written.name} is there already. Choose another name." in desk.toasts.words, "the refusal")
        assert len(read_motion(written).knees) == 2


def choose(parent: QWidget, path: Path) -> None:
    """Choose a file in the dialog of a window, by its name."""
    dialog = until(lambda: parent.findChildren(QFileDialog), "the dialog")[0]
    dialog.findChildren(QLineEdit, "fileNameEdit")[0].setText(str(path))
    dialog.accept()


def drop(desk: Desk, path: Path) -> None:
    """Drop a file on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(QPoint(300, 300), copy, data, left, none)
    QApplication.sendEvent(desk, over)
    assert over.isAccepted()
    assert desk.drop_target.isVisible()
    QApplication.sendEvent(desk, QDropEvent(QPointF(300, 300), copy, data, left, none))
    assert not desk.drop_target.isVisible()


def live_recording() -> None:
    """A session of the simulated sensor is drawn as it grows, here and by others, and ends as a recording."""
    with desk_of() as (hub, desk), hub.person(ANNA) as other:
        desk.go("live")
        live = desk.pages["live"]
        assert isinstance(live, LivePage)
        live.start()
        dialog = until(lambda: desk.window().findChildren(StartDialog))[0]
        dialog.send()
        until(lambda: live.session is not None, "the session")
        session = live.session
        assert session is not None
        until(lambda: session.samples.end > 150, "samples")
        plot = session.plot
        assert plot is not None
        until(lambda: plot.extremes["left"] is not None and len(plot.curve("left")) > 100, "the curve")
        shorter, shown, longer = (find(plot, Button, f"{seconds} s") for seconds in WINDOWS)
        desk.window().activateWindow()
        until(desk.window().isActiveWindow, "the window")
        shown.setFocus()
        QTest.keyClick(shown, Qt.Key.Key_Right)
        assert (longer.hasFocus(), longer.isChecked(), plot.follow.window) == (True, True, 30.0)
        for button in (longer, shown):
            QTest.keyClick(button, Qt.Key.Key_Left)
        assert (shorter.hasFocus(), shorter.isChecked(), plot.follow.window) == (True, True, 5.0)
        assert [each["_id"] for each in other.query("live:list_running", {})] == [session.session_id]
        window = desk.window()
        assert not window.close(), "it closes while it measures"
        until(lambda: window.findChildren(CloseDialog))[0].reject()
        session.ask_finish()
        finish = until(lambda: desk.window().findChildren(FinishDialog))[0]
        write(finish.notes, "Measured live")
        finish.send()
        page = recordings_of(desk)
        until(lambda: titles(page)[0] == "Measured live")
        assert not live.is_measuring
        assert other.query("live:list_running", {}) == []
        assert page.live.rows[0]["sampleCount"] > 150


def measuring_from_a_program() -> None:
    """Lines from a program become the recording, number by number, and go on where a program that ended left off."""
    angles = [(round(30 + 30 * math.sin(i / 16), 3), round(28 - 28 * math.cos(i / 16), 3)) for i in range(500)]
    lines = "".join(f"{left},{right}\n" for left, right in angles).encode()
    with socket.create_server(("127.0.0.1", 0)) as server, desk_of() as (hub, desk), hub.person(ANNA) as other:
        os.environ["MOTION_SENSOR"] = f"127.0.0.1:{server.getsockname()[1]}"
        desk.go("live")
        live = desk.pages["live"]
        assert isinstance(live, LivePage)
        live.start()
        dialog = until(lambda: desk.window().findChildren(StartDialog))[0]
        dialog.sensor.setCurrentIndex(dialog.sensor.findData("lines"))
        dialog.send()
        until(lambda: live.session is not None, "the session")
        session = live.session
        assert session is not None
        sender, _ = server.accept()
        with sender:
            sender.sendall(b"".join(lines.splitlines(keepends=True)[:80]))
            until(lambda: session.samples.end == 80, "samples")
        until(lambda: not live.is_measuring, "the end of the program")
        assert "Measuring has ended. The sensor program has ended." in desk.toasts.words
        click(find(session, Button, "Continue measuring"))
        menu = until(lambda: session.findChildren(QMenu))[0]
        next(each for each in menu.actions() if each.text() == "Sensor program").trigger()
        sender, _ = server.accept()
        with sender:
            sender.sendall(lines.split(b"\n", 80)[-1])
            until(lambda: session.samples.end == len(angles), "all samples")
        until(lambda: not live.is_measuring, "the end of the program")
        session.ask_finish()
        until(lambda: desk.window().findChildren(FinishDialog))[0].send()
        page = recordings_of(desk)
        until(lambda: page.live.rows[0]["sampleCount"] == len(angles), "the recording")
        recording = other.query("recordings:get", {"recordingId": page.live.rows[0]["_id"]})
        saved = [other.array(recording[f"{side}Knee"]).tolist() for side in ("left", "right")]
        assert list(zip(*saved, strict=True)) == angles


def no_connection() -> None:
    """Without a hub the banner tells of it, an edit is shown and waits, and is sent when the hub is back."""
    with desk_of() as (hub, desk):
        page = recordings_of(desk)
        row = page.live.rows[0]
        view = opened(desk, page, row["_id"])
        hub.kill()
        until(desk.banner.isVisible, "the banner")
        write(view.about.notes, "Written without a connection")
        view.about.exercise.setFocus()
        until(lambda: titles(page)[0] == "Written without a connection")
        until(lambda: "1 change will be sent when it is back." in desk.banner.text)
        assert desk.context.client.unanswered == 1
        hub.start()
        until(lambda: tried_again(desk), "the connection")
        settled(desk)
        assert saved_notes(hub, row["_id"]) == "Written without a connection"


def tried_again(desk: Desk) -> bool:
    """Press the banner's button as long as it is there: left alone the client may wait for half a minute by now."""
    if desk.banner.isVisible():
        click(desk.banner.findChildren(Button)[0])
    return not desk.banner.isVisible()


def saved_notes(hub: Hub, recording_id: str) -> str:
    """Ask a fresh client what the notes are."""
    other: BlockingClient
    with hub.person(ANNA) as other:
        return str(other.query("recordings:get", {"recordingId": recording_id})["notes"])


def people() -> None:
    """Contacts and invitations are listed; somebody is invited, and what they answer is seen."""
    with desk_of() as (hub, desk):
        for place in ("contacts", "invites"):
            desk.go(place)
        contacts, invites = desk.pages["contacts"], desk.pages["invites"]
        assert isinstance(contacts, ContactsPage)
        assert isinstance(invites, InvitesPage)
        until(lambda: contacts.live.rowCount() == 5, "the contacts")
        desk.context.mutate("invites:create", {"email": "nils@example.org"}, "nils@example.org is asked.")
        until(lambda: "nils@example.org is asked." in desk.toasts.words)
        until(lambda: invites.sent.rows[0]["toEmail"] == "nils@example.org")
        with hub.person("nils@example.org") as nils:
            nils.mutation("users:register", {"role": "patient", "name": "Nils Berg"})
            waiting = nils.query("invites:list_received", {})
            nils.mutation("invites:accept_received", {"inviteId": waiting[0]["_id"]})
        until(lambda: contacts.live.rowCount() == 6)
        until(lambda: invites.sent.rows[0]["status"] == "accepted")
        turn(20)
