# mypy: disable-error-code="attr-defined"
"""The panel's colours and shapes, light and dark: neutral greys, so that nothing beside a picture tints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qtpy.QtGui import QColor, QPalette

ROOT = "artifexpro"
"""The object name of the widget the style sheet is for: the host's own widgets keep theirs."""
DARK_BELOW = 128
"""Lightness of a window's colour, 0 to 255, below which the dark look belongs to it."""


@dataclass(frozen=True)
class Look:
    """Colours as #rrggbb. `surface` is a card on the window, `field` what is typed into, `edge` around both."""

    window: str
    surface: str
    field: str
    edge: str
    text: str
    muted: str
    accent: str
    pressed: str
    on_accent: str
    raised: str
    warning: str
    error: str
    good: str
    added: str
    removed: str

    @property
    def dark(self) -> bool:
        return bool(QColor(self.window).lightness() < DARK_BELOW)


DARK = Look(
    window="#262626",
    surface="#303030",
    field="#1d1d1d",
    edge="#4a4a4a",
    text="#ededed",
    muted="#ababab",
    accent="#6aa9ff",
    pressed="#8abcff",
    on_accent="#0b1a2e",
    raised="#3d3d3d",
    warning="#f0bf57",
    error="#ff8e86",
    good="#6fd08f",
    added="#1f4a2c",
    removed="#5a2724",
)
LIGHT = Look(
    window="#ececec",
    surface="#f8f8f8",
    field="#ffffff",
    edge="#c4c4c4",
    text="#1c1c1c",
    muted="#5a5a5a",
    accent="#1b62c9",
    pressed="#134d9f",
    on_accent="#ffffff",
    raised="#e2e2e2",
    warning="#7d5200",
    error="#b3261e",
    good="#1d6b37",
    added="#cdeed6",
    removed="#f7d3d0",
)


def look_beside(palette: Any) -> Look:
    """The look that fits a host with this palette."""
    return DARK if palette.color(QPalette.Window).lightness() < DARK_BELOW else LIGHT


def palette(look: Look) -> Any:
    """For what a style sheet does not reach: placeholder texts, selections, menus."""
    made = QPalette()
    for role, color in (
        (QPalette.Window, look.window),
        (QPalette.WindowText, look.text),
        (QPalette.Base, look.field),
        (QPalette.AlternateBase, look.surface),
        (QPalette.Text, look.text),
        (QPalette.Button, look.raised),
        (QPalette.ButtonText, look.text),
        (QPalette.Highlight, look.accent),
        (QPalette.HighlightedText, look.on_accent),
        (QPalette.PlaceholderText, look.muted),
        (QPalette.ToolTipBase, look.surface),
        (QPalette.ToolTipText, look.text),
    ):
        made.setColor(role, QColor(color))
    return made


