"""Files that are written from others are what those others say."""

from __future__ import annotations

import json
import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artifexpro.core.protocol import Event, Operation, Reply, Request, schema
from artifexpro.core.protocol.previews import PreviewEvent
from artifexpro.core.version import VERSION
from artifexpro.daemon.operations import TABLE
from artifexpro.installers import dependencies, wheels


def pins(path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    requirements = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r"==[\w.]+", str(each.specifier)) for each in requirements), "a lock pins by == only"
    assert all(each.url is None for each in requirements)
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def test_the_examples_of_the_protocol_document_are_messages(tree):
    blocks = re.findall(r"```json\n(.*?)```", (tree / "docs" / "protocol.md").read_text(), re.DOTALL)
    found = [json.loads(line) for block in blocks for line in block.splitlines()]
    assert {"op", "ok", "event"} <= {name for example in found for name in example}
    for example in found:
        if "op" in example:
            operation = Operation(Request.model_validate(example).op)
            TABLE[operation].body.model_validate(example["body"])
        elif "ok" in example:
            Reply.model_validate(example)
        elif "session" in example:
            PreviewEvent.model_validate(example)
        else:
            Event.model_validate(example)


def test_the_protocol_document_names_every_operation_and_no_other(tree):
    rows = [
        line.split("|")[1] for line in (tree / "docs" / "protocol.md").read_text().splitlines() if line[:3] == "| `"
    ]
    assert sorted(name for row in rows for name in re.findall(r"`([\w.]+)`", row)) == sorted(Operation)


def test_the_extension_carries_the_locked_pyzmq(tree):
    assert pins(tree / "requirements.lock")["pyzmq"] == wheels.RELEASE


def test_the_published_schema_is_that_of_the_messages():
    assert schema.PUBLISHED.read_text(encoding="utf-8") == schema.text(), "python -m artifexpro.core.protocol.schema"


def test_the_schema_names_every_message_and_resolves_every_reference():
    document = schema.schema()
    names = set(document["$defs"])
    assert {message.__name__ for message in schema.messages()} <= names
    assert {"Request", "Reply", "Event", "JobRequest", "Operation"} <= names
    assert set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(document))) <= names


def test_locks_and_licence_table_are_those_of_what_is_installed():
    for path, text in dependencies.outputs().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: python -m artifexpro.installers.dependencies"


def test_the_lock_satisfies_every_dependency(tree):
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    locked = pins(tree / "requirements.lock")
    assert locked["torch"] == "2.13.0"
    locked_tools = locked | pins(tree / "requirements-dev.lock")
    for text in project["dependencies"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), text
    for text in project["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked_tools[canonicalize_name(requirement.name)]), text


def test_the_hosts_pythons_get_the_locked_pyzmq(tree):
    locks = sorted(tree.glob("requirements-hosts-*.lock"))
    assert len(locks) == 5
    assert {pins(lock)["pyzmq"] for lock in locks} == {wheels.RELEASE}


@pytest.mark.parametrize("name", ["cuda", "blender-5.0.1", "blender-4.5.15"])
def test_the_other_locks_pin_exactly(name, tree):
    assert pins(tree / f"requirements-{name}.lock")


def test_no_dependency_is_gpl():
    text = dependencies.outputs()[dependencies.ROOT / "docs" / "dependencies.md"]
    assert dependencies.copyleft(text) == []
    assert dependencies.copyleft("| nasty | 1.0 | AGPL-3.0-only | yes |\n") == ["nasty"]
    assert not re.search(r"^\| [^|]+ \| [^|]+ \|\s*\|", text, re.MULTILINE), "a package whose licence nobody read"


def test_everything_imported_is_declared_and_the_other_way_round(modules, tree):
    """A library that only comes along with another can leave with it; one that nobody imports is dead weight."""
    by_import = {
        "cv2": "opencv-python-headless",
        "scenedetect": "scenedetect-headless",
        "zmq": "pyzmq",
        "pydantic_core": "pydantic",
        "annotated_types": "pydantic",
        "OpenImageIO": "openimageio",
        "PyOpenColorIO": "opencolorio",
    }
    # diffusers and transformers look the first two up when loading weights, and qtpy the Qt that is there
    needed_by_name = {"accelerate", "peft", "pyside6-essentials"}
    for_tools = {"packaging", "setuptools"}
    from_hosts = {"bpy", "bpy_extras", "mathutils", "addon_utils", "bl_pkg", "nuke", "nukescripts"}
    lazily = "artifexpro.core.lazy."
    tops = {name.removeprefix(lazily).split(".")[0] for module in modules for name in module.imports}
    tops -= set(sys.stdlib_module_names) | {"artifexpro"} | from_hosts | for_tools
    used = {canonicalize_name(by_import.get(top, top)) for top in tops}
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["panel"]]
    declared = {canonicalize_name(Requirement(text).name) for text in asked}
    assert used - declared == set()
    assert declared - used - needed_by_name == set()


def test_the_change_log_speaks_of_this_version(tree):
    assert f"## [{VERSION}]" in (tree / "CHANGELOG.md").read_text()
