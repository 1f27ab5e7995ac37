"""What the panel says, as one value; and the graph, the title and the request it becomes.

What is left open is not in the graph: the preset decides. Nothing is corrected here: what cannot be is refused by the
daemon, before and after Generate, in the same words.
"""

from __future__ import annotations

import copy
import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..bridge import graphs
from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from .choices import LARGEST_SEED, TASKS
from .results import POSTER

FRAMES_PATH = "frames/frame.%04d.exr"
TITLE_LENGTH = 60
_ABSOLUTE = re.compile(r"^(/|\\\\|[A-Za-z]:[\\/])")


@dataclass(frozen=True)
class Extension:
    """A prompt, and what a writer made of it for a task: `method` and `seed` make the same text again."""

    original: str
    extended: str
    method: str
    seed: int
    task: str


@dataclass(frozen=True)
class Wish:
    """The fields of the panel. `size` None is the preset's; `media` has whole paths by socket.

    `extension` is what was last taken into the prompt; it counts as long as the prompt is exactly that.
    """

    prompt: str = ""
    avoid: str = ""
    task: str = "ti2v"
    model: str = "wan22-tiny"
    preset: str = "Draft"
    profile: str = ""
    size: tuple[int, int] | None = None
    frames: int = 41
    seed: int = 0
    steps: int = 0
    media: Mapping[str, str] = field(default_factory=dict)
    exr: bool = False
    extension: Extension | None = None

    def params(self) -> dict[str, Any]:
        """The generator's parameters. Both texts of an extended prompt travel, so that the recipe has both."""
        stated: dict[str, Any] = {"prompt": self.prompt, "model": self.model, "preset": self.preset, "seed": self.seed}
        used = self.extension
        if used is not None and (used.extended, used.task) == (self.prompt, self.task):
            stated |= {"prompt": used.original, "extend": used.method, "extend_seed": used.seed}
        if self.avoid.strip():
            stated["negative_prompt"] = self.avoid
        if self.profile:
            stated["profile"] = self.profile
        if self.size is not None:
            stated["width"], stated["height"] = self.size
        if self.steps:
            stated["steps"] = self.steps
        return {**stated, "frames": self.frames}

    def refuse_gaps(self) -> None:
        """Raise `BridgeError` for what the artist has still to say."""
        if not self.prompt.strip():
            raise BridgeError("make a clip", "the prompt is empty", "a few words on what should be seen", code="prompt")
        for medium in TASKS[self.task].media:
            if medium.needed and medium.socket not in self.media:
                raise BridgeError(
                    f"make a clip from {TASKS[self.task].label.lower()}",
                    f"no file is chosen for “{medium.label}”",
                    "dropping one on that field, or Browse",
                    code="file",
                )

    def document(self, *, exr: bool = False) -> graphs.Document:
        """The graph: one generator, the movie, a still for lists, and EXR frames where they are wished or needed."""
        made = graphs.clip_graph(
            TASKS[self.task].generator,
            self.params(),
            graphs.Outputs(frames=FRAMES_PATH if self.exr or exr else None),
            media=self.media,
        )
        if "video" not in self.media:
            made["nodes"]["first_frame"] = graphs.node("FrameHold", {"frame": graphs.FIRST_FRAME}, video="clip")
            made["nodes"]["poster"] = graphs.node("FileOutput", {"path": POSTER}, video="first_frame")
        return made


def job_for(
    document: graphs.Document, title: str, place: dict[str, Any], client: Mapping[str, str], key: str | None = None
) -> Job:
    """A job for the book, at the frozen `place`; its files go to a folder of their own in the place's."""
    key = key or uuid.uuid4().hex
    folder = place.get("output")
    request = graphs.job_request(
        graphs.render_work(document),
        title=title,
        key=key,
        output=None if folder is None else str(Path(folder) / f"{_slug(title)}-{key[:8]}"),
        target=place.get("target"),
        client=client,
    )
    return Job(key, title, request, dict(place))


