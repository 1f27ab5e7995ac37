# mypy: ignore-errors
"""What the clip will cost, above Generate: three figures, where they come from, and what speaks against it."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QGridLayout, QVBoxLayout

from . import controls


class CostCard(QFrame):
    """Shows a `cost.Cost`."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setProperty("kind", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 10)
        column.setSpacing(6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(1)
        self.figures, self.captions = {}, {}
        for place, (name, caption) in enumerate((("time", "Time"), ("memory", "Memory"), ("disk", "On disk"))):
            self.captions[name] = controls.label(caption, "muted")
            self.figures[name] = controls.label("", "figure")
            self.figures[name].setObjectName(f"cost-{name}")
            grid.addWidget(self.captions[name], 0, place)
            grid.addWidget(self.figures[name], 1, place)
            grid.setColumnStretch(place, 1)
        column.addLayout(grid)
        self.said = controls.label("", "muted", wrap=True)
        self.said.setObjectName("cost-said")
        column.addWidget(self.said)

    def show_cost(self, cost):
        for name in self.figures:
            self.figures[name].setText(getattr(cost, name))
        self.captions["memory"].setText(cost.memory_of.capitalize())
        said, kind = (cost.refusal, "error") if cost.refusal else (cost.warning, "warning")
        if not said:
            said, kind = cost.basis, "muted"
        self.said.setText(said)
        controls.restyle(self.said, kind=kind)