def sheet(look: Look) -> str:
    """The style sheet. Sizes are in pixels at 100 %: Qt scales them with the screen."""
    return f"""
#{ROOT} {{ background: {look.window}; }}
#{ROOT} QWidget {{ color: {look.text}; }}
#{ROOT} QToolTip {{ background: {look.surface}; color: {look.text}; border: 1px solid {look.edge}; }}
#{ROOT} QScrollArea, #{ROOT} QScrollArea > QWidget > QWidget, #{ROOT} QTabWidget > QStackedWidget,
#{ROOT} QTabWidget {{ background: transparent; border: 0; }}
#{ROOT} QWidget[kind="foot"] {{ border-top: 1px solid {look.edge}; }}
#{ROOT} QLabel {{ background: transparent; border: 0; }}
#{ROOT} QLabel[kind="title"] {{ font-weight: 700; }}
#{ROOT} QLabel[kind="caption"] {{ font-weight: 600; }}
#{ROOT} QLabel[kind="muted"] {{ color: {look.muted}; }}
#{ROOT} QLabel[kind="figure"] {{ font-weight: 700; }}
#{ROOT} QLabel[kind="warning"] {{ color: {look.warning}; }}
#{ROOT} QLabel[kind="error"] {{ color: {look.error}; }}
#{ROOT} QLabel[kind="good"] {{ color: {look.good}; }}
#{ROOT} QLabel[kind="picture"] {{ background: {look.raised}; border-radius: 4px; }}
#{ROOT} QFrame[kind="card"] {{ background: {look.surface}; border: 1px solid {look.edge}; border-radius: 6px; }}
#{ROOT} QFrame[kind="banner"] {{ background: {look.surface}; border: 1px solid {look.error}; border-radius: 6px; }}
#{ROOT} QFrame[kind="drop"] {{ background: {look.field}; border: 1px dashed {look.muted}; border-radius: 6px; }}
#{ROOT} QFrame[kind="drop"][filled="true"] {{ border: 1px solid {look.edge}; }}
#{ROOT} QFrame[kind="drop"]:focus, #{ROOT} QFrame[kind="drop"][over="true"] {{ border: 2px solid {look.accent}; }}
#{ROOT} QPlainTextEdit, #{ROOT} QTextBrowser, #{ROOT} QLineEdit, #{ROOT} QSpinBox, #{ROOT} QComboBox {{
    background: {look.field}; border: 1px solid {look.edge}; border-radius: 5px;
    selection-background-color: {look.accent}; selection-color: {look.on_accent}; }}
#{ROOT} QPlainTextEdit, #{ROOT} QTextBrowser {{ padding: 4px 6px; }}
#{ROOT} QLineEdit, #{ROOT} QComboBox {{ padding: 3px 8px; }}
#{ROOT} QSpinBox QLineEdit {{ background: transparent; border: 0; padding: 0; }}
#{ROOT} QSpinBox::up-button, #{ROOT} QSpinBox::down-button {{ width: 0; border: 0; }}
#{ROOT} QComboBox {{ padding-right: 26px; }}
#{ROOT} QComboBox::drop-down {{ border: 0; width: 24px; }}
#{ROOT} QComboBox::down-arrow {{ image: none; }}
#{ROOT} QComboBox QAbstractItemView {{ background: {look.field}; color: {look.text}; border: 1px solid {look.edge};
    selection-background-color: {look.accent}; selection-color: {look.on_accent}; outline: 0; padding: 3px; }}
#{ROOT} QPlainTextEdit:focus, #{ROOT} QTextBrowser:focus, #{ROOT} QLineEdit:focus, #{ROOT} QSpinBox:focus,
#{ROOT} QComboBox:focus, #{ROOT} QListView:focus {{ border: 1px solid {look.accent}; }}
#{ROOT} QSpinBox:disabled, #{ROOT} QComboBox:disabled, #{ROOT} QLineEdit:disabled {{ color: {look.muted};
    background: {look.surface}; }}
#{ROOT} QPushButton {{ background: {look.raised}; border: 1px solid {look.edge}; border-radius: 5px;
    padding: 3px 12px; min-height: 22px; }}
#{ROOT} QPushButton:hover {{ border-color: {look.muted}; }}
#{ROOT} QPushButton:focus {{ border: 1px solid {look.accent}; }}
#{ROOT} QPushButton:pressed {{ background: {look.field}; }}
#{ROOT} QPushButton:disabled {{ color: {look.muted}; background: {look.surface}; }}
#{ROOT} QPushButton[kind="primary"] {{ background: {look.accent}; color: {look.on_accent};
    border: 1px solid {look.accent}; font-weight: 700; min-height: 34px; }}
#{ROOT} QPushButton[kind="primary"]:hover {{ background: {look.pressed}; }}
#{ROOT} QPushButton[kind="primary"]:focus {{ border: 2px solid {look.text}; }}
#{ROOT} QPushButton[kind="link"] {{ background: transparent; color: {look.accent};
    border: 0; border-bottom: 1px solid transparent; border-radius: 0; padding: 1px 0; min-height: 18px; }}
#{ROOT} QPushButton[kind="link"]:hover {{ color: {look.pressed}; border-bottom: 1px solid {look.edge}; }}
#{ROOT} QPushButton[kind="link"]:focus {{ border: 0; border-bottom: 2px solid {look.accent}; }}
#{ROOT} QPushButton[kind="link"]:disabled {{ color: {look.muted}; }}
#{ROOT} QFrame[kind="segments"] {{ background: {look.field}; border: 1px solid {look.edge}; border-radius: 6px; }}
#{ROOT} QPushButton[kind="segment"] {{ background: transparent; border: 1px solid transparent; border-radius: 4px;
    padding: 2px 4px; min-height: 20px; color: {look.muted}; }}
#{ROOT} QPushButton[kind="segment"]:hover {{ color: {look.text}; }}
#{ROOT} QPushButton[kind="segment"]:focus {{ border-color: {look.accent}; }}
#{ROOT} QPushButton[kind="segment"]:checked {{ background: {look.raised}; color: {look.text}; font-weight: 600; }}
#{ROOT} QCheckBox {{ spacing: 8px; border: 1px solid transparent; border-radius: 4px; padding: 2px; }}
#{ROOT} QCheckBox:focus {{ border-color: {look.accent}; }}
#{ROOT} QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {look.muted}; border-radius: 4px;
    background: {look.field}; }}
#{ROOT} QCheckBox::indicator:checked {{ background: {look.accent}; border-color: {look.accent}; }}
#{ROOT} QTabBar {{ background: transparent; qproperty-drawBase: 0; }}
#{ROOT} QTabBar::tab {{ background: transparent; color: {look.muted}; border: 0; border-bottom: 2px solid transparent;
    padding: 6px 14px; margin-right: 2px; }}
#{ROOT} QTabBar::tab:hover {{ color: {look.text}; }}
#{ROOT} QTabBar::tab:selected {{ color: {look.text}; border-bottom: 2px solid {look.accent}; }}
#{ROOT} QTabBar::tab:focus {{ color: {look.accent}; }}
#{ROOT} QTabWidget::pane {{ border: 0; border-top: 1px solid {look.edge}; }}
#{ROOT} QProgressBar {{ background: {look.raised}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }}
#{ROOT} QProgressBar::chunk {{ background: {look.accent}; border-radius: 3px; }}
#{ROOT} QListView {{ background: {look.field}; border: 1px solid {look.edge}; border-radius: 6px; outline: 0; }}
#{ROOT} QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
#{ROOT} QScrollBar::handle:vertical {{ background: {look.edge}; border-radius: 4px; min-height: 28px; margin: 1px; }}
#{ROOT} QScrollBar::handle:vertical:hover {{ background: {look.muted}; }}
#{ROOT} QScrollBar::add-line, #{ROOT} QScrollBar::sub-line {{ height: 0; width: 0; }}
#{ROOT} QScrollBar::add-page, #{ROOT} QScrollBar::sub-page {{ background: transparent; }}
#{ROOT} QSplitter::handle {{ background: transparent; }}
"""
