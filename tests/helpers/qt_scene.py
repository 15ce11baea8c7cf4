"""A process that plays one scene: ``python -m helpers.qt_scene MODULE:FUNCTION``."""

from __future__ import annotations

import faulthandler
import importlib
import sys

from helpers.forked_commands import fork_template

if __name__ == "__main__":
    fork_template()  # before Qt is used, which starts threads
    faulthandler.enable()
    module, _, function = sys.argv[1].partition(":")
    getattr(importlib.import_module(module), function)()
