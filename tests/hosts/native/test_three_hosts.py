"""One graph document made in a real Blender, changed as Nuke's nodes, saved, opened as Fusion's macros, and back.

Blender is real. In Nuke's and Fusion's places stand a real Tcl and a real LuaJIT, which read their texts, and writers
that save them in the hosts' manner; the `artifexpro` command renders the result on a real daemon.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
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
from tests.hosts.terminal.conftest import Run, run_in

__all__ = ["blender", "extension", "stage"]

Catalogue = list[dict[str, Any]]


@pytest.fixture(scope="module")
def artifexpro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("three-hosts")
    yield run_in(home, home)
    run_in(home, home)("daemon", "--home", str(home), "--stop")


def changed_in_nuke(document: Any, catalogue: Catalogue) -> Any:
    """Another seed, and a blur with keys between the clip and its files."""
    blur = next(entry for entry in catalogue if entry["name"] == "Blur")
    root = tcl.Tcl().load(gizmos.script(document, catalogue))
    clip = root.find("clip")
    assert clip.knobs["model"] == MODEL
    clip.knobs["seed"] = "11"
    (soft,) = tcl.Tcl().load(gizmos.gizmo(blur)).inside or ()
    soft.knobs.update(name="Blur1", size="{curve L x1001 0.5 x1005 3}")
    soft.inputs = [clip]
    for name in ("movie", "frames"):
        root.find(name).inputs[0] = soft
    assert root.inside is not None
    root.inside.insert(root.inside.index(clip) + 1, soft)
    return gizmos.document(tcl.save(root))


def expected(document: Any) -> Any:
    told = copy.deepcopy(document)
    told["nodes"]["clip"]["params"]["seed"] = 11
    told["nodes"]["Blur1"] = node(
        "Blur", {"size": curve({"frame": 1001, "value": 0.5}, {"frame": 1005, "value": 3})}, None, video="clip"
    )
    for name in ("movie", "frames"):
        told["nodes"][name]["inputs"]["video"] = ["Blur1", "out"]
    return told


@pytest.mark.blender
@pytest.mark.parametrize("blender", ["5.0.1"], indirect=True)
def test_a_graph_of_blender_goes_through_nuke_and_fusion(
    stage: Stage, catalogue: Catalogue, artifexpro: Run, tmp_path: Path
) -> None:
    made = {name: value for name, value in stage.act("graph").items() if name != "said"}
    in_nuke = changed_in_nuke(made, catalogue)
    loaded = lua.LuaJIT().load(macros.setting(in_nuke, catalogue))
    back = macros.document(lua.save(loaded))
    assert set(back["nodes"]) == {"clip", "Blur1", "movie", "frames"}
    assert Document.parse(back) == Document.parse(in_nuke)
    assert without_places(back) == without_places(expected(made))

    rendered = [render(told, artifexpro, tmp_path / name) for name, told in (("meant", expected(made)), ("back", back))]
    assert rendered[0].shape == (5, 64, 64, 4) and np.ptp(rendered[0][..., :3]) > 0.01
    np.testing.assert_array_equal(*rendered)
    plain = render(made, artifexpro, tmp_path / "plain")
    assert np.abs(plain - rendered[0]).max() > 0.01, "what was changed in Nuke changes the picture"


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
