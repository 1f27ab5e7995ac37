"""Nuke runs this at each start with a window: menus, and who is told of what. Nothing of ours is loaded by it.

Each entry imports what it needs when it is chosen, so that a Nuke in which nothing is generated pays nothing.
"""

import importlib

import nukescripts

import nuke

ENTRIES = (
    ("Wan", "making", "create()"),
    ("Process", "making", "choose()"),
    ("-", "", ""),
    ("Take Results", "buttons", "take_results()"),
    ("Connect", "buttons", "connect()"),
)
MARK = "artifexpro_id"
JOBS = "artifexpro_jobs"
PANEL = "__import__('artifexpro_nuke.nuke.panel', fromlist=['panel']).widget"
"""What Nuke evaluates when the panel is opened, and not before."""


def _ours(module):
    return importlib.import_module(f"artifexpro_nuke.nuke.{module}")


def _script_opened():
    if nuke.root().knob(JOBS) is not None:
        _ours("pumping").script_opened()


def _script_closed():
    if nuke.root().knob(JOBS) is not None:
        _ours("pumping").script_closed()


def _before_saving():
    if nuke.root().knob(JOBS) is not None:
        _ours("pumping").before_saving()


def _group_made():
    if nuke.thisNode().knob(MARK) is not None:
        _ours("making").made()


def _add():
    for where in ("Nodes", "Nuke"):
        menu = nuke.menu(where).addMenu("ArtifexPro")
        for name, module, call in ENTRIES:
            if name == "-":
                menu.addSeparator()
            else:
                menu.addCommand(name, f"from artifexpro_nuke.nuke import {module}; {module}.{call}")
    nukescripts.panels.registerWidgetAsPanel(PANEL, "ArtifexPro", "com.artifexpro.panel")
    nuke.addOnScriptLoad(_script_opened)
    nuke.addOnScriptClose(_script_closed)
    nuke.addOnScriptSave(_before_saving)
    nuke.addOnCreate(_group_made, nodeClass="Group")


_add()
