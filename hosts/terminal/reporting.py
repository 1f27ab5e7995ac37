"""The report of a job: what a person wants to know, and what a script can rely on, from a `JobResult`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from artifexpro.hosts.terminal.output import refuse, seconds

Report = dict[str, Any]
NAME = "report.json"


def report(job: str, result: dict[str, Any]) -> Report:
    """What made the files and how long it took.

    `seconds` are by stage, all nodes together. `settings` and `models` have, by generator node, every number as it was
    settled and the weights with their hashes; `model`, `prompt` and `seed` are those of the first generator. `prompts`
    are those that were extended: original, extended, difference, by what, and the seed.
    """
    recipe = result.get("recipe", {})
    made = {name: node for name, node in recipe.get("nodes", {}).items() if "spec" in node}
    first: dict[str, Any] = next(iter(made.values()), {"spec": {}})["spec"]
    return {
        "job": job,
        "model": first.get("model"),
        "prompt": first.get("prompt"),
        "seed": first.get("seed"),
        "seconds": _by_stage(result.get("stages", ())),
        "versions": recipe.get("versions", {}),
        "notes": list(result.get("notes", ())),
        "files": [{k: v for k, v in each.items() if v is not None} for each in result.get("artefacts", ())],
        "prompts": [each["prompt"] for each in recipe.get("computed", {}).values() if "prompt" in each],
        "settings": {name: node["spec"] for name, node in made.items()},
        "models": {name: node.get("model") for name, node in made.items()},
    }


def write(made: Report, folder: Path) -> Path:
    """`report.json` in `folder`, whole or not at all."""
    path = folder / NAME
    part = folder / f".{NAME}.part"
    try:
        part.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        because = f"the file cannot be written ({error.strerror}); what the job made is there"
        raise refuse(f"write {path}", because, "freeing space, or another folder") from error
    return path


def told(made: Report) -> list[str]:
    """The report for a person."""
    said = [_described(file) for file in made["files"]]
    total = made["seconds"].get("total")
    if total is not None:
        stages = ", ".join(f"{name} {seconds(took)}" for name, took in made["seconds"].items() if name != "total")
        said.append(f"Took {seconds(total)}" + (f": {stages}." if stages else "."))
    if made["model"] is not None:
        said.append(f"Model {made['model']}, seed {made['seed']}, job {made['job']}.")
    said += [f"Note: {note}" for note in made["notes"]]
    return said


def _by_stage(stages: Any) -> dict[str, float]:
    """Seconds of each stage, all nodes together, in the order they began."""
    sums: dict[str, float] = {}
    for stage in stages:
        sums[stage["name"]] = round(sums.get(stage["name"], 0.0) + stage["seconds"], 3)
    return sums


def _described(file: dict[str, Any]) -> str:
    facts = []
    frames = file.get("frames")
    if frames and file["role"] == "frames":
        facts.append(f"frames {frames['first']} to {frames['last']}")
    elif frames and file["role"] == "clip":
        facts.append(f"{frames['last'] - frames['first'] + 1} frames")
    if "width" in file:
        facts.append(f"{file['width']} x {file['height']}")
    if "space" in file:
        facts.append(file["space"])
    return f"  {file['role']:9} {file['path']}" + (f" ({', '.join(facts)})" if facts else "")
