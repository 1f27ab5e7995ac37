"""The process that computes what viewers look at: `python -m artifexpro.daemon.viewer`.

It is beside the workers and not one of them, so that an artist who drags a slider never waits for a render, and so
that its pictures stay in memory from one look to the next. Newest wishes come first: it reads all that was said before
it computes anything, and a picture that is only made better is left as soon as somebody wants another one.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import Region, StreamInfo
from artifexpro.core.lazy import torch
from artifexpro.core.memory import keep_freed
from artifexpro.core.protocol import Failure, Rate
from artifexpro.core.protocol.previews import NodeStatistics, PreviewFailed, PreviewFrame, PreviewInfo, PreviewRegion
from artifexpro.daemon.home import Home
from artifexpro.daemon.line import Line, Said, die_with, take_standard_streams
from artifexpro.daemon.previews import Slots

if TYPE_CHECKING:
    from artifexpro.core.project.display import View
    from artifexpro.core.project.preview import Look, PreviewSession, Seen

log = logging.getLogger(__name__)
REST_SECONDS = 0.05
"""So long a drag must have paused before the small picture is made a full one: at 30 changes a second it never is."""
URGENT = frozenset({"open", "look", "close", "quit"})


class Wishes:
    """What was said and not yet obeyed. `hear` belongs to the listening thread, the rest to the one that computes."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque()
        self._urgent = 0
        self._news = threading.Condition()

    def hear(self, said: Said) -> None:
        with self._news:
            self._said.append(said)
            self._urgent += said["op"] in URGENT
            self._news.notify()

    def take(self, patience: float | None) -> list[Said]:
        """All of them, as soon as there is one; none if there is none for `patience` seconds. None is for ever."""
        with self._news:
            self._news.wait_for(lambda: self._said, patience)
            taken = list(self._said)
            self._said.clear()
            self._urgent = 0
        return taken

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for something else than what is being made."""
        return self._urgent > 0


@dataclass
class ViewerContext(QuietContext):
    """Stops what nobody waits for; keeps no times, as a viewer has no report."""

    leave: Callable[[], bool] = field(default=lambda: False, kw_only=True)

    def check(self) -> None:
        if self.leave():
            raise Cancelled

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield


class Stage(IntEnum):
    """What is to be done for a look. The smaller comes first, whichever session it is of."""

    FIRST = 0
    BETTER = 1
    """A smaller picture was sent."""
    WARM = 2
    """All was sent; the next edit can be made ready for."""
    DONE = 3


@dataclass
class Held:
    """A session and the look it works on."""

    name: str
    view: View
    context: ViewerContext
    session: PreviewSession
    slots: Slots = field(default_factory=Slots)
    problem: ArtifexError | None = None
    number: int = 0
    look: Look | None = None
    stage: Stage = Stage.DONE


class Viewer:
    """All sessions of one daemon, one picture at a time."""

    def __init__(self, line: Line, wishes: Wishes, home: Home, registry: Registry) -> None:
        self._line = line
        self._wishes = wishes
        self._home = home
        self._registry = registry
        self._engine = Engine()
        self._held: dict[str, Held] = {}
        self._may_leave = False

    def live(self) -> None:
        """Until told to quit."""
        while True:
            held = self._next()
            patience = None if held is None else 0.0 if held.stage is Stage.FIRST else REST_SECONDS
            said = self._wishes.take(patience)
            for each in said:
                if each["op"] == "quit":
                    return
                self._obey(each)
            held = self._next()
            if held is not None and (held.stage is Stage.FIRST or not said):
                self._work_on(held)

    def close(self) -> None:
        for held in self._held.values():
            held.slots.close()

    def _next(self) -> Held | None:
        """Whose turn it is: of those at the earliest stage, who has waited longest."""
        waiting = (held for held in self._held.values() if held.stage is not Stage.DONE)
        return min(waiting, key=lambda held: held.stage, default=None)

    # ------------------------------------------------------------------ what is said

    def _obey(self, said: Said) -> None:
        name = said["session"]
        if said["op"] == "open":
            self._open(name, said)
        elif said["op"] == "close":
            held = self._held.pop(name, None)
            if held is not None:
                held.slots.close()
        elif said["op"] == "statistics":
            self._tell_statistics(self._held[name], said["ask"])
        else:
            self._take_look(self._held[name], said)

    def _open(self, name: str, said: Said) -> None:
        from artifexpro.core.project.preview import PreviewSession

        nowhere = self._home.root / "viewer"
        context = ViewerContext(nowhere, self._home.store, self._home.models, leave=self._leave)
        session = PreviewSession(Document(), said["node"], self._registry, context, self._engine)
        held = self._held[name] = Held(name, said["view"], context, session)
        try:
            self._edit(held, said)
            self._line.say("opened", session=name, info=_info(session.info()))
        except Exception as error:
            self._line.say("opened", session=name, error=_failure(error))

    def _take_look(self, held: Held, said: Said) -> None:
        from artifexpro.core.project.preview import Look

        region = None if said["region"] is None else Region(**said["region"])
        held.number, held.stage = said["number"], Stage.FIRST
        held.look = Look(said["frame"], said["scale"], region)
        self._held[held.name] = self._held.pop(held.name)
        try:
            self._edit(held, said)
        except Exception as error:
            self._fail(held, error)

    def _edit(self, held: Held, said: Said) -> None:
        if said.get("document") is not None:
            try:
                held.problem = None
                held.session.replace(Document.parse(said["document"]))
            except ArtifexError as error:
                held.problem = error
        if said.get("node") is not None:
            held.session.look_at(said["node"])
        if held.problem is not None:
            raise held.problem
        for node, params in said.get("changes", {}).items():
            held.session.edit(node, params)

    def _tell_statistics(self, held: Held, ask: int) -> None:
        nodes = [
            NodeStatistics.model_validate(counted._asdict()).model_dump(mode="json")
            for counted in held.session.statistics()
        ]
        self._line.say("statistics", session=held.name, ask=ask, nodes=nodes)

    # ------------------------------------------------------------------ pictures

    def _leave(self) -> bool:
        return self._may_leave and self._wishes.urgent

    def _work_on(self, held: Held) -> None:
        if sum(other.stage is not Stage.DONE for other in self._held.values()) > 1:
            self._line.say("begins", session=held.name)
        self._may_leave = held.stage is not Stage.FIRST
        try:
            self._advance(held)
        except Cancelled:
            return
        except Exception as error:
            if held.stage is Stage.WARM:
                held.stage = Stage.DONE
            else:
                self._fail(held, error)

    def _advance(self, held: Held) -> None:
        look, began = held.look, perf_counter()
        assert look is not None
        if held.stage is Stage.WARM:
            held.session.warm(look)
            held.stage = Stage.DONE
            return
        seen = held.session.first(look) if held.stage is Stage.FIRST else held.session.full(look)
        self._send(held, look, seen, began)
        held.stage = Stage.WARM if seen.final else Stage.BETTER

    def _send(self, held: Held, look: Look, seen: Seen, began: float) -> None:
        from artifexpro.core.project.display import show

        shown = show(seen.picture, held.view)
        room = 0 if seen.final else round(shown.pixels.nbytes * (look.scale / seen.scale + 0.1) ** 2)
        token = held.slots.write(shown.pixels.data, *shown.size, shown.dtype, shown.space, room)
        frame = PreviewFrame(
            number=held.number,
            frame=seen.frame,
            scale=seen.scale,
            region=_region(seen.region),
            token=token,
            seconds=round(perf_counter() - began, 6),
            final=seen.final,
            info=PreviewInfo.model_validate(_info(seen.info)),
            notes=tuple(held.context.notes),
        )
        self._line.say("frame", session=held.name, body=frame.model_dump(mode="json"))

    def _fail(self, held: Held, error: Exception) -> None:
        held.stage = Stage.DONE
        failed = PreviewFailed(number=held.number, error=Failure.model_validate(_failure(error)))
        self._line.say("failed", session=held.name, body=failed.model_dump(mode="json"))


def _info(info: StreamInfo) -> dict[str, Any]:
    return PreviewInfo(
        first=info.first,
        last=info.last,
        rate=Rate(num=info.rate.numerator, den=info.rate.denominator),
        width=info.width,
        height=info.height,
        space=info.space,
        still=info.still,
        endless=info.endless,
    ).model_dump(mode="json")


def _region(region: Region | None) -> PreviewRegion | None:
    if region is None:
        return None
    return PreviewRegion(x=region.x, y=region.y, width=region.width, height=region.height)


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, ArtifexError):
        return error.details()
    log.error("a picture could not be made", exc_info=error)
    said = " ".join(str(error).split())[:500].rstrip(".") or "no reason given"
    return Failure(
        code="defect",
        attempted="show a picture",
        because=f"the viewing process stopped with: {said}",
        remedy="its log in the daemon's home, and reporting this as a defect",
    ).model_dump(mode="json")


def serve(arguments: list[str], registry: Callable[[], Registry]) -> int:
    """Show what is asked for until told to quit."""
    parser = argparse.ArgumentParser(prog="artifexpro.daemon.viewer")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    chosen = parser.parse_args(arguments)
    die_with(chosen.parent)
    keep_freed()
    wishes = Wishes()
    line = Line(*take_standard_streams(), wishes.hear)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    line.start()
    torch.set_num_threads(1)
    viewer = Viewer(line, wishes, Home(chosen.home), registry())
    line.say("ready", pid=os.getpid())
    viewer.live()
    viewer.close()
    return 0


def ready_library() -> Registry:
    """The built-in nodes, with all loaded that the first picture would otherwise wait for."""
    from artifexpro.core.graph.values import ImageBuffer
    from artifexpro.core.media.pixels import blank
    from artifexpro.core.nodes import library
    from artifexpro.core.project import display, preview

    assert preview.PreviewSession is not None
    display.show(ImageBuffer(blank(1, 1)), "srgb")
    return library()


def main() -> int:
    return serve(sys.argv[1:], ready_library)


if __name__ == "__main__":
    sys.exit(main())