def title_of(words: str) -> str:
    """The first words of a prompt, or of a title of another host."""
    line = " ".join(words.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "clip"


def generators(document: graphs.Document) -> list[dict[str, Any]]:
    """The nodes of a graph that have a prompt or a seed."""
    nodes = document.get("nodes") or {}
    return [node for node in nodes.values() if {"seed", "prompt"} & set(node.get("params", {}))]


def once_more(document: graphs.Document, title: str, seed: int | None = None) -> graphs.Document:
    """The same graph again, with another seed in every generator where one is given.

    Raises `BridgeError` where making it again would write over the first result.
    """
    for name, node in (document.get("nodes") or {}).items():
        path = str(node.get("params", {}).get("path", ""))
        if str(node.get("type", "")).endswith("Output") and _ABSOLUTE.match(path):
            raise BridgeError(
                f"make “{title}” again",
                f"its node {name} writes to {path}, and the first result would be lost",
                "artifexpro render with another --out",
                code="file",
            )
    made = copy.deepcopy(document)
    if seed is not None:
        for node in generators(made):
            node["params"]["seed"] = seed
    return made


def another_seed(besides: int) -> int:
    """A seed that is not `besides`."""
    seed = random.randrange(LARGEST_SEED)
    return seed if seed != besides else LARGEST_SEED


def seed_of(document: graphs.Document) -> int:
    """The first generator's seed, 0 where it states none."""
    return next((int(node["params"].get("seed", 0)) for node in generators(document)), 0)


def wish_of(document: graphs.Document, title: str) -> Wish:
    """The panel's fields for a clip that was made before. Raises `BridgeError` where it is no clip of one generator.

    An extended prompt comes back as it was written; `Wish.extension` then has no text yet and says how to extend it.
    """
    by_generator = {task.generator: task for task in TASKS.values()}
    nodes: dict[str, Any] = document.get("nodes") or {}
    makers = [node for node in nodes.values() if node.get("type") in by_generator]
    if len(makers) != 1:
        raise BridgeError(
            f"take over the settings of “{title}”",
            "its graph is more than one clip from one generator",
            "Again or Vary Seed, which make the whole graph once more",
            code="graph",
        )
    maker, task = makers[0], by_generator[makers[0]["type"]]
    params = dict(maker.get("params", {}))
    unknown = sorted(set(params) - _RECALLED)
    seed = int(params.get("seed", 0))
    if unknown or seed > LARGEST_SEED:
        because = f"it has settings that this panel does not show: {', '.join(unknown)}"
        raise BridgeError(
            f"take over the settings of “{title}”",
            because if unknown else f"its seed {seed} is larger than the panel's field takes",
            "Again, which makes it with all of them",
            code="graph",
        )
    size = (int(params["width"]), int(params["height"])) if params.get("width") and params.get("height") else None
    method = str(params.get("extend", "none"))
    words = str(params.get("prompt", ""))
    extension = Extension(words, "", method, int(params.get("extend_seed", 0)), task.name)
    return Wish(
        prompt=words,
        avoid=str(params.get("negative_prompt", "")),
        task=task.name,
        model=str(params.get("model", "wan22-tiny")),
        preset=str(params.get("preset", "Draft")),
        profile=str(params.get("profile", "")),
        size=size,
        frames=int(params.get("frames", 41)),
        seed=seed,
        steps=int(params.get("steps") or 0),
        media=_media_of(maker, nodes, {medium.socket for medium in task.media}),
        exr=any(str(node.get("params", {}).get("path", "")).endswith(".exr") for node in nodes.values()),
        extension=None if method == "none" else extension,
    )


_RECALLED = {
    *("prompt", "negative_prompt", "model", "preset", "profile", "seed", "frames", "steps", "width", "height"),
    *("first_frame", "extend", "extend_seed"),
}


def _media_of(maker: Mapping[str, Any], nodes: Mapping[str, Any], sockets: set[str]) -> dict[str, str]:
    """Paths by socket, where the socket is fed by a file directly or through the matte of a mask."""
    found = {}
    for socket, wire in (maker.get("inputs") or {}).items():
        source = nodes.get(wire[0], {})
        if source.get("type") == "MatteFrom":
            source = nodes.get(source["inputs"]["video"][0], {})
        path = source.get("params", {}).get("path")
        if socket in sockets and path:
            found[socket] = str(path)
    return found
