"""Commands that ask the daemon and print its answer."""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass
from typing import Any

from artifexpro.hosts.terminal import talk
from artifexpro.hosts.terminal.making import size_of
from artifexpro.hosts.terminal.output import Failed, document, lines, refuse, seconds, table

Data = dict[str, Any]


def _ask(op: str, body: Data | None = None, timeout: float = 60.0) -> Data:
    with talk.daemon() as client:
        return client.request(op, body, timeout=timeout)[0]


def nodes(name: str | None, *, as_json: bool) -> None:
    """The catalogue, or one node of it."""
    known: list[Data] = _ask("catalogue.nodes", timeout=talk.SLOW_SECONDS)["nodes"]
    if name is not None:
        known = [_one(known, name)]
    if as_json:
        document(known)
    elif name is None:
        table(((node["name"], node["category"], _first_line(node["doc"])) for node in known), ("node", "category", ""))
    else:
        lines(_node(known[0]))


def _one(known: list[Data], name: str) -> Data:
    for node in known:
        if node["name"].lower() == name.lower():
            return node
    near = difflib.get_close_matches(name, [node["name"] for node in known], n=1, cutoff=0.4)
    remedy = near[0] if near else "artifexpro nodes, which lists them all"
    raise refuse(f"show the node {name}", "there is none of that name", remedy)


def _node(node: Data) -> list[str]:
    said = [f"{node['name']} (version {node['version']}, {node['category']})", "", node["doc"], ""]
    for way in ("inputs", "outputs"):
        said.append(f"{way}: {', '.join(map(_socket, node[way])) or 'none'}")
    said.append("")
    for each in node["parameters"]:
        said.append(f"  {each['name']}: {_kind(each)}")
        if each["doc"]:
            said.append(f"      {each['doc']}")
    return said


def _socket(socket: Data) -> str:
    return f"{socket['name']} ({socket['type']}{', optional' if socket.get('optional') else ''})"


def _kind(parameter: Data) -> str:
    kind = " | ".join(map(str, parameter["choices"])) if parameter.get("choices") else str(parameter["type"])
    facts = [kind, f"default {parameter['default']!r}"]
    if parameter["minimum"] is not None or parameter["maximum"] is not None:
        low = "" if parameter["minimum"] is None else f"{parameter['minimum']:g}"
        high = "" if parameter["maximum"] is None else f"{parameter['maximum']:g}"
        facts.append(f"{low}..{high}")
    if parameter["unit"]:
        facts.append(parameter["unit"])
    return ", ".join(facts)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def doctor(*, as_json: bool) -> None:
    """Every check. Status 1 where one is not in order."""
    checks = _checks()
    if as_json:
        document(checks)
    else:
        for check in checks:
            remedy = f" Try {check['remedy']}." if not check["ok"] and check["remedy"] else ""
            lines([f"{'ok     ' if check['ok'] else 'MISSING'}  {check['name']}: {check['said']}.{remedy}"])
    missing = [check["name"] for check in checks if not check["ok"]]
    if missing:
        raise Failed(f"Not in order: {', '.join(missing)}.")


def _checks() -> list[Data]:
    """The daemon's own checks; where it cannot be reached, that is the one thing to say."""
    try:
        found: list[Data] = _ask("daemon.doctor", timeout=talk.SLOW_SECONDS)["checks"]
    except Failed as failed:
        return [{"name": "daemon", "ok": False, "said": str(failed).rstrip("."), "remedy": ""}]
    return found


def models(*, as_json: bool) -> None:
    """The models, and whether their weights are here."""
    known: list[Data] = _ask("models.list")["models"]
    if as_json:
        document(known)
        return
    rows = ((model["name"], _state(model), ", ".join(model["tasks"]), model["about"]) for model in known)
    table(rows, ("model", "", "tasks", ""))


def _state(model: Data) -> str:
    if not model["usable"]:
        return "later"
    return "here" if model["installed"] else f"{model['download_gb']:.0f} GB to get"


