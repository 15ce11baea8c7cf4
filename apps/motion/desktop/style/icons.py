"""The icons: 24 units square, drawn with the pen of the text around them; the same paths as the page's."""

from __future__ import annotations

import functools
from importlib.resources import files

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

PATHS = {
    "blank": "M0 0",
    "activity": "M3 12h4l3-8 4 16 3-8h4",
    "alert": "M12 3.5 2.5 20h19L12 3.5ZM12 10v4.5M12 17.4v.1",
    "archive": "M3.5 4.5h17v4h-17zM5 8.5V19.5h14V8.5M10 12.5h4",
    "back": "M15 5l-7 7 7 7",
    "check": "M4.5 12.5l5 5 10-11",
    "chevron": "M9 5l7 7-7 7",
    "close": "M6 6l12 12M18 6 6 18",
    "contacts": (
        "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.4-3.4 3-5.5 6.5-5.5s6.1 2.1 6.5 5.5"
        "M16 4.8a3.4 3.4 0 0 1 0 6.4M18 14.6c2 .8 3.2 2.5 3.5 4.9"
    ),
    "download": "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 19.5h15",
    "edit": "M4.5 19.5l.9-4L16 4.9a1.9 1.9 0 0 1 2.7 0l.4.4a1.9 1.9 0 0 1 0 2.7L8.5 18.6l-4 .9ZM14 7l3 3",
    "expand": "M9 4.5H4.5V9M15 4.5h4.5V9M9 19.5H4.5V15M15 19.5h4.5V15",
    "eye": (
        "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z"
        "M12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z"
    ),
    "help": "M9.3 9.2a2.8 2.8 0 1 1 4 2.6c-.9.5-1.3 1-1.3 2.2M12 17.4v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
    "live": (
        "M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM7 17a7 7 0 0 1 0-10M17 7a7 7 0 0 1 0 10"
        "M4.2 19.8a11 11 0 0 1 0-15.6M19.8 4.2a11 11 0 0 1 0 15.6"
    ),
    "mail": "M3.5 5.5h17v13h-17zM4 6.5l8 6.5 8-6.5",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "minus": "M5 12h14",
    "moon": "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
    "more": (
        "M4.75 12a.75 .75 0 1 0 1.5 0a.75 .75 0 1 0-1.5 0"
        "M11.25 12a.75 .75 0 1 0 1.5 0a.75 .75 0 1 0-1.5 0"
        "M17.75 12a.75 .75 0 1 0 1.5 0a.75 .75 0 1 0-1.5 0"
    ),
    "person": "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.5-4 3.5-6.3 7.5-6.3s7 2.3 7.5 6.3",
    "plus": "M12 5v14M5 12h14",
    "restore": "M4 5v5h5M4.6 10A8 8 0 1 1 4 13.5",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5l5 5",
    "send": "M20.5 3.5 3.5 10.3l7 3.2 3.2 7 6.8-17ZM10.5 13.5l4-4",
    "share": (
        "M17.5 8.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z"
        "M6.5 14.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z"
        "M17.5 20.9a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4ZM8.9 10.7l6.2-3.4M8.9 13.3l6.2 3.5"
    ),
    "shield": "M12 3l7.5 2.8v5.7c0 4.5-3 7.9-7.5 9.5-4.5-1.6-7.5-5-7.5-9.5V5.8L12 3ZM8.8 12l2.3 2.3 4.2-4.5",
    "sign_out": "M14 4.5H5.5v15H14M10.5 12h10M17 8.5l3.5 3.5-3.5 3.5",
    "statistics": "M4 20h16M6.5 16.5v-5M12 16.5v-11M17.5 16.5v-8",
    "sun": (
        "M12 16.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2"
        "M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"
    ),
    "tag": "M3.5 12.3V3.5h8.8l8.2 8.2-8.8 8.8-8.2-8.2ZM8 8h.01",
    "trash": "M4.5 6.5h15M9.5 6.5v-3h5v3M6.5 6.5l.8 14h9.4l.8-14M10.3 10.5v6M13.7 10.5v6",
    "upload": "M12 16V4.5M7.5 9 12 4.5 16.5 9M4.5 19.5h15",
    "wifi_off": (
        "M3 3l18 18M5 12.5a10 10 0 0 1 4.5-2.6M2 9a14.5 14.5 0 0 1 5-3.1M12.5 6a14.5 14.5 0 0 1 9.5 3"
        "M15.5 10.4A10 10 0 0 1 19 12.5M8.5 16a5 5 0 0 1 5-1.2M12 19.5h.01"
    ),
    "sort": "M7 5v14M3.5 15.5 7 19l3.5-3.5M13 7h7.5M13 12h5.5M13 17h3.5",
}
_SCALES = (1, 2, 3)

MARK = files("motion.desktop.style").joinpath("mark.svg").read_bytes


@functools.lru_cache(maxsize=512)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{PATHS[name]}" fill="none" '
        f'stroke="{colour}" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )
    return QSvgRenderer(QByteArray(text.encode()))


def paint_icon(painter: QPainter, name: str, rect: QRectF, colour: QColor) -> None:
    """Draw an icon into a rectangle."""
    _renderer(name, colour.name()).render(painter, rect)


@functools.lru_cache(maxsize=512)
def icon(name: str, colour: str, size: int = 18) -> QIcon:
    """Make an icon of a colour, sharp on every screen."""
    return _icon_of(_renderer(name, QColor(colour).name()), size)


@functools.cache
def mark_icon() -> QIcon:
    """Give the mark of the product as an icon of windows."""
    made = QIcon()
    for size in (16, 32, 48, 64, 128, 256):
        made.addPixmap(_pixmap(_mark(), QSize(size, size), 1))
    return made


def paint_mark(painter: QPainter, rect: QRectF) -> None:
    """Draw the mark of the product."""
    _mark().render(painter, rect)


@functools.cache
def _mark() -> QSvgRenderer:
    return QSvgRenderer(QByteArray(MARK()))


def _icon_of(renderer: QSvgRenderer, size: int) -> QIcon:
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(_pixmap(renderer, QSize(size, size), scale))
    return made


def _pixmap(renderer: QSvgRenderer, size: QSize, scale: int) -> QPixmap:
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(QPointF(0, 0), size.toSizeF()))
    painter.end()
    return pixmap
