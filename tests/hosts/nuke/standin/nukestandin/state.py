"""What one run of Nuke knows: its mode, what it said, what is selected, and what calls are being made for."""

import os


class State:
    def __init__(self):
        self.gui = os.environ.get("STANDIN_NUKE", "gui") == "gui"
        self.root = None
        self.groups = []
        self.nodes = []
        self.knobs = []
        self.said = []
        self.panels = {}
        self.answers = []
        self.reading = 0
        self.executing = False
        self.rendered = []
        self.frame = 1
        self.plugin_paths = []
        self.scripts = 0

    def group(self):
        return self.groups[-1] if self.groups else self.root


state = State()


class DialogInTerminal(RuntimeError):
    """`nuke -t` has nobody to answer: a dialog there is a job on the farm that never ends."""


def dialog(text):
    """A modal dialog with `text`."""
    if not state.gui:
        raise DialogInTerminal(f"a dialog in terminal mode: {text}")
    state.said.append(text)
