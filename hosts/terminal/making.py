"""Commands that make something: each builds one job, follows it and says what it made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.hosts.bridge import graphs
from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.terminal import reporting, talk, tasks
from artifexpro.hosts.terminal.following import follow, run
from artifexpro.hosts.terminal.output import Failed, WrongUse, document, lines, refuse, remark
from artifexpro.hosts.terminal.prompting import Words

DEMO = {
    "prompt": "a large yellow star moving right over a dark blue background",
    "model": "wan22-tiny",
    "preset": "Draft",
    "seed": 7,
    "width": 192,
    "height": 128,
    "frames": 33,
    "steps": 20,
}
_RANGE = re.compile(r"(-?\d+)(?:-(-?\d+))?")
_GUIDANCE = re.compile(r"(?:(\d+(?:\.\d+)?),)?(\d+(?:\.\d+)?)")
_SIZE = re.compile(r"(\d+)[xX](\d+)")


@dataclass(frozen=True)
class Wish:
    """What `generate` was asked for, as typed; None is not stated."""

    prompt: str
    out: Path
    task: str | None
    image: Path | None
    last_image: Path | None
    audio: Path | None
    video: Path | None
    mask: Path | None
    strength: float | None
    style: str | None
    style_strength: float | None
    words: Words
    model: str | None
    preset: str
    profile: str | None
    negative: str | None
    frames: int | None
    size: str | None
    steps: int | None
    guidance: str | None
    shift: float | None
    scheduler: str | None
    lora: Path | None
    lora_low: Path | None
    lora_strength: float | None
    lora_steps: int | None
    seed: int

    @property
    def files(self) -> dict[str, Path]:
        """The files given, by their options' names."""
        stated = {
            "image": self.image,
            "last-image": self.last_image,
            "audio": self.audio,
            "video": self.video,
            "mask": self.mask,
        }
        return {option: path for option, path in stated.items() if path is not None}


def demo(out: Path, *, as_json: bool) -> None:
    """The main job: prompt to movie, EXR frames, timeline and contact sheet."""
    folder = out.absolute()
    graph = graphs.clip_graph("TI2VGenerator", DEMO, graphs.MAIN_JOB)
    with talk.daemon() as client:
        made, written = _make_clip(client, graph, "demo", folder)
    if not as_json:
        lines([f'Made in {folder} from "{made["prompt"]}":'])
    _tell(made, written, as_json=as_json)


def generate(wish: Wish, *, as_json: bool) -> None:
    """One clip to one file."""
    params = _settings(wish)
    out = wish.out.absolute()
    if wish.task is not None:
        tasks.media(wish.task, wish.files)
    with talk.daemon() as client:
        task = wish.task or _likely_task(client, wish)
        media = tasks.media(task, wish.files)
        params |= tasks.settings(task, wish.style, wish.strength, wish.files, wish.style_strength)
        outputs = graphs.Outputs(movie=out.name)
        graph = graphs.clip_graph(tasks.TASKS[task].generator, params, outputs, media=media)
        made, written = _make_clip(client, graph, wish.prompt or str(wish.style), out.parent)
    _tell(made, written, as_json=as_json)


