"""The program of the guide, run as its readers would put it together."""

from __future__ import annotations

import contextlib
from typing import Any

from PySide6 import QtWidgets

from client.qt.stage import until
from helpers.documentation_pages import page
from helpers.documentation_programs import program_of
from synovia_protocol.arrays import ref_of

NOBODY = "ws://127.0.0.1:9"


def the_guide_runs() -> None:
    """Run each block after the other; the loop of events begins after the last, and there is no hub."""
    import numpy as np

    QtWidgets.QApplication.exec = lambda *_: 0  # type: ignore[method-assign]
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = program_of(page("docs/qt.md"))
    for block in blocks:
        code = block.code.replace("wss://motion.example.org", NOBODY).replace("ws://127.0.0.1:8000", NOBODY)
        with contextlib.suppress(SystemExit):
            exec(compile(code, f"docs/qt.md:{block.line}", "exec"), names)
    assert len(blocks) > 4
    client, kept = names["client"], names["kept"]
    knee = ref_of(np.arange(100.0))
    plot, live = names["plot_of"](knee, knee, 100.0), names["live_plot_of"]("x")
    assert [len(each.getPlotItem().items) for each in (plot, live)] == [2, 2]
    names["page"].show()
    assert not names["page"].isHidden()
    until(lambda: client.trouble and kept.trouble)
    client.close()
    kept.close()
