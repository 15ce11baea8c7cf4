"""What is looked for in a list: words, a person, tags; and in which order it stands."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from motion.desktop.models.filter import ORDERS, Filter, subjects_of, tags_of
from motion.desktop.models.recordings import ShownRecordings
from motion.desktop.widgets.buttons import Button, Item, show_menu
from motion.desktop.widgets.fields import Choice, SearchInput
from motion.desktop.widgets.layouts import emptied, row
from motion.desktop.widgets.texts import divider

MOST_TAGS = 12


class FilterBar(QWidget):
    """The fields above a list.

    Args:
        shown: The list.
    """

    def __init__(self, shown: ShownRecordings) -> None:
        super().__init__()
        self._shown = shown
        self.search = SearchInput("Search")
        self.subject = Choice(look="search")
        self.subject.setAccessibleName("Person")
        self.subject.setMaximumWidth(150)
        self.order = Button("Order", "icon", "sort", self._ask_order)
        self._chips = QHBoxLayout()
        self._chips.setContentsMargins(18, 0, 18, 2)
        self._chips.setSpacing(6)
        self._strip = _strip(self._chips)
        self._drawn: tuple[object, ...] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(9)
        layout.addLayout(row(self.search, self.subject, self.order, spacing=6, margins=(18, 0, 12, 0)))
        layout.addWidget(self._strip)
        layout.addWidget(divider())
        self.search.textChanged.connect(lambda words: self._set(replace(shown.filter, text=words)))
        self.subject.chosen.connect(lambda key: self._set(replace(shown.filter, subject=key or None)))
        shown.shownChanged.connect(self.refresh)
        shown.live.countChanged.connect(self.refresh)
        self.refresh()

    def show_all(self) -> None:
        """Look for nothing in particular."""
        self.search.clear()
        self._set(Filter())

    def show_subject(self, key: str) -> None:
        """Look for the recordings of one person."""
        self.search.clear()
        self._set(Filter(subject=key))

    def _set(self, wanted: Filter) -> None:
        self._shown.set_filter(wanted)
        self.refresh()

    def _ask_order(self) -> None:
        now = self._shown.order
        items = [
            Item(words, "check" if order == now else "blank", lambda order=order: self._shown.set_order(order))  # type: ignore[misc]
            for order, (words, _) in ORDERS.items()
        ]
        show_menu(items, self.order)

    def refresh(self) -> None:
        """Offer the people and tags that there are now."""
        rows, wanted = self._shown.live.rows, self._shown.filter
        subjects = subjects_of(rows, self._shown.people, wanted.subject)
        self.subject.set_options([("", "Everybody"), *subjects], wanted.subject or "")
        self.subject.setVisible(len(subjects) > 1 or wanted.subject is not None)
        tags = tags_of(rows)[:MOST_TAGS]
        drawn = (tuple(tags), wanted.tags, wanted.is_empty)
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw_chips(tags)

    def _draw_chips(self, tags: list[str]) -> None:
        emptied(self._chips)
        for tag in tags:
            chip = Button(tag, "chip")
            chip.setCheckable(True)
            chip.setChecked(tag in self._shown.filter.tags)
            chip.clicked.connect(lambda _=False, tag=tag: self._toggle(tag))
            self._chips.addWidget(chip)
        if not self._shown.filter.is_empty:
            self._chips.addWidget(Button("Clear", "plain", run=self.show_all))
        self._chips.addStretch(1)
        self._strip.setVisible(bool(tags) or not self._shown.filter.is_empty)

    def _toggle(self, tag: str) -> None:
        chosen = self._shown.filter.tags
        tags = tuple(each for each in chosen if each != tag) if tag in chosen else (*chosen, tag)
        self._set(replace(self._shown.filter, tags=tags))


class _Sideways(QObject):
    """Turns the wheel into scrolling sideways."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Scroll."""
        area = self.parent()
        if event.type() == QEvent.Type.Wheel and isinstance(event, QWheelEvent) and isinstance(area, QScrollArea):
            bar, turned = area.horizontalScrollBar(), event.angleDelta()
            bar.setValue(bar.value() - (turned.x() or turned.y()) // 2)
            return True
        return False


def _strip(chips: QHBoxLayout) -> QScrollArea:
    inside = QWidget()
    inside.setLayout(chips)
    strip = QScrollArea()
    strip.setWidget(inside)
    strip.setWidgetResizable(True)
    strip.setFrameShape(QFrame.Shape.NoFrame)
    strip.setFixedHeight(28)
    strip.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    strip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    strip.viewport().installEventFilter(_Sideways(strip))
    return strip