def _settings(wish: Wish) -> dict[str, Any]:
    """The generator's parameters; what was not stated is left to the preset."""
    width, height = (None, None) if wish.size is None else size_of(wish.size)
    low, high = (None, None) if wish.guidance is None else guidance_of(wish.guidance)
    stated = {
        "prompt": wish.prompt,
        "negative_prompt": wish.negative,
        "model": wish.model,
        "preset": wish.preset,
        "seed": wish.seed,
        "frames": wish.frames,
        "steps": wish.steps,
        "width": width,
        "height": height,
        "guidance": high,
        "guidance_low": low,
        "shift": wish.shift,
        "scheduler": wish.scheduler,
        "profile": wish.profile,
        **wish.words.stated(),
        "lora": None if wish.lora is None else str(wish.lora.absolute()),
        "lora_low": None if wish.lora_low is None else str(wish.lora_low.absolute()),
        "lora_strength": wish.lora_strength,
        "lora_steps": wish.lora_steps,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _likely_task(client: Client, wish: Wish) -> str:
    """What the files ask for, of what the model does; without files, what the model does first."""
    if wish.model is None:
        return tasks.likely(tuple(wish.files), None)
    known = client.request("models.list")[0]["models"]
    able = next((each["tasks"] for each in known if each["name"] == wish.model), None)
    if not wish.files:
        return next((task for task in able or () if task in tasks.TASKS and not tasks.TASKS[task].needs), "ti2v")
    return tasks.likely(tuple(wish.files), able)


def _make_clip(client: Client, graph: graphs.Document, title: str, folder: Path) -> tuple[reporting.Report, Path]:
    """Run the graph, write its report into `folder`; returns the report and where it is."""
    request = graphs.job_request(graphs.render_work(graph), title=_title(title), output=str(folder), client=client.info)
    made = reporting.report(*run(client, request))
    return made, reporting.write(made, folder)


def _tell(made: reporting.Report, written: Path | None, *, as_json: bool) -> None:
    if as_json:
        document(made)
        return
    lines(reporting.told(made))
    if written is not None:
        lines([f"  report    {written}"])


def _title(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 80 else f"{words[:79]}…"


@dataclass(frozen=True)
class Clips:
    """What `render` was told of the clips of a timeline, as typed; None is not stated."""

    timeline: Path | None
    into: str | None
    track: str | None
    handles: int | None


def render(
    graph: Path,
    frames: str | None,
    scale: float,
    settings: list[str],
    out: Path | None,
    clips: Clips,
    *,
    as_json: bool,
) -> None:
    """Run a graph document's sinks, once or for each clip of a timeline."""
    each = _each(clips, frames)
    made = _read_graph(graph)
    with talk.told():
        for setting in settings:
            made = graphs.with_parameter(made, *_setting(setting))
        if out is not None:
            made = graphs.with_output(made, out.name)
    folder = out.absolute().parent if out is not None else Path.cwd()
    work = graphs.render_work(made, frames=None if frames is None else range_of(frames), scale=scale)
    if each is not None:
        work["each"] = each
    with talk.daemon() as client:
        request = graphs.job_request(work, title=graph.name, output=str(folder), client=client.info)
        made_of = reporting.report(*run(client, request))
    _tell(made_of, None, as_json=as_json)


def _each(clips: Clips, frames: str | None) -> dict[str, Any] | None:
    """The part of a job's work that says on which clips it runs. Raises `WrongUse`."""
    stated = {"--into": clips.into, "--track": clips.track, "--handles": clips.handles}
    if clips.timeline is None:
        for option, value in stated.items():
            if value is not None:
                raise WrongUse(f"{option} says something of the clips of a timeline: --each-clip FILE.otio names it.")
        return None
    if clips.into is None:
        raise WrongUse("--each-clip needs --into NODE: the input of the graph that is pointed at each clip.")
    if frames is not None:
        raise WrongUse("--frames and --each-clip exclude each other: every clip has its own frames.")
    each = {"timeline": str(clips.timeline.absolute()), "node": clips.into}
    return each | {
        name: value for name, value in (("track", clips.track), ("handles", clips.handles)) if value is not None
    }


def _read_graph(path: Path) -> graphs.Document:
    attempted = f"read the graph {path}"
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        because = f"it cannot be opened ({error.strerror})"
        raise refuse(attempted, because, "a file that exists and may be read") from error
    except ValueError as error:
        raise refuse(attempted, f"it is not JSON ({error})", "a graph saved by ArtifexPro") from error
    if not isinstance(read, dict):
        raise refuse(attempted, "it is JSON but not a graph", "a graph saved by ArtifexPro")
    return read


def _setting(text: str) -> tuple[str, str, Any]:
    """("node", "parameter", value) of NODE.PARAM=VALUE; a value that is no JSON is a word."""
    place, equals, value = text.partition("=")
    name, dot, parameter = place.rpartition(".")
    if not (equals and dot and name and parameter):
        raise WrongUse(f"--set takes NODE.PARAM=VALUE, such as blur.size=12; {text!r} is not that.")
    try:
        return name, parameter, json.loads(value)
    except ValueError:
        return name, parameter, value


def range_of(text: str) -> tuple[int, int]:
    """(first, last) of "A-B", or of "A" for one frame."""
    found = _RANGE.fullmatch(text.strip())
    if not found:
        raise WrongUse(f"--frames takes A-B, such as 1001-1024; {text!r} is not that.")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if last < first:
        raise WrongUse(f"--frames {text}: the last frame comes before the first.")
    return first, last


def size_of(text: str) -> tuple[int, int]:
    """(width, height) in pixels of "WxH"."""
    found = _SIZE.fullmatch(text.strip())
    if not found or int(found[1]) == 0 or int(found[2]) == 0:
        raise WrongUse(f"--size takes WxH, such as 832x480; {text!r} is not that.")
    return int(found[1]), int(found[2])


def guidance_of(text: str) -> tuple[float | None, float]:
    """(at low noise, at high noise) of "4" or "3,4"; None is as at high noise."""
    found = _GUIDANCE.fullmatch(text.strip())
    if not found or float(found[2]) == 0 or (found[1] is not None and float(found[1]) == 0):
        raise WrongUse(f"--guidance takes a number, or LOW,HIGH such as 3,4; {text!r} is not that.")
    return None if found[1] is None else float(found[1]), float(found[2])


def model_work(work: dict[str, Any], title: str, *, as_json: bool) -> None:
    """Something done to a model's weights, as a job."""
    stated = {name: value for name, value in work.items() if value is not None}
    with talk.daemon() as client:
        job, result = run(client, graphs.job_request(stated, title=title, client=client.info))
    if as_json:
        document({"job": job, **result})
        return
    lines(result.get("notes", ()))
    lines(f"  {artefact['path']}" for artefact in result.get("artefacts", ()))
    lines([f"Done: {title}."])


def reproduce(job: str, *, as_json: bool) -> None:
    """Make a job again and compare. Equal is status 0, different is 1."""
    with talk.daemon() as client:
        accepted = client.request("job.reproduce", {"job": job})[0]
        again = str(accepted["job"])
        remark(f"Job {again} makes job {job} again.")
        result = follow(client, again)
    compared = result.get("reproduction") or {"of": job, "equal": None, "differs": ["the daemon did not compare them"]}
    if as_json:
        document({"job": again, **compared})
    if compared["equal"]:
        if not as_json:
            lines([f"Equal: job {again} made the same as job {job}."])
        return
    how = "cannot be compared" if compared["equal"] is None else "differs"
    raise Failed(f"Job {again} {how} with job {job}: {'; '.join(compared['differs']) or 'nothing has a hash'}.")
