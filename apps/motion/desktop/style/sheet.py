"""The sheet that Qt's own widgets follow."""

from __future__ import annotations

from string import Template

from motion.desktop.style.palette import Palette

_SHEET = Template("""
* { outline: none; }
QWidget { color: $ink; }
QToolTip { background: $toast; color: $toast_ink; border: 0; padding: 4px 8px; }
QMainWindow, #stage, #main, QStackedWidget { background: $surface; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: 0; }
QDialog { background: $raised; }

#sidebar { background: $ground; border: 0; border-right: 1px solid $line; }
#listPane { background: $surface; border-right: 1px solid $line; }
#detailPane, #detailPane > QWidget { background: $sunken; }
QFrame#card { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame#rows, QListView#rows { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame#divider { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QFrame#panel { background: $raised; border: 1px solid $line_strong; border-radius: 10px; }

QLabel[role="heading"] { font-size: 22px; font-weight: 600; }
QLabel[role="title"] { font-size: 20px; font-weight: 600; }
QLabel[role="section"] { font-size: 14px; font-weight: 600; }
QLabel[role="label"] { color: $ink_2; font-size: 13px; font-weight: 600; }
QLabel[role="group"] { color: $ink_3; font-size: 12px; font-weight: 600; }
QLabel[role="muted"] { color: $ink_3; }
QLabel[role="hint"] { color: $ink_3; font-size: 12px; }
QLabel[role="problem"] { color: $bad; font-size: 13px; }
QLabel[role="lead"] { color: $ink_3; font-size: 15px; }
QLabel[role="big"] { font-size: 27px; font-weight: 600; }
QLabel[role="hero"] { font-size: 28px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="small"] { color: $ink_3; font-size: 13px; }
QLabel[role="note"] { background: $warn_soft; color: $warn; border-radius: 7px; padding: 9px 14px; font-size: 13px; }
QLabel[role="key"] { background: $sunken; color: $ink_2; border: 1px solid $line_strong; border-bottom-width: 2px;
  border-radius: 5px; padding: 1px 6px; font-size: 12px; }
QLabel[tone] { border-radius: 8px; padding: 2px 9px; font-size: 12px; font-weight: 600; }
QLabel[tone="neutral"] { background: $hover; color: $ink_2; }
QLabel[tone="accent"] { background: $accent_soft; color: $accent_strong; }
QLabel[tone="good"] { background: $good_soft; color: $good; }
QLabel[tone="warn"] { background: $warn_soft; color: $warn; }
QLabel[tone="bad"] { background: $bad_soft; color: $bad; }
QLabel[tone="count"] { background: $accent; color: $accent_ink; padding: 1px 6px; border-radius: 7px; }
QLabel[tone="live"] { background: $bad; color: $surface; padding: 1px 6px; border-radius: 7px; }

QPushButton { min-height: 34px; padding: 0 14px; border: 1px solid transparent; border-radius: 7px; font-weight: 600; }
QPushButton[kind="primary"] { background: $accent; color: $accent_ink; border-color: $accent; }
QPushButton[kind="primary"]:hover { background: $accent_strong; border-color: $accent_strong; }
QPushButton[kind="quiet"] { background: $surface; border-color: $line_strong; }
QPushButton[kind="quiet"]:hover { background: $sunken; border-color: $ink_3; }
QPushButton[kind="plain"] { background: transparent; color: $accent; padding: 0 3px; min-height: 26px; }
QPushButton[kind="plain"]:hover { text-decoration: underline; }
QPushButton[kind="danger"] { background: $bad; color: $surface; border-color: $bad; }
QPushButton[kind="icon"] { background: transparent; padding: 0; min-width: 32px; max-width: 32px; min-height: 32px;
  max-height: 32px; }
QPushButton[kind="icon"]:hover, QPushButton[kind="icon"]:checked { background: $hover; }
QPushButton[kind="place"] { background: transparent; color: $ink_2; text-align: left; padding: 0 10px; min-height: 34px; }
QPushButton[kind="place"]:hover { background: $hover; }
QPushButton[kind="place"]:checked { background: $surface; color: $accent_strong; border-color: $line; }
QPushButton[kind="account"] { background: transparent; border-radius: 10px; padding: 0; min-height: 48px; }
QPushButton[kind="account"]:hover { background: $hover; }
QPushButton[kind="banner"] { background: transparent; color: $warn; border-color: $warn; min-height: 28px; padding: 0 12px; }
QPushButton[kind="chip"] { background: transparent; color: $ink_2; border: 1px solid $line_strong; border-radius: 12px;
  min-height: 22px; max-height: 22px; padding: 0 10px; font-size: 12px; font-weight: 400; }
QPushButton[kind="chip"]:hover { border-color: $ink_3; }
QPushButton[kind="chip"]:checked { background: $accent_soft; color: $accent_strong; border-color: $accent;
  font-weight: 600; }
QPushButton[kind="segment"] { background: transparent; color: $ink_2; border-radius: 6px; min-height: 26px;
  padding: 0 12px; font-size: 13px; }
QPushButton[kind="segment"]:checked { background: $raised; color: $ink; border-color: $line; }
QFrame#segmented { background: $hover; border-radius: 9px; border: 0; }
QPushButton[kind="toast"] { background: transparent; color: $toast_ink; text-decoration: underline; padding: 0 6px;
  min-height: 26px; }
QPushButton:focus { border: 2px solid $accent; }
QPushButton[kind="primary"]:focus { border: 2px solid $ink; }
QPushButton[kind="danger"]:focus { border: 2px solid $ink; }
QPushButton:disabled { color: $ink_3; }
QPushButton[kind="primary"]:disabled, QPushButton[kind="danger"]:disabled { background: $line_strong;
    border-color: $line_strong; color: $ink_2; }

QLineEdit, QPlainTextEdit, QComboBox, QDoubleSpinBox { background: $surface; color: $ink; border: 1px solid $line_strong;
  border-radius: 7px; padding: 0 10px; min-height: 34px; selection-background-color: $accent;
  selection-color: $accent_ink; }
QPlainTextEdit { padding: 6px 6px; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus { border: 2px solid $accent; padding-left: 9px; }
QPlainTextEdit:focus { padding: 5px 5px; }
QLineEdit[look="search"] { background: $sunken; border-color: $line; padding-left: 2px; }
QLineEdit[look="search"]:focus { border: 2px solid $accent; padding-left: 1px; }
QLineEdit[look="bare"] { background: transparent; border: 0; min-height: 24px; padding: 0 3px; }
QLineEdit[look="inline"] { min-height: 24px; padding: 0 5px; border: 2px solid $accent; border-radius: 5px;
  font-weight: 600; }
QLineEdit[look="code"] { font-size: 22px; min-height: 44px; }
QLineEdit[wrong="true"] { border-color: $bad; }
QComboBox[look="search"] { background: $sunken; border-color: $line; color: $ink_2; }
QComboBox::drop-down { border: 0; width: 26px; }
QComboBox::down-arrow { width: 0; height: 0; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line_strong; border-radius: 7px; padding: 4px;
  selection-background-color: $hover; selection-color: $ink; outline: 0; }
QComboBox QAbstractItemView::item { min-height: 30px; padding: 0 6px; border-radius: 5px; }
QFrame#tagField { background: $surface; border: 1px solid $line_strong; border-radius: 7px; }
QFrame#tagField[active="true"] { border: 2px solid $accent; }
QFrame#tag { background: $hover; border: 0; border-radius: 11px; }
QFrame#tag QLabel { color: $ink_2; font-size: 12px; }
QFrame#role { background: $surface; border: 1px solid $line_strong; border-radius: 10px; }
QFrame#role:hover { border-color: $ink_3; }
QFrame#role[chosen="true"] { background: $accent_soft; border: 2px solid $accent; }
QFrame#role:focus { border: 2px solid $accent; }

QListView { background: transparent; border: 0; }
QFrame#toast { background: $toast; border-radius: 10px; border: 0; }
QFrame#toast QLabel { color: $toast_ink; }
QFrame#banner { background: $warn_soft; border: 0; }
QFrame#banner QLabel { color: $warn; }
QFrame#notice { background: $good_soft; border: 0; border-radius: 10px; }
QFrame#notice QLabel { color: $good; font-weight: 600; }
QLabel#warnings { background: $warn_soft; color: $warn; border-radius: 7px; padding: 6px 10px; font-size: 13px; }

QMenu { background: $raised; border: 1px solid $line_strong; border-radius: 10px; padding: 5px; }
QMenu::item { min-height: 34px; padding: 0 24px 0 8px; border-radius: 6px; }
QMenu::item:selected { background: $hover; }
QMenu::icon { padding-left: 10px; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; }
QScrollBar::handle:vertical { min-height: 36px; }
QScrollBar::handle:horizontal { min-width: 36px; }
QScrollBar::handle:hover { background: $ink_3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $hover; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QSplitter::handle { background: $line; width: 1px; }
QCheckBox { spacing: 8px; }
""")


def sheet_of(palette: Palette) -> str:
    """Write the sheet in these colours."""
    return _SHEET.substitute(palette.by_name)
