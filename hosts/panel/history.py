"""All clips the daemon has made, from every host: the newest ones, searched by their words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..bridge.jobs import CANCELLED, DELIVERED, FAILED, Job
from ..bridge.session import Body, Trouble
from .wish import generators

NEWEST = 500
"""So many jobs are asked for and searched; `artifexpro jobs list` has them all."""
LEAST_OF_A_NAME = 6
"""So many letters of a job's name are no accident."""
EVERY_SECONDS = 5.0
"""Other hosts add to the history as well: while it is looked at, it is asked for again this often."""

Ask = Callable[[str, Body, Callable[[Any, Any], None]], bool]


class History:
    """The list and what is searched for in it. `seen` says whether anybody looks at it."""

    def __init__(self, ask: Ask, changed: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.seen = False
        self._ask = ask
        self._changed = changed
        self._clock = clock
        self._views: list[dict[str, Any]] = []
        self._due = 0.0
        self._on_its_way = False

    def pump(self, up: bool) -> None:
        """Ask for the list where it is due and somebody looks."""
        if not up:
            self._on_its_way = False
        elif self.seen and not self._on_its_way and self._clock() >= self._due:
            self._on_its_way = True
            if not self._ask("job.list", {"limit": NEWEST}, self._came):
                self._on_its_way = False

    def outdated(self) -> None:
        """Something happened: ask at the next chance."""
        self._due = 0.0

    def _came(self, reply: Body | None, _trouble: Trouble | None) -> None:
        self._on_its_way = False
        self._due = self._clock() + EVERY_SECONDS
        if reply is None:
            return
        views = [view for view in reply["jobs"] if view["kind"] == "graph"]
        if views != self._views:
            self._views = views
            self._changed()

    def found(self, words: str) -> list[dict[str, Any]]:
        """Jobs that have every one of `words`, newest first: in title, prompt, model, preset, host or state, or as the
        seed or the beginning of the job's name."""
        wanted = words.lower().split()
        return [view for view in self._views if all(_has(view, word) for word in wanted)]

    def __len__(self) -> int:
        return len(self._views)


def makers(view: dict[str, Any]) -> list[dict[str, Any]]:
    """The generators' parameters of a finished job, by its recipe."""
    recipe = (view.get("result") or {}).get("recipe") or {}
    return [node["params"] for node in generators(recipe.get("graph") or {})]


def _has(view: dict[str, Any], word: str) -> bool:
    said = [view.get("title", ""), view["state"], (view.get("client") or {}).get("host", "")]
    seeds = []
    for params in makers(view):
        said += [str(params.get(name, "")) for name in ("prompt", "model", "preset")]
        seeds.append(str(params.get("seed", "")))
    named = len(word) >= LEAST_OF_A_NAME and view["job"].startswith(word)
    return named or word in seeds or word in " ".join(said).lower()


def about(view: dict[str, Any], now: float) -> str:
    """One line on a job: when, from which host, with what."""
    parts = [ago(now - float(view["created"]))]
    host = (view.get("client") or {}).get("host")
    if host:
        parts.append(str(host))
    for params in makers(view)[:1]:
        parts += [str(params[name]) for name in ("model", "preset") if name in params]
        parts += [f"seed {params['seed']}"] if "seed" in params else []
    if view["state"] != "finished":
        parts.append(str(view["state"]))
    return " · ".join(part.replace(" ", "\u00a0") for part in parts).replace(" ·", "\u00a0·")


def ago(seconds: float) -> str:
    """How long ago, as one says it."""
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def as_job(view: dict[str, Any]) -> Job:
    """A job of the history as hosts take jobs, to reveal it."""
    place = dict((view.get("target") or {}).get("extra") or {})
    states = {"finished": DELIVERED, "failed": FAILED, "cancelled": CANCELLED}
    state = states.get(view["state"], view["state"])
    return Job(view["key"], view["title"] or view["job"], {}, place, state, view["job"], result=view.get("result"))
