# mypy: ignore-errors
"""The fields of a clip: what should be seen, what it begins with, what makes it, how large and how long."""

from __future__ import annotations

import random

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from . import controls
from .choices import LARGEST_SEED, PRESETS, PROFILES, SIZES, TASKS
from .media import MediaField
from .wish import Wish, another_seed
from .words import ExtensionCard, Words

_OWN, _PRESET = "own", "preset"


class Form(QWidget):
    """`wish()` is what the fields say. `changed` on every change that may cost something else; `extend` has the method
    and the seed of an extension that is asked for."""

    changed = Signal()
    extend = Signal(str, int)
    extension_used = Signal()
    extension_closed = Signal()

    def __init__(self, look, loader, host="", offer=None, parent=None):
        super().__init__(parent)
        self._loader, self._host, self._offer = loader, host, offer
        self._models = []
        self._extension = None
        self._wanted_model = ""
        self.media = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 4, 12)
        self._column.setSpacing(12)
        self._add_words(look)
        self._add_task()
        self._add_maker()
        self._add_numbers()
        self._column.addStretch(1)
        self._task_chosen()

    # ------------------------------------------------------------------ fields

    def _captioned(self, text, *widgets, beside=None):
        box = QVBoxLayout()
        box.setSpacing(4)
        head = QHBoxLayout()
        caption = controls.label(text, "caption")
        head.addWidget(caption, 1)
        if beside is not None:
            head.addWidget(beside)
        box.addLayout(head)
        for widget in widgets:
            box.addWidget(widget)
        caption.setBuddy(widgets[0])
        if not widgets[0].accessibleName():
            widgets[0].setAccessibleName(text)
        return box

    def _add_words(self, look):
        self.prompt = Words("prompt", 4, "What should be seen, in your own words")
        self.prompt.textChanged.connect(self._words_changed)
        self.extend_button = controls.button(
            "Extend…", "link", name="extend", tip="Writes more of it; you see what first"
        )
        self.extend_button.setEnabled(False)
        self.extend_button.clicked.connect(lambda: self.card.ask(0))
        self._column.addLayout(self._captioned("Prompt", self.prompt, beside=self.extend_button))
        self.card = ExtensionCard(look)
        self.card.asked.connect(self.extend)
        self.card.used.connect(self.extension_used)
        self.card.closed.connect(self._card_closed)
        self.card.hide()
        self._column.addWidget(self.card)
        self.avoid = Words("avoid", 2, "What should not be seen. Empty: what the model was trained with")
        self.avoid.textChanged.connect(self.changed)
        self._column.addLayout(self._captioned("Negative prompt", self.avoid))
        QWidget.setTabOrder(self.prompt, self.extend_button)
        before = self.extend_button
        for each in (*self.card.reached(), self.avoid):
            QWidget.setTabOrder(before, each)
            before = each

    def _add_task(self):
        self.task = controls.Choice("task")
        for task in TASKS.values():
            self.task.addItem(task.label, task.name)
        self.task.currentIndexChanged.connect(lambda _index: self._task_chosen())
        self._column.addLayout(self._captioned("Make it from", self.task))
        self._media_box = QVBoxLayout()
        self._media_box.setSpacing(10)
        self._column.addLayout(self._media_box)

    def _add_maker(self):
        self.model = controls.Choice("model")
        self.model.currentIndexChanged.connect(lambda _index: self._model_chosen())
        self.model_about = controls.label("", "muted", wrap=True)
        self._column.addLayout(self._captioned("Model", self.model, self.model_about))
        self.preset = controls.Segments("preset", [(each.name, each.name, each.about) for each in PRESETS])
        self.preset.chosen.connect(self._preset_chosen)
        self.preset_about = controls.label("", "muted", wrap=True)
        self._column.addLayout(self._captioned("Preset", self.preset, self.preset_about))
        self.profile = controls.Segments("profile", PROFILES)
        self.profile.chosen.connect(lambda _profile: self.changed.emit())
        self._column.addLayout(self._captioned("Profile", self.profile))

    def _add_numbers(self):
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(12)
        self.size = controls.Choice("size")
        self.size.addItem("The preset's", _PRESET)
        for width, height in SIZES:
            self.size.addItem(f"{width} x {height}", (width, height))
        self.size.addItem("Own size", _OWN)
        self.size.currentIndexChanged.connect(lambda _index: self._size_chosen())
        self.frames = controls.Number("frames", 1, 100_000, 4)
        self.frames.valueChanged.connect(self.changed)
        self.width_field = controls.Number("width", 16, 8192, 32)
        self.height_field = controls.Number("height", 16, 8192, 32)
        for field, value in ((self.width_field, 832), (self.height_field, 480), (self.frames, PRESETS[0].frames)):
            field.setValue(value)
            field.valueChanged.connect(self.changed)
        self.own_size = QWidget()
        row = QGridLayout(self.own_size)
        row.setContentsMargins(0, 0, 0, 0)
        row.setHorizontalSpacing(12)
        row.addLayout(self._captioned("Width", self.width_field), 0, 0)
        row.addLayout(self._captioned("Height", self.height_field), 0, 1)
        self.seed = controls.Number("seed", 0, LARGEST_SEED)
        self.seed.setValue(random.randrange(LARGEST_SEED))
        self.seed.setToolTip("The same seed and settings make the same clip")
        self.steps = controls.Number("steps", 0, 1000)
        self.steps.setSpecialValueText("The preset's")
        self.steps.valueChanged.connect(self.changed)
        self.new_seed = controls.Tick("New seed each time", "new-seed")
        self.exr = controls.Tick("EXR frames too, scene-linear", "exr")
        self.exr.toggled.connect(self.changed)
        grid.addLayout(self._captioned("Size", self.size), 0, 0)
        grid.addLayout(self._captioned("Frames", self.frames), 0, 1)
        grid.addWidget(self.own_size, 1, 0, 1, 2)
        grid.addLayout(self._captioned("Seed", self.seed), 2, 0)
        grid.addLayout(self._captioned("Steps", self.steps), 2, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self._column.addLayout(grid)
        ticks = QVBoxLayout()
        ticks.setSpacing(6)
        ticks.addWidget(self.new_seed)
        ticks.addWidget(self.exr)
        self._column.addLayout(ticks)
        self._size_chosen()
        self._preset_about()

    # ------------------------------------------------------------------ choices

    def _words_changed(self):
        self.extend_button.setEnabled(bool(self.prompt.toPlainText().strip()))
        self.changed.emit()

    def _task_chosen(self):
        task = TASKS[self.task.currentData()]
        kept = {field.medium.kind: field.path for field in self.media.values() if field.path}
        for field in self.media.values():
            self._media_box.removeWidget(field)
            field.hide()
            field.deleteLater()
        self.media = {}
        for medium in task.media:
            offer = self._offer if medium.kind == "picture" else None
            field = MediaField(medium, self._loader, self._host, offer)
            self._media_box.addWidget(field)
            self.media[medium.socket] = field
            if medium.kind in kept:
                field.choose(kept.pop(medium.kind))
            field.changed.connect(self.changed)
        self._chain_tabs()
        self._list_models()
        self.changed.emit()

    def _chain_tabs(self):
        """Tab goes down the panel, through the fields of the task chosen now too."""
        before = self.task
        for field in self.media.values():
            reached = [field.browse_button, field.clear_button, field.zone]
            if hasattr(field, "from_host"):
                reached.insert(0, field.from_host)
            for each in reached:
                QWidget.setTabOrder(before, each)
                before = each
        if hasattr(self, "model"):
            QWidget.setTabOrder(before, self.model)

    def offer_models(self, models):
        """What the daemon has. Chosen is what was wanted, else the first that is here and is no noise."""
        self._models = models
        self._list_models()

    def _list_models(self):
        if not hasattr(self, "model"):
            return
        task = self.task.currentData()
        able = sorted((each for each in self._models if task in each["tasks"]), key=_here_first)
        wanted = self._wanted_model or self.model.currentData()
        self.model.blockSignals(True)
        self.model.clear()
        for each in able:
            away = "" if each["installed"] else f" ({each['download_gb']:.0f} GB to get)"
            self.model.addItem(f"{each['name']}{away}", each["name"])
        at = self.model.findData(wanted)
        self.model.setCurrentIndex(max(0, at))
        self.model.setEnabled(bool(able))
        self.model.blockSignals(False)
        self._model_chosen()

    def _model_chosen(self):
        name = self.model.currentData()
        about = next((each["about"] for each in self._models if each["name"] == name), "")
        self.model_about.setText(f"{about[:1].upper()}{about[1:]}" if about else "Known when the daemon is there")
        if name:
            self._wanted_model = name
        self.changed.emit()

    def _preset_chosen(self, name):
        self.frames.setValue(next(each.frames for each in PRESETS if each.name == name))
        self._preset_about()
        self.changed.emit()

    def _preset_about(self):
        self.preset_about.setText(next(each.about for each in PRESETS if each.name == self.preset.value()))

    def _size_chosen(self):
        self.own_size.setVisible(self.size.currentData() == _OWN)
        self.changed.emit()

    # ------------------------------------------------------------------ as one value

    def wish(self):
        """What the fields say now."""
        size = self.size.currentData()
        if size == _OWN:
            size = (self.width_field.value(), self.height_field.value())
        return Wish(
            prompt=self.prompt.toPlainText(),
            avoid=self.avoid.toPlainText(),
            task=self.task.currentData(),
            model=self.model.currentData() or self._wanted_model,
            preset=self.preset.value(),
            profile=self.profile.value(),
            size=None if size == _PRESET else tuple(size),
            frames=self.frames.value(),
            seed=self.seed.value(),
            steps=self.steps.value(),
            media={socket: field.path for socket, field in self.media.items() if field.path},
            exr=self.exr.isChecked(),
            extension=self._extension,
        )

    def fill(self, wanted):
        """Set the fields to a clip that was made before."""
        self.task.setCurrentIndex(self.task.findData(wanted.task))
        self.prompt.put(wanted.prompt)
        self.avoid.put(wanted.avoid)
        self._wanted_model = wanted.model
        self._list_models()
        self.preset.choose(wanted.preset)
        self._preset_about()
        self.profile.choose(wanted.profile)
        self._fill_size(wanted.size)
        for field, value in ((self.frames, wanted.frames), (self.seed, wanted.seed), (self.steps, wanted.steps)):
            field.setValue(value)
        self.new_seed.setChecked(False)
        self.exr.setChecked(wanted.exr)
        for socket, field in self.media.items():
            field.choose(wanted.media.get(socket, ""))
        self._extension = None

    def _fill_size(self, size):
        if size is None:
            self.size.setCurrentIndex(self.size.findData(_PRESET))
        elif size in SIZES:
            self.size.setCurrentIndex(1 + SIZES.index(size))
        else:
            self.size.setCurrentIndex(self.size.findData(_OWN))
            self.width_field.setValue(size[0])
            self.height_field.setValue(size[1])

    def vary_if_wished(self):
        """Before a clip is asked for: another seed where each shall have its own."""
        if self.new_seed.isChecked():
            self.seed.setValue(another_seed(self.seed.value()))

    # ------------------------------------------------------------------ extension

    def take_extension(self, extension):
        """Put the extended text into the prompt; Ctrl+Z brings the old one back."""
        self._extension = extension
        self.prompt.put(extension.extended)
        self._card_closed()

    def show_extension(self, made, working, trouble):
        if made is not None or working or trouble:
            self.card.show()
        self.card.show_state(made, working, trouble)

    def _card_closed(self):
        had_focus = self.card.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.card.hide()
        if had_focus:
            self.prompt.setFocus(Qt.OtherFocusReason)
        self.extension_closed.emit()


def _here_first(model):
    return (not model["installed"], model["noise"])
