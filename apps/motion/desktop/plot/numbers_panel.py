"""The numbers below a plot: one card a knee, and one that compares them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from motion.desktop.plot.numbers import NOTABLE, Extremes, KneeNumbers, knee_numbers, symmetry
from motion.desktop.style.theme import theme
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.texts import text
from motion.desktop.words.times import degrees

GAP, CARD_WIDTH = 12, 196
"""Between cards, and what one needs: where there is less room, they stand one below the other."""


class Bar(QWidget):
    """How much of something there is."""

    def __init__(self, ink: str) -> None:
        super().__init__()
        self._ink, self._part = ink, 0.0
        self.setFixedHeight(4)
        theme().changed.connect(self.update)

    def show_part(self, part: float, ink: str) -> None:
        """Show a part of 1."""
        self._part, self._ink = part, ink
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().palette.colour("hover"))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        if self._part > 0:
            painter.setBrush(theme().palette.colour(self._ink))
            painter.drawRoundedRect(QRectF(0, 0, self.width() * min(1.0, self._part), 4), 2, 2)


class NumberCard(QFrame):
    """A large number, and two smaller ones."""

    def __init__(self, title: str, unit: str, facts: tuple[str, str], ink: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self._ink = ink
        self.scope = text("", "hint")
        self._big = text("–", "big")
        self._bar = Bar(ink)
        self._values = [text("–"), text("–")]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(2)
        layout.addLayout(row(text(title, "label"), None, self.scope))
        unit_label = text(unit, "hint")
        unit_label.setAlignment(Qt.AlignmentFlag.AlignBottom)
        unit_label.setContentsMargins(0, 0, 0, 6)
        layout.addLayout(row(self._big, unit_label, None, spacing=7))
        layout.addWidget(self._bar)
        layout.addSpacing(8)
        for name, value in zip(facts, self._values, strict=True):
            layout.addLayout(row(_small(name), None, value))
        for value in self._values:
            value.setStyleSheet("font-size: 13px;")

    @property
    def big(self) -> str:
        """The large number."""
        return self._big.text()

    def show_numbers(self, big: str, part: float, first: str, second: str, ink: str | None = None) -> None:
        """Show other numbers."""
        self._big.setText(big)
        self._bar.show_part(part, ink or self._ink)
        for label, value in zip(self._values, (first, second), strict=True):
            label.setText(value)


def _small(words: str) -> QLabel:
    label = text(words, "small")
    label.setMinimumWidth(10)
    return label


class NumbersPanel(QWidget):
    """The range of motion of the knees that were measured.

    Args:
        sides: Those; one alone is compared with nothing.
    """

    def __init__(self, sides: list[str]) -> None:
        super().__init__()
        facts = ("Max. flexion", "Max. extension")
        self.cards = {side: NumberCard(f"{side.title()} knee", "range of motion", facts, side) for side in sides}
        self._both = NumberCard(
            "Symmetry", "of the better knee", ("Flexion differs by", "Extension differs by"), "accent"
        )
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self._shown = [*self.cards.values(), *([self._both] if len(sides) > 1 else [])]
        self._both.setParent(self)  # hidden, unless it is placed
        self._place()

    def _place(self) -> None:
        """Put the cards side by side, or one below the other."""
        fits = self.width() >= len(self._shown) * (CARD_WIDTH + GAP) - GAP
        for number, card in enumerate(self._shown):
            self._grid.addWidget(card, *((0, number) if fits else (number, 0)))
            self._grid.setColumnStretch(number, 1 if fits or number == 0 else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See how many cards fit into a line."""
        super().resizeEvent(event)
        self._place()

    def minimumSizeHint(self) -> QSize:
        """Need the width of one card only."""
        return QSize(CARD_WIDTH, super().minimumSizeHint().height())

    @property
    def scope(self) -> str:
        """What the numbers are of."""
        return self._both.scope.text()

    def show_extremes(self, extremes: dict[str, Extremes | None], sign: int, scope: str) -> None:
        """Show the numbers of what is shown; ``scope`` says what that is."""
        numbers = {side: knee_numbers(each, sign) for side, each in extremes.items() if each is not None}
        widest = max((each.range for each in numbers.values()), default=0.0)
        for side, card in self.cards.items():
            _show_knee(card, numbers.get(side), widest)
        self._both.scope.setText(scope)
        left, right = numbers.get("left"), numbers.get("right")
        if left is None or right is None:
            self._both.show_numbers("–", 0.0, "–", "–")
            return
        alike = symmetry(left, right)
        self._both.show_numbers(
            "–" if alike is None else f"{alike:.0%}".replace("%", " %"),
            alike or 0.0,
            degrees(abs(left.flexion - right.flexion)),
            degrees(abs(left.extension - right.extension)),
            "warn" if alike is not None and alike < NOTABLE else "accent",
        )


def _show_knee(card: NumberCard, numbers: KneeNumbers | None, widest: float) -> None:
    if numbers is None:
        card.show_numbers("–", 0.0, "–", "–")
        return
    part = numbers.range / widest if widest else 0.0
    card.show_numbers(degrees(numbers.range), part, degrees(numbers.flexion), degrees(numbers.extension))
