"""Who may import whom: DESIGN's direction, `hosts -> bridge -> wire -> daemon -> core`, held over every file."""

from __future__ import annotations

import sys

import pytest

HEAVY = {"torch", "pydantic", "diffusers", "transformers", "numpy", "cv2", "av", "OpenImageIO", "PyOpenColorIO"}

# folder -> what it may never import
FORBIDDEN = {
    "artifexpro.core": {"artifexpro.daemon", "artifexpro.hosts", "artifexpro.installers", "artifexpro.benchmarks"},
    "artifexpro.core.protocol": {
        "artifexpro.core.graph",
        "artifexpro.core.nodes",
        "artifexpro.core.media",
        "artifexpro.core.wan22",
    },
    "artifexpro.core.graph": {"artifexpro.core.nodes", "artifexpro.core.wan22"},
    "artifexpro.core.wan22": {"artifexpro.core.graph", "artifexpro.core.nodes", "artifexpro.core.protocol"},
    "artifexpro.core.media": {"artifexpro.core.nodes", "artifexpro.core.wan22"},
    "artifexpro.daemon": {"artifexpro.hosts", "artifexpro.installers", "artifexpro.benchmarks"},
    "artifexpro.hosts": {"artifexpro.core", "artifexpro.daemon", "artifexpro.benchmarks", *HEAVY},
    "artifexpro.hosts.bridge": {
        "artifexpro.hosts.panel",
        "artifexpro.hosts.blender",
        "artifexpro.hosts.nuke",
        "artifexpro.hosts.resolve",
        "artifexpro.hosts.terminal",
    },
    "artifexpro.hosts.panel": {
        "artifexpro.hosts.blender",
        "artifexpro.hosts.nuke",
        "artifexpro.hosts.resolve",
        "artifexpro.hosts.terminal",
    },
    "artifexpro.hosts.blender": {"artifexpro.hosts.nuke", "artifexpro.hosts.resolve", "artifexpro.hosts.terminal"},
    "artifexpro.hosts.nuke": {"artifexpro.hosts.blender", "artifexpro.hosts.resolve", "artifexpro.hosts.terminal"},
    "artifexpro.hosts.resolve": {"artifexpro.hosts.blender", "artifexpro.hosts.nuke", "artifexpro.hosts.terminal"},
    "artifexpro.hosts.terminal": {"artifexpro.hosts.blender", "artifexpro.hosts.nuke", "artifexpro.hosts.resolve"},
}

# folder -> all that it may import beside the standard library and itself
ALLOWED = {
    "artifexpro.hosts.bridge": {"zmq"},
    "artifexpro.hosts.blender": {"zmq", "artifexpro.hosts.bridge", "bpy", "bpy_extras", "mathutils", "gpu", "blf"},
    "artifexpro.hosts.nuke": {"zmq", "artifexpro.hosts.bridge", "artifexpro.hosts.panel", "nuke", "nukescripts"},
    "artifexpro.hosts.resolve": {"zmq", "artifexpro.hosts.bridge", "artifexpro.hosts.panel"},
    "artifexpro.hosts.panel": {"zmq", "artifexpro.hosts.bridge", "qtpy"},
    "artifexpro.installers.bootstrap": set(),
}

# What the daemon imports at start, before any worker: torch there would cost seconds and memory.
LIGHT = ("artifexpro.daemon", "artifexpro.core.protocol", "artifexpro.core.graph", "artifexpro.core.errors")


def under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_imports_against_the_direction(folder, modules):
    inside = [module for module in modules if under(module.name, folder)]
    assert inside, f"{folder} has no modules: has it moved?"
    against = [
        f"{module.path} imports {name}"
        for module in inside
        for name in sorted(module.imports)
        if any(under(name, banned) for banned in FORBIDDEN[folder])
    ]
    assert against == []


@pytest.mark.parametrize("folder", ALLOWED)
def test_what_runs_in_another_program_needs_nothing_that_program_lacks(folder, modules):
    inside = [module for module in modules if under(module.name, folder)]
    assert inside, f"{folder} has no modules: has it moved?"
    fine = {*ALLOWED[folder], folder}
    foreign = [
        f"{module.path} imports {name}"
        for module in inside
        for name in sorted(module.imports)
        if name.split(".")[0] not in sys.stdlib_module_names and not any(under(name, package) for package in fine)
    ]
    assert foreign == []


def test_no_module_uses_the_folders_bare_names(modules):
    bare = {"core", "daemon", "hosts", "installers", "benchmarks"}
    assert [f"{m.path} imports {name}" for m in modules for name in m.imports if name.split(".")[0] in bare] == []


def test_top_folders_are_all_mapped(tree):
    """A new top folder with Python in it is either installed or listed here as not meant to be."""
    not_installed = {"tests", "typings", "docs", "build", "dist"}
    with_python = {path.parent.name for path in tree.glob("*/__init__.py")} - not_installed
    assert with_python == {"core", "daemon", "hosts", "installers", "benchmarks"}
    assert {link.name for link in (tree / "typings" / "artifexpro").iterdir()} == with_python
    for link in (tree / "typings" / "artifexpro").iterdir():
        assert link.resolve() == tree / link.name
