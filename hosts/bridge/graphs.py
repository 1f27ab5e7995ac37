"""Graph documents and job requests as plain data, for hosts that must not load the node engine.

The shapes are those of `core.graph.document` and `core.protocol.JobRequest`; the daemon checks what is built here.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import BridgeError

FORMAT = "artifexpro.graph"
FORMAT_VERSION = 1
FIRST_FRAME = 1001
"""Number of a generated clip's first frame in the graph and in the names of its EXR frames."""

SPEECH_RATE = "16"
"""Frames a second of films of speech, along which their sound is laid."""

MOVIES = (".mp4", ".mov", ".mkv")
"""Endings of files that have room for sound."""

Document = dict[str, Any]
_NO_MEDIA: Mapping[str, str] = {}


@dataclass(frozen=True)
class Outputs:
    """What a clip is written as; None is not written. Paths start at the job's output folder or are absolute."""

    movie: str | None = "clip.mp4"
    frames: str | None = None
    timeline: str | None = None
    contact_sheet: str | None = None


MAIN_JOB = Outputs("clip.mp4", "frames/frame.%04d.exr", "edit.otio", "contact-sheet.png")


def node(kind: str, params: Mapping[str, Any], **inputs: str) -> dict[str, Any]:
    """A node of a document; each input is the id of the node whose "out" it takes."""
    return {"type": kind, "params": dict(params), "inputs": {name: [source, "out"] for name, source in inputs.items()}}


def document(nodes: Mapping[str, Any]) -> Document:
    return {"format": FORMAT, "version": FORMAT_VERSION, "nodes": dict(nodes)}


def clip_graph(
    generator: str,
    params: Mapping[str, Any],
    outputs: Outputs,
    *,
    image: str | None = None,
    image_frame: int | None = None,
    media: Mapping[str, str] = _NO_MEDIA,
) -> Document:
    """A generator ("TI2VGenerator", "StyleTransfer", ...) and the sinks of its clip.

    `image` is the absolute path of a picture the clip starts from, or of a movie with `image_frame` counted from 0.
    `media` has absolute paths by input, also of numbered frames ("plate.%04d.exr"): "image", "last_image",
    "motion_guide", "video", "mask" (white is covered), "reference"; "audio" (a movie gets its sound too),
    "reference_image", "pose_video". A clip made of a "video" keeps its numbers.
    """
    nodes: dict[str, Any] = {}
    wires: dict[str, str] = {}
    for socket, path in media.items():
        nodes[socket] = _source(path, socket)
        wires[socket] = socket
        if socket == "mask":
            nodes["matte"] = node("MatteFrom", {"channel": "red"}, video=socket)
            wires[socket] = "matte"
    if image is not None:
        nodes["source"] = node("MediaInput", {"path": image, "first_frame": FIRST_FRAME})
        wires["image"] = "source"
        if image_frame is not None:
            nodes["first"] = node("FrameHold", {"frame": FIRST_FRAME + image_frame}, video="source")
            wires["image"] = "first"
    numbered = {} if "video" in media else {"first_frame": FIRST_FRAME}
    nodes["clip"] = node(generator, {**numbered, **params}, **wires)
    if outputs.movie is not None:
        is_movie = outputs.movie.lower().endswith(MOVIES)
        heard = {"audio": "audio"} if is_movie and "audio" in media else {}
        nodes["movie"] = node("FileOutput", {"path": outputs.movie}, video="clip", **heard)
    if outputs.frames is not None:
        nodes["frames"] = node("FileOutput", {"path": outputs.frames}, video="clip")
    if outputs.timeline is not None:
        written = outputs.movie or outputs.frames
        nodes["timeline"] = node("TimelineOutput", {"path": outputs.timeline, "media": written}, video="clip")
    if outputs.contact_sheet is not None:
        nodes["sheet"] = node("ContactSheet", {}, video="clip")
        nodes["picture"] = node("FileOutput", {"path": outputs.contact_sheet}, video="sheet")
    return document(nodes)


