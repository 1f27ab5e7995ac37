"""One graph document made in a real Blender, changed as Nuke's nodes, saved, opened as Fusion's macros, and back.

Blender is real. In Nuke's place stand a real Tcl with a writer that saves as Nuke does, and the stand-in for Nuke; in
Fusion's a real LuaJIT with a writer. The `artifexpro` command renders the result on a real daemon.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from artifexpro.core.graph.document import Document
from artifexpro.hosts.nuke import gizmos
from artifexpro.hosts.resolve import macros
from tests.hosts.blender.conftest import Stage, blender, extension, stage
from tests.hosts.model import MODEL
from tests.hosts.native import lua, tcl
from tests.hosts.native.documents import curve, node
from tests.hosts.pythons import TREE, pythons
from tests.hosts.terminal.conftest import Run, run_in

__all__ = ["blender", "extension", "stage"]

Catalogue = list[dict[str, Any]]


@pytest.fixture(scope="module")
def artifexpro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("three-hosts")
    yield run_in(home, home)
    run_in(home, home)("daemon", "--home", str(home), "--stop")


def changed_as_text(document: Any, catalogue: Catalogue, _folder: Path) -> Any:
    """Another seed, and a blur with keys between the clip and its files."""
    root = tcl.Tcl().load(gizmos.script(document, catalogue))
    clip = root.find("clip")
    assert clip.knobs["model"] == MODEL
    clip.knobs["seed"] = "11"
    (soft,) = tcl.Tcl().load(blur(catalogue)).inside or ()
    soft.knobs.update(name="Blur1", size="{curve L x1001 0.5 x1005 3}")
    soft.inputs = [clip]
    for name in ("movie", "frames"):
        root.find(name).inputs[0] = soft
    assert root.inside is not None
    root.inside.insert(root.inside.index(clip) + 1, soft)
    return gizmos.document(tcl.save(root))


def blur(catalogue: Catalogue) -> str:
    return gizmos.gizmo(next(entry for entry in catalogue if entry["name"] == "Blur"))


IN_NUKE = """
import sys
import nuke

told, pasted, saved = sys.argv[1:]
nuke.scriptOpen(told)
nuke.toNode("clip")["seed"].setValue("11")
for node in nuke.allNodes():
    node.setSelected(node.name() == "clip")
nuke.nodePaste(pasted)
soft = nuke.selectedNode()
soft.setName("Blur1")
soft.setInput(0, nuke.toNode("clip"))
soft["size"].fromScript("{curve L x1001 0.5 x1005 3}")
for name in ("movie", "frames"):
    nuke.toNode(name).setInput(0, soft)
nuke.scriptSaveAs(saved, overwrite=1)
"""


def changed_in_the_standin(document: Any, catalogue: Catalogue, folder: Path) -> Any:
    """The same by the functions of `nuke`, in the stand-in for it, on a Python of Nuke's."""
    standin = TREE / "tests" / "hosts" / "nuke" / "standin"
    python = pythons().get("3.10")
    if python is None or not standin.is_dir():
        pytest.skip("the stand-in for Nuke, or a Python 3.10 for it, is not here")
    (folder / "told.nk").write_text(gizmos.script(document, catalogue))
    (folder / "blur.nk").write_text(blur(catalogue))
    names = ("told.nk", "blur.nk", "saved.nk")
    stubs = distribution("types-nuke").locate_file("nuke-stubs")
    done = subprocess.run(
        [str(python), "-c", IN_NUKE, *(str(folder / name) for name in names)],
        env={**os.environ, "PYTHONPATH": str(standin), "STANDIN_TYPES_NUKE": str(stubs), "STANDIN_NUKE": "terminal"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return gizmos.document((folder / "saved.nk").read_text())


def expected(document: Any) -> Any:
    told = copy.deepcopy(document)
    told["nodes"]["clip"]["params"]["seed"] = 11
    told["nodes"]["Blur1"] = node(
        "Blur", {"size": curve({"frame": 1001, "value": 0.5}, {"frame": 1005, "value": 3})}, None, video="clip"
    )
    for name in ("movie", "frames"):
        told["nodes"][name]["inputs"]["video"] = ["Blur1", "out"]
    return told


@pytest.fixture(scope="module")
def made(stage: Stage) -> Any:
    """What Generate sends in Blender, as a graph document."""
    return {name: value for name, value in stage.act("graph").items() if name != "said"}


@pytest.mark.blender
@pytest.mark.parametrize("blender", ["5.0.1"], indirect=True)
@pytest.mark.parametrize("change", [changed_as_text, changed_in_the_standin])
def test_a_graph_of_blender_goes_through_nuke_and_fusion(
    made: Any, change: Callable[[Any, Catalogue, Path], Any], catalogue: Catalogue, tmp_path: Path
) -> None:
    in_nuke = change(made, catalogue, tmp_path)
    back = through_fusion(in_nuke, catalogue)
    assert set(back["nodes"]) == {"clip", "Blur1", "movie", "frames"}
    assert Document.parse(back) == Document.parse(in_nuke)
    assert without_places(back) == without_places(expected(made))


@pytest.mark.blender
@pytest.mark.parametrize("blender", ["5.0.1"], indirect=True)
def test_what_comes_back_renders_to_the_same_pixels(
    made: Any, catalogue: Catalogue, artifexpro: Run, tmp_path: Path
) -> None:
    back = through_fusion(changed_as_text(made, catalogue, tmp_path), catalogue)
    rendered = [render(told, artifexpro, tmp_path / name) for name, told in (("meant", expected(made)), ("back", back))]
    assert rendered[0].shape == (5, 64, 64, 4) and np.ptp(rendered[0][..., :3]) > 0.01
    np.testing.assert_array_equal(*rendered)
    plain = render(made, artifexpro, tmp_path / "plain")
    assert np.abs(plain - rendered[0]).max() > 0.01, "what was changed in Nuke changes the picture"


def through_fusion(document: Any, catalogue: Catalogue) -> Any:
    return macros.document(lua.save(lua.LuaJIT().load(macros.setting(document, catalogue))))


def without_places(document: Any) -> Document:
    """The document as it is computed: where Nuke placed a node changes no picture."""
    told = Document.parse(document)
    return Document({ident: replace(record, ui={}) for ident, record in told.nodes.items()}, told.groups)


def render(document: Any, artifexpro: Run, folder: Path) -> np.ndarray[Any, Any]:
    """The frames of a graph, (frames, height, width, 4)."""
    folder.mkdir()
    told = copy.deepcopy(document)
    told["nodes"].pop("movie")
    told["nodes"]["frames"]["params"]["path"] = str(folder / "frame.%04d.exr")
    (folder / "graph.json").write_text(json.dumps(told))
    said = artifexpro("render", str(folder / "graph.json"))
    assert said.status == 0, said.err
    frames = [oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT) for path in sorted(folder.glob("frame.*.exr"))]
    return np.stack(frames)
