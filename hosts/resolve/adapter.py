"""The adapter: wishes become jobs, finished jobs become clips, takes and LUTs. The same for both ways into Resolve.

`pump()` does everything that is due. It waits for nothing but Resolve's own answers, and asks Resolve only where
something is on its way.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.jobs import DELIVERED, FAILED, Job, Keeper
from ..bridge.session import Session
from . import asking, delivering, looks, plates, watched
from .edit import Clip, Edit, edit_of
from .hands import Hands
from .identity import introduction
from .shelf import Shelf
from .wishes import Wish, refused

LOOK_SECONDS = 1.0
"""How often Resolve is asked which project is open, and whether a result that waits has its place now."""
RENDER_SECONDS = 0.25


@dataclass(frozen=True)
class Asked:
    """What became of a wish: a sentence, and the job, which a take has only once its frames are rendered."""

    said: str
    job: Job | None = None


class Adapter:
    """Everything between the artist's wishes and the timeline.

    `home` is a folder of ours for books, plates and looks; `luts` is Resolve's master LUT folder. `files` names the
    book of jobs that belong to no project: each process that makes such results has one of its own.
    """

    def __init__(
        self,
        hands: Hands,
        session: Session,
        home: Path,
        luts: Path,
        files: str = "files",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hands = hands
        self.session = session
        self.trouble = ""
        self.plates: list[plates.Plate] = []
        self.told: list[str] = []
        self._home = home
        self._luts = luts
        self._files = files
        self._clock = clock
        self._shelf = Shelf(home / "projects")
        self._known: set[Keeper] = set()
        self._look_at = self._render_at = 0.0
        self._later: dict[str, float] = {}
        self._keep_up(files)

    # ------------------------------------------------------------------ asking

    def edit(self) -> Edit:
        """The open timeline as it is now. Raises `BridgeError`."""
        edit = edit_of(self.hands.do("look"))
        self._keep_up(edit.project)
        return edit

    def ask(self, wish: Wish, folder: Path | None = None) -> Asked:
        """Ask for a result; its place is frozen now. `folder` is where a result without a timeline goes.

        Raises `BridgeError`.
        """
        wish.checked()
        client = introduction()
        if wish.kind == "file":
            beside = folder or self._home / "files" / uuid.uuid4().hex[:12]
            job = asking.ask_file(self.session.book, wish, client, beside, self._files)
            return self._asked(job, f"It will be in {job.place['folder']}.")
        edit = self.edit()
        if wish.kind == "take":
            return self._take(edit, wish)
        if wish.kind == "look":
            return self._look(edit, wish)
        job = asking.ask_clip(self.session.book, edit, wish, client, None)
        return self._asked(job, f"It will be on V{job.place['track']} at {delivering.timecode_of(job.place)}.")

    def job(self, key: Any) -> Job:
        """The job of that key. Raises `BridgeError`."""
        job = self.session.book.get(str(key))
        if job is None:
            raise refused("no job here has that key", "a key that the answer to a wish gave")
        return job

    def again(self, job: Job, seed: int | None = None) -> Asked:
        """The same clip once more on a free track above, with another seed where one is given."""
        fresh = asking.ask_again(self.session.book, job, self.edit(), introduction(), seed)
        return self._asked(fresh, f"It will be on V{fresh.place['track']} at {delivering.timecode_of(fresh.place)}.")

    def cancel(self, job: Job) -> None:
        self.session.cancel(job)
        self._write_down()

    def cdl(self, node: int, slope: list[float], offset: list[float], power: list[float], saturation: float) -> str:
        """Set a CDL on a node of the clip under the playhead. Raises `BridgeError`."""
        edit = self.edit()
        clip = _under_playhead(edit, "set a CDL")
        triples = {"Slope": slope, "Offset": offset, "Power": power}
        if not all(_numbers(triple, 3) for triple in triples.values()) or not _numbers([saturation], 1):
            raise BridgeError("set a CDL", "it has three numbers each for slope, offset and power", "three of each")
        words = {name: " ".join(f"{value:.6g}" for value in triple) for name, triple in triples.items()}
        self.hands.do("cdl", item=clip.id, node=node, Saturation=f"{saturation:.6g}", **words, **edit.names)
        return f"The CDL is on node {node} of {clip.name}."

    def still(self) -> Path:
        """The picture under the playhead as a PNG. Raises `BridgeError`."""
        edit = self.edit()
        folder = self._home / "stills"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{uuid.uuid4().hex[:12]}.png"
        self.hands.do("still", path=str(path), **edit.names)
        return path

    def _take(self, edit: Edit, wish: Wish) -> Asked:
        clip = _under_playhead(edit, "make a take")
        plate = plates.start(self.hands, edit, clip, wish, self._home / "plates")
        self.plates.append(plate)
        self._write_down()
        return Asked(f"The frames of {clip.name} are being rendered; the job follows.")

    def _look(self, edit: Edit, wish: Wish) -> Asked:
        clip = _under_playhead(edit, "set a LUT")
        nodes = len(self.hands.do("item", item=clip.id, **edit.names)["grade"]["luts"])
        if not 1 <= wish.node <= nodes:
            raise BridgeError(
                "set a LUT", f"{clip.name} has no node {wish.node}", f"a node from 1 to {nodes}", code="no-node"
            )
        folder = self._home / "looks" / uuid.uuid4().hex[:12]
        looks.graph(wish.grades, wish.space, folder)
        looks.write_lattice(folder)
        job = asking.ask_look(self.session.book, edit, clip, wish, introduction(), folder, wish.node)
        return self._asked(job, f"It will be on node {wish.node} of {clip.name}.")

    def _asked(self, job: Job, said: str) -> Asked:
        self._write_down()
        return Asked(said, job)

    # ------------------------------------------------------------------ the heartbeat

    @property
    def busy(self) -> bool:
        return self.session.busy or bool(self.plates)

    def pump(self) -> int:
        """Do what is due. Returns the number of results that came into place."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._look_for_project()
        if self.plates and now >= self._render_at:
            self._render_at = now + RENDER_SECONDS
            for plate in tuple(self.plates):
                self._follow(plate)
        due = [job for job in self.session.pump() if now >= self._later.get(job.key, 0.0)]
        arrived = sum(self._deliver(job) for job in due)
        self._write_down()
        return arrived

    def deliver(self, job: Job) -> str:
        """Put one finished job in place now; a sentence. Raises `BridgeError`, and the job stays as it is."""
        if job.place["kind"] == "file":
            return watched.deliver(job)
        promised = [asking.span_of(place) for place in self._promised(job)]
        return delivering.deliver(self.hands, job, promised, self._luts)

    def close(self) -> None:
        self._write_down()
        self.session.hang_up(wait=True)

    def _promised(self, job: Job) -> list[dict[str, Any]]:
        places = self.session.book.promised(job.keeper, besides=job)
        return [each for each in places if each["kind"] == "clip" and each["timeline"] == job.place.get("timeline")]

    def _deliver(self, job: Job) -> int:
        try:
            said = self.deliver(job)
        except BridgeError as trouble:
            if trouble.code in delivering.WAITS:
                job.message = trouble.sentence()
                self._later[job.key] = self._clock() + LOOK_SECONDS
                self.session.book.touch(job)
            else:
                self.session.book.close(job, FAILED, trouble.sentence())
            return 0
        self.session.book.close(job, DELIVERED, said)
        return 1

    def _look_for_project(self) -> None:
        try:
            told = self.hands.do("where")
            if "project" in told:
                self._keep_up(told["project"])
            self.trouble = ""
        except BridgeError as trouble:
            self.trouble = trouble.sentence()

    def _keep_up(self, project: str) -> None:
        """Take over the jobs a project was left with, the first time it is seen open."""
        if project in self._known:
            return
        jobs, renders = self._shelf.read(project)
        self.session.book.adopt(jobs, project)
        for render in renders:
            self.hands.do("render_end", render=render)
        self._known.add(project)

    def _follow(self, plate: plates.Plate) -> None:
        try:
            pattern = plates.ready(self.hands, plate)
        except BridgeError as trouble:
            if trouble.code not in delivering.WAITS:
                self.plates.remove(plate)
                self.told.append(trouble.sentence())
            return
        if pattern is not None:
            self.plates.remove(plate)
            client = introduction()
            asking.ask_take(self.session.book, plate.edit, plate.clip, pattern, plate.wish, client, None)

    def _write_down(self) -> None:
        changed = self.session.book.take_changed() | {plate.edit.project for plate in self.plates}
        for keeper in changed:
            renders = [plate.render for plate in self.plates if plate.edit.project == keeper]
            self._shelf.write(str(keeper), self.session.book.as_text(keeper), renders)


def _under_playhead(edit: Edit, attempted: str) -> Clip:
    if edit.current is None:
        raise BridgeError(attempted, "no clip is under the playhead", "moving it onto one", code="no-item")
    return edit.current


def _numbers(values: Any, count: int) -> bool:
    """Whether these are so many numbers: they come from a file, so they may be anything."""
    plain = isinstance(values, list) and len(values) == count
    return plain and all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values)