def _source(path: str, socket: str) -> dict[str, Any]:
    """A node that reads `path`. The values of a mask are no colours: they are taken as they are."""
    params: dict[str, Any] = {"path": path}
    if socket == "audio":
        return node("AudioInput", {**params, "first_frame": FIRST_FRAME, "frame_rate": SPEECH_RATE})
    if socket == "mask":
        params["space"] = "ACEScg"
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    if "%" in name or "#" in name:
        return node("SequenceInput", params)
    return node("MediaInput", {**params, "first_frame": FIRST_FRAME})


def with_parameter(graph: Document, node_id: str, name: str, value: Any) -> Document:
    """The same graph with one parameter of one node changed. Raises `BridgeError` where it has no such node."""
    nodes = graph.get("nodes")
    if not isinstance(nodes, dict) or not isinstance(nodes.get(node_id), dict):
        there = ", ".join(sorted(nodes)) if isinstance(nodes, dict) and nodes else "none"
        raise BridgeError(
            f"set {name} of node {node_id}", "the graph has no such node", f"one of its nodes: {there}", code="usage"
        )
    changed = copy.deepcopy(graph)
    changed["nodes"][node_id].setdefault("params", {})[name] = value
    return changed


def with_output(graph: Document, path: str) -> Document:
    """The same graph writing to `path`: by its one FileOutput, or by a new one behind its one loose end.

    Raises `BridgeError` (code "usage") where that is not one node.
    """
    nodes = graph.get("nodes")
    if not isinstance(nodes, dict) or not nodes:
        raise BridgeError("render the graph", "it has no nodes", "a graph saved by ArtifexPro", code="usage")
    sinks = [name for name, each in nodes.items() if isinstance(each, dict) and each.get("type") == "FileOutput"]
    if len(sinks) == 1:
        return with_parameter(graph, sinks[0], "path", path)
    if sinks:
        raise BridgeError(
            f"write the graph to {path}",
            f"it has {len(sinks)} FileOutput nodes, and one path cannot be for all",
            f"--set {sinks[0]}.path=... for each of {', '.join(sorted(sinks))}, without --out",
            code="usage",
        )
    ends = _loose_ends(nodes)
    if len(ends) != 1:
        raise BridgeError(
            f"write the graph to {path}",
            f"{len(ends)} of its nodes lead nowhere, so it does not say which one is the picture",
            "a FileOutput node in the graph",
            code="usage",
        )
    changed = copy.deepcopy(graph)
    changed["nodes"][_free_name(nodes)] = node("FileOutput", {"path": path}, video=ends[0])
    return changed


def _loose_ends(nodes: Mapping[str, Any]) -> list[str]:
    """Nodes that no other node reads, sinks left out."""
    read = {
        str(wire[0])
        for each in nodes.values()
        if isinstance(each, dict)
        for wire in (each.get("inputs") or {}).values()
        if isinstance(wire, (list, tuple)) and wire
    }
    return [
        name
        for name, each in nodes.items()
        if name not in read and not (isinstance(each, dict) and str(each.get("type", "")).endswith("Output"))
    ]


def _free_name(nodes: Mapping[str, Any]) -> str:
    name, number = "output", 1
    while name in nodes:
        number += 1
        name = f"output{number}"
    return name


def job_request(
    work: Mapping[str, Any],
    *,
    title: str = "",
    key: str | None = None,
    output: str | None = None,
    inputs: Sequence[str] = (),
    target: Mapping[str, Any] | None = None,
    client: Mapping[str, str] | None = None,
    priority: int = 0,
    fresh: bool = False,
) -> dict[str, Any]:
    """A `JobRequest` under a new key (or `key`, to send the same job again)."""
    request: dict[str, Any] = {"key": key or uuid.uuid4().hex, "title": title, "work": dict(work)}
    if output is not None:
        request["output"] = output
    if inputs:
        request["inputs"] = [{"path": path} for path in inputs]
    if target is not None:
        request["target"] = dict(target)
    if client is not None:
        request["client"] = dict(client)
    if priority:
        request["priority"] = priority
    if fresh:
        request["fresh"] = True
    return request


def render_work(graph: Document, *, frames: tuple[int, int] | None = None, scale: float = 1.0) -> dict[str, Any]:
    """The work of running a graph's sinks; `frames` is (first, last), both included."""
    work: dict[str, Any] = {"kind": "graph", "document": graph, "scale": scale}
    if frames is not None:
        work["frames"] = {"first": frames[0], "last": frames[1]}
    return work
