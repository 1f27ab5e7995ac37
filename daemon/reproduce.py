"""Made again: equal, or what differs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import Artefact, JobRequest, JobResult, JobState, Reproduction

MOST_DIFFERENCES = 12
"""Places of a recipe that are named; what changes one number often changes a few more."""
LONGEST = 60
"""Characters of a value that are shown."""
_ABSENT = object()


def again(request: JobRequest, key: str) -> JobRequest:
    """The request that makes everything of `request` again, in the new job's own folder.

    Raises `ArtifexError` for work that makes no files that could be compared.
    """
    if request.work.kind != "graph":
        raise ArtifexError(
            "reproduce this job", "it made no pictures", "retry, if the same work is wanted once more", code="state"
        )
    return request.model_copy(update={"key": key, "fresh": True, "output": None, "title": request.title})


def refuse_overwriting(job: str, result: JobResult, folder: Path) -> None:
    """Raise `ArtifexError` if the job wrote outside its output `folder`: made again, it would write there again."""
    outside = [artefact.path for artefact in result.artefacts if not Path(artefact.path).is_relative_to(folder)]
    if outside:
        raise ArtifexError(
            f"reproduce job {job}",
            f"its graph names the place {outside[0]} in full, so making it again would overwrite what it made",
            "rendering the graph with another path, and comparing the files",
            code="state",
        )


def not_finished(job: str, state: JobState) -> ArtifexError:
    return ArtifexError(
        f"reproduce job {job}",
        f"it is {state.value}, so there is no result to compare with",
        "a finished job",
        code="state",
    )


def compare(of: str, first: JobResult, second: JobResult) -> Reproduction:
    """`second` against `first`, by the hashes of what they made; artefacts are matched by node and role, in order."""
    ours, theirs = _named(first), _named(second)
    differs = [f"{name} was made only the first time" for name in ours if name not in theirs]
    differs += [f"{name} was made only the second time" for name in theirs if name not in ours]
    unknown = []
    for name in ours.keys() & theirs.keys():
        a, b = ours[name], theirs[name]
        if a.sha256 is None or b.sha256 is None:
            unknown.append(f"{name} has no hash and cannot be compared")
        elif a.sha256 != b.sha256:
            differs.append(f"{name} has other content")
    if differs:
        return Reproduction(of=of, equal=False, differs=(*sorted(differs), *_why(first, second)))
    return Reproduction(of=of, equal=None if unknown or not ours else True, differs=tuple(sorted(unknown)))


def _named(result: JobResult) -> dict[str, Artefact]:
    """By node, role and clip. Timelines are left out: they name the folder of their media, another one each time."""
    seen: Counter[str] = Counter()
    named = {}
    for artefact in result.artefacts:
        if artefact.role == "timeline":
            continue
        name = artefact.role if artefact.node is None else f"{artefact.role} of node {artefact.node}"
        if artefact.clip is not None:
            name += f" for the clip {artefact.clip.name} at {artefact.clip.first}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = artefact
    return named


def _why(first: JobResult, second: JobResult) -> Iterator[str]:
    then, now = first.recipe.get("versions", {}), second.recipe.get("versions", {})
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            yield f"{name} was {then.get(name, 'not there')} then and is {now.get(name, 'not there')} now"
    others = [{name: part for name, part in each.recipe.items() if name != "versions"} for each in (first, second)]
    found = list(islice(_differences("", *others), MOST_DIFFERENCES + 1))
    yield from found[:MOST_DIFFERENCES]
    if len(found) > MOST_DIFFERENCES:
        yield "and more"


def _differences(place: str, then: Any, now: Any) -> Iterator[str]:
    """What differs between two recipes, each by its place: graph.nodes.wan.params.seed."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted(then.keys() | now.keys()):
            inside = f"{place}.{name}" if place else name
            yield from _differences(inside, then.get(name, _ABSENT), now.get(name, _ABSENT))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (before, after) in enumerate(zip(then, now, strict=True)):
            yield from _differences(f"{place}.{index}", before, after)
    elif then != now:
        yield f"{place} in the recipe was {_said(then)} then and is {_said(now)} now"


def _said(value: Any) -> str:
    if value is _ABSENT:
        return "not there"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
