"""Scenes of QML; each is run in a process of its own under each binding."""

from __future__ import annotations

import importlib
import os
from typing import Any

from client.peer import PeerConnection
from client.qt.stage import connected, give, lead, until
from synovia_protocol.messages import Mutation
from synovia_qt import BINDING, LiveListModel
from synovia_qt.binding import QtCore

LIST = b"""
import QtQuick
ListView {
    width: 200; height: 200; model: rows
    property bool online: client.online
    property int rowCount: rows.count
    delegate: Text {
        required property string name
        required property string subject_side
        required property var row
        text: name + ", " + subject_side + ", " + row._id.length
    }
}
"""


def a_list() -> None:
    """Show rows by the roles of their fields, follow a change, and the client's properties."""
    os.environ["QT_QUICK_BACKEND"] = "software"
    QtQml: Any = importlib.import_module(f"{BINDING}.QtQml")
    QtQuick: Any = importlib.import_module(f"{BINDING}.QtQuick")
    first = [
        {"_id": f"{n:024x}", "name": name, "subject": {"side": side}}
        for n, (name, side) in enumerate([("a", "left"), ("b", "right")])
    ]

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=first)
        await connection.expect(Mutation)
        await lead(connection, 6, list=(first, [{**first[0], "name": "c"}, first[1]]))

    with connected() as (hub, client):
        hub.play(script)
        model = LiveListModel(client, "list", {}, ["name", "subject.side"])
        engine = QtQml.QQmlEngine()
        for name, value in (("rows", model), ("client", client)):
            engine.rootContext().setContextProperty(name, value)
        component = QtQml.QQmlComponent(engine)
        component.setData(LIST, QtCore.QUrl())
        view = component.create()
        assert view is not None, component.errors()
        window = QtQuick.QQuickWindow()
        view.setParentItem(window.contentItem())
        window.resize(200, 200)
        window.show()

        def texts() -> list[str]:
            shown = view.property("contentItem").childItems()
            return [text for each in shown if (text := each.property("text"))]

        until(lambda: texts() == ["a, left, 24", "b, right, 24"])
        assert (view.property("online"), view.property("rowCount")) == (True, 2)
        client.mutation("go on")
        until(lambda: texts() == ["c, left, 24", "b, right, 24"])
        view.setParentItem(None)
        view.deleteLater()
        window.close()
