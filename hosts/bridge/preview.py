"""A viewer in a host: one node of a graph, at any frame, while the artist edits.

Everything here returns at once. Edits and looks may come as fast as a slider moves: one look at a time is on the wire,
a newer one takes the place of the one that waits, and edits that wait are sent together. `take` is called from the
host's timer and gives the newest picture; `ready` wakes a host that wants to know earlier.

A daemon or a line that ended costs the picture on its way and nothing else: the graph with all edits is here, and the
session is opened again by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import BridgeError
from .frames import Frame, FrameReader, Stale

if TYPE_CHECKING:
    from .client import Client
    from .wire import Body

OPEN_SECONDS = 120.0
"""The viewing process may have to start first, and opening a graph opens its files."""
LOOK_SECONDS = 30.0
_LOST = ("no-preview", "unreachable", "timeout", "no-daemon")
"""The session is gone or may be; with the line up again, it is opened again."""
_TRIES = 3
"""So often a picture may be gone before it was read, one after the other."""

Region = tuple[int, int, int, int]
"""x, y, width and height in full-scale pixels, y down."""


@dataclass(frozen=True)
class Picture:
    """What a viewer shows. Until `final` a better picture of the same look may follow.

    `scale` is that of this picture; `region` is the part of the whole that it shows, in pixels at that scale, None for
    all of it. `info` has the stream's range, rate and full size as the protocol's `PreviewInfo`. `seconds` is what
    computing it took.
    """

    frame: Frame
    look: int
    at: int
    scale: float
    region: Region | None
    final: bool
    seconds: float
    info: Mapping[str, Any]
    notes: tuple[str, ...]


class Preview:
    """A viewer's session. All methods may be called from any thread, `take` from one at a time.

    `document` is a graph as plain data, `node` what is looked at, `scale` the usual one of its pictures. `view` "srgb"
    is made to be looked at (8 bits), "linear" is half floats in the stream's colour space. `ready` is called in the
    bridge's thread whenever `take` has something new; it must return at once.
    """

    def __init__(
        self,
        client: Client,
        document: Mapping[str, Any],
        node: str,
        *,
        scale: float = 0.25,
        region: Region | None = None,
        view: str = "srgb",
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._settings = {"scale": scale, "region": _region(region), "view": view}
        self._ready = ready
        self._lock = threading.Lock()
        self._document = deepcopy(dict(document))
        self._node = node
        self._unsent: Body = {}
        self._session: str | None = None
        self._opening = False
        self._closed = False
        self._on_wire = False
        self._line = 0
        self._looks = self._gone = 0
        self._wanted: Body | None = None
        self._newest: Body | None = None
        self._answered = 0
        self._event: Body | None = None
        self._problem: BridgeError | None = None
        self._info: Mapping[str, Any] | None = None
        self._reader = FrameReader()
        with self._lock:
            send = self._next()
        send()

    # ------------------------------------------------------------------ from the host

    def edit(self, node: str, params: Mapping[str, Any]) -> None:
        """Set parameters of a node. Seen with the next look; raises `BridgeError` where the graph has no such node."""
        with self._lock:
            record = self._document.get("nodes", {}).get(node)
            if not isinstance(record, dict):
                raise BridgeError(
                    f"edit node {node}",
                    "the graph of this preview has no such node",
                    "show() with the whole graph",
                    code="no-node",
                )
            record["params"] = {**record.get("params", {}), **params}
            self._unsent.setdefault("changes", {}).setdefault(node, {}).update(params)

    def show(self, document: Mapping[str, Any] | None = None, node: str | None = None) -> None:
        """Go on with another graph, or look at another node. Seen with the next look."""
        with self._lock:
            if document is not None:
                self._document = deepcopy(dict(document))
                self._unsent.pop("changes", None)
                self._unsent["document"] = True
            if node is not None:
                self._node = self._unsent["node"] = node

    def look(self, frame: int, *, scale: float | None = None, region: Region | None = None) -> int:
        """Ask for a picture; returns the number of the look, which grows. Older looks may stay unanswered."""
        with self._lock:
            self._looks += 1
            self._wanted = {"number": self._looks, "frame": frame, "scale": scale, "region": _region(region)}
            self._newest = self._wanted
            send = self._next()
            number = self._looks
        send()
        return number

    def take(self) -> Picture | None:
        """The newest picture that was not taken yet. Never waits. See also `problem`."""
        with self._lock:
            event, self._event = self._event, None
            self._mind_line()
            again = self._next() if self._session is None and self._client.trouble is None else _nothing
        again()
        return None if event is None else self._read(event)

    @property
    def problem(self) -> BridgeError | None:
        """Why the newest look has no picture, None while there is one or it is on its way."""
        return self._problem

    @property
    def info(self) -> Mapping[str, Any] | None:
        """Range, rate and full size of what is looked at, as the protocol's `PreviewInfo`; None until it is known."""
        return self._info

    @property
    def waiting(self) -> bool:
        """Whether the newest look has neither its final picture nor a failure yet."""
        with self._lock:
            return not self._closed and self._answered < self._looks

    def statistics(self, done: Callable[[Body | None, BridgeError | None], None]) -> None:
        """What each node has cost so far: `Client.poll` calls `done` with the protocol's `PreviewStatistics`."""
        self._client.post("preview.statistics", {"session": self._session or "-"}, done)

    def close(self) -> None:
        """End the session."""
        with self._lock:
            self._closed = True
            session, self._session = self._session, None
        if session is not None:
            self._client.forget(session)
            self._client.post("preview.close", {"session": session})
        self._reader.close()

    # ------------------------------------------------------------------ what to send next

    def _next(self) -> Callable[[], None]:
        """With the lock held: what there is to send now, to be called without it."""
        if self._closed or self._opening or self._on_wire:
            return _nothing
        if self._session is None:
            if self._wanted is None and self._looks:
                return _nothing
            self._opening, self._unsent = True, {}
            body = {"document": deepcopy(self._document), "node": self._node, **self._settings}
            return lambda: self._ask("preview.open", body, OPEN_SECONDS, self._opened)
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return _nothing
        unsent, self._unsent = self._unsent, {}
        self._on_wire = True
        session = self._session
        edit = self._edit_of(session, unsent)
        looks = {"session": session, **wanted}

        def send() -> None:
            if edit is not None:
                self._ask("preview.edit", edit, LOOK_SECONDS, self._edited)
            self._ask("preview.look", looks, LOOK_SECONDS, self._looked)

        return send

    def _edit_of(self, session: str, unsent: Body) -> Body | None:
        if not unsent:
            return None
        edit: Body = {"session": session}
        if "document" in unsent:
            edit["document"] = deepcopy(self._document)
        elif "changes" in unsent:
            edit["changes"] = [{"node": node, "params": params} for node, params in unsent["changes"].items()]
        if "node" in unsent:
            edit["node"] = unsent["node"]
        return edit

    def _ask(
        self, op: str, body: Body, seconds: float, done: Callable[[Body | None, BridgeError | None], None]
    ) -> None:
        try:
            self._client.ask(op, body, done, seconds)
        except BridgeError as error:
            done(None, error)

    def _mind_line(self) -> None:
        """With the lock held: a line that was opened anew has no sessions, and what was on its way is gone."""
        if self._session is not None and self._line != self._client.line:
            self._lose_session()

    def _lose_session(self) -> None:
        if self._session is not None:
            self._client.forget(self._session)
        self._session = None
        if self._answered < self._looks:
            self._wanted = self._newest

    # ------------------------------------------------------------------ in the bridge's thread

    def _opened(self, reply: Body | None, error: BridgeError | None) -> None:
        with self._lock:
            self._opening = False
            closed = self._closed
            if reply is not None and not closed:
                self._session, self._line = str(reply["session"]), self._client.line
                self._info = reply["info"] or self._info
                if reply["error"] is not None:
                    self._problem = BridgeError.from_failure(reply["error"])
                self._client.listen(self._session, self._hear)
            elif error is not None:
                self._refused(error)
            send = self._next() if reply is not None else _nothing
        if closed and reply is not None:
            self._client.post("preview.close", {"session": reply["session"]})
        send()
        self._ready()

    def _edited(self, reply: Body | None, error: BridgeError | None) -> None:
        if error is not None:
            with self._lock:
                self._refused(error)

    def _looked(self, reply: Body | None, error: BridgeError | None) -> None:
        with self._lock:
            self._on_wire = False
            if error is not None:
                self._refused(error)
            send = self._next() if error is None or error.code == "no-preview" else _nothing
        send()
        if error is not None:
            self._ready()

    def _refused(self, error: BridgeError) -> None:
        """With the lock held: a request was not answered as it should."""
        if error.code in _LOST:
            self._lose_session()
            if error.code != "no-preview":
                self._problem = error
        else:
            self._wanted = None
            self._fail(error, self._looks)

    def _hear(self, event: Body) -> None:
        body = event["body"]
        with self._lock:
            if event["session"] != self._session:
                return
            if event["event"] == "preview.closed":
                self._lose_session()
                send = self._next() if self._wanted is not None else _nothing
            else:
                send = _nothing
                self._take_in(event, body)
        send()
        self._ready()

    def _take_in(self, event: Body, body: Body) -> None:
        if event["event"] == "preview.failed":
            self._event = None
            self._fail(BridgeError.from_failure(body["error"]), int(body["number"]))
            return
        self._event = event
        self._info = body["info"]
        self._problem = None
        if body["final"]:
            self._answered = max(self._answered, int(body["number"]))

    def _fail(self, error: BridgeError, number: int) -> None:
        self._problem = error
        self._answered = max(self._answered, number)

    # ------------------------------------------------------------------ pixels

    def _read(self, event: Body) -> Picture | None:
        body = event["body"]
        try:
            frame = self._reader.copy(body["token"], event.get("parts", ()))
        except Stale:
            return None
        except BridgeError as error:
            self._look_again(int(body["number"]), error)
            return None
        self._gone = 0
        region = body["region"]
        return Picture(
            frame,
            int(body["number"]),
            int(body["frame"]),
            float(body["scale"]),
            None if region is None else (region["x"], region["y"], region["width"], region["height"]),
            bool(body["final"]),
            float(body["seconds"]),
            body["info"],
            tuple(body["notes"]),
        )

    def _look_again(self, number: int, error: BridgeError) -> None:
        """The process that had the pixels has ended before they were read."""
        with self._lock:
            if self._newest is None or number != self._newest["number"] or self._event is not None:
                return
            self._gone += 1
            if self._gone > _TRIES:
                self._fail(error, number)
                return
            self._looks += 1
            self._newest = self._wanted = {**self._newest, "number": self._looks}
            send = self._next()
        send()


def _nothing() -> None:
    """There is nothing to send."""


def _region(region: Region | None) -> Body | None:
    if region is None:
        return None
    x, y, width, height = region
    return {"x": x, "y": y, "width": width, "height": height}