@dataclass(frozen=True)
class Clip:
    """What `models plan` is asked about, as typed; None is not stated. `vram` and `ram` are gigabytes."""

    model: str | None
    task: str | None
    preset: str
    profile: str | None
    frames: int | None
    size: str | None
    steps: int | None
    shift: float | None
    vram: float | None
    ram: float | None
    card: str


def plan(clip: Clip, *, as_json: bool) -> None:
    """What a clip would need. A plan that does not fit is an answer, not a failure."""
    width, height = (None, None) if clip.size is None else size_of(clip.size)
    stated = {
        "model": clip.model,
        "task": clip.task,
        "preset": clip.preset,
        "profile": clip.profile,
        "frames": clip.frames,
        "steps": clip.steps,
        "shift": clip.shift,
        "width": width,
        "height": height,
        "vram_gb": clip.vram,
        "ram_gb": clip.ram,
        "card": clip.card or None,
    }
    body = {name: value for name, value in stated.items() if value is not None}
    made = _ask("models.plan", body, timeout=talk.SLOW_SECONDS)
    if as_json:
        document(made)
        return
    lines([f"{made['model']}, {made['task']}. {'Fits' if made['fits'] else 'Does not fit'}: {made['reason']}."])
    table((_stage(each) for each in made["stages"]), ("stage", "card", "memory", "time", "how"))
    took = "time unknown" if made["seconds"] is None else f"{seconds(made['seconds'])} in all"
    lines([f"Peak on the card {made['peak_vram_gb']:.1f} GB, on disk {made['disk_gb']:.1f} GB, {took}."])
    lines([f"From: {made['basis']}."])
    lines(f"Note: {note}" for note in made.get("notes", ()))


def _stage(each: Data) -> tuple[str, ...]:
    how = [", ".join(each["resident"])] if each["resident"] else []
    how += [f"{', '.join(each['offloaded'])} block by block"] if each["offloaded"] else []
    how += ["in 8 bits"] if each["quantised"] else []
    how += [f"in tiles of {each['tiled']} pixels"] if each["tiled"] else []
    took = "unknown" if each["seconds"] is None else seconds(each["seconds"])
    return each["name"], f"{each['vram_gb']:.1f} GB", f"{each['ram_gb']:.1f} GB", took, ", ".join(how)


def jobs(limit: int, *, as_json: bool) -> None:
    """The newest jobs."""
    known: list[Data] = _ask("job.list", {"limit": limit})["jobs"]
    if as_json:
        document(known)
        return
    rows = ((job["job"], _progress(job), _when(job["created"]), _short(job["title"])) for job in known)
    table(rows, ("job", "state", "asked", "title"))


def show(job: str, *, as_json: bool) -> None:
    """One job, whole."""
    view = _ask("job.show", {"job": job})
    if as_json:
        document(view)
        return
    lines([f"Job {view['job']}: {_progress(view)}", f"Title: {view['title']}", f"Asked: {_when(view['created'])}"])
    if view["started"] and view["finished"]:
        lines([f"Took: {view['finished'] - view['started']:.1f} s in attempt {view['attempt']}"])
    if view["error"]:
        error = view["error"]
        lines([f"Attempted to {error['attempted']}. Failed because {error['because']}. Try {error['remedy']}."])
    if view["result"]:
        lines(f"  {each['path']}" for each in view["result"]["artefacts"])
        lines(f"Note: {note}" for note in view["result"]["notes"])


def cancel(job: str, *, as_json: bool) -> None:
    """Stop a job: at once if it waits, at its next step if it runs."""
    _tell(_ask("job.cancel", {"job": job}), "will stop at its next step", as_json=as_json)


def retry(job: str, *, as_json: bool) -> None:
    """Queue a job again."""
    _tell(_ask("job.retry", {"job": job}), "is running again", as_json=as_json)


def _tell(view: Data, running: str, *, as_json: bool) -> None:
    if as_json:
        document(view)
    else:
        said = running if view["state"] == "running" else f"is {view['state']}"
        lines([f"Job {view['job']} {said}."])


def _progress(job: Data) -> str:
    if job["state"] != "running" or job.get("progress") is None:
        return str(job["state"])
    return f"running, {job['stage']} {job['progress'] * 100:.0f} %"


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"{words[:59]}…"
