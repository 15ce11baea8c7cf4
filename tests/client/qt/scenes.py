"""Running scenes under each binding: see ``helpers.qt_scenes``."""

from helpers.qt_scenes import BINDINGS, play

__all__ = ["BINDINGS", "play"]
