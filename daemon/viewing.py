"""Sessions of viewers, and the one process that computes their pictures.

A session belongs to the connection that opened it and ends with it. All of it that cannot be computed again is here:
the document, the edits since, the newest look. So the viewing process may end, for want of work or by an accident, and
the next one goes on where it was. A session has at most one look on its way and one that waits; a newer one takes the
place of the one that waits.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import Failure
from artifexpro.core.protocol.previews import (
    EditPreview,
    LookAtPreview,
    OpenPreview,
    ParameterChange,
    PreviewClosed,
    PreviewEventKind,
    PreviewFailed,
    PreviewOpened,
    PreviewRegion,
    PreviewStatistics,
)
from artifexpro.daemon.home import Home
from artifexpro.daemon.inbox import Inbox
from artifexpro.daemon.outbound import Peer
from artifexpro.daemon.pipe import Said
from artifexpro.daemon.viewerprocess import ViewerPatience, ViewerProcess

log = logging.getLogger(__name__)
MAX_SESSIONS_A_CLIENT = 8
MAX_SESSIONS = 64
MAX_DEATHS = 3

Settle = Callable[[Mapping[str, Any] | Exception], None]
Tell = Callable[[Peer, str, PreviewEventKind, Said], None]


@dataclass(eq=False)
class Session:
    """One viewer. `unsent` are the edits that the process has not heard of. `flying` is the look whose first picture
    is awaited, `unfinished` the one whose final picture is, `waiting` the newest one that was not sent yet; `hungry` is
    since when it has waited for anything at all."""

    name: str
    owner: Peer
    document: dict[str, Any]
    node: str
    view: str
    scale: float
    region: PreviewRegion | None
    used: float
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsent: dict[str, Any] = field(default_factory=dict)
    known: bool = False
    waiting: LookAtPreview | None = None
    flying: LookAtPreview | None = None
    unfinished: LookAtPreview | None = None
    sent: float = 0.0
    hungry: float | None = None
    number: int = 0
    deaths: int = 0
    pictures: int = 0
    superseded: int = 0
    opening: Settle | None = None
    asked: dict[int, Settle] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        return self.unfinished is not None or self.opening is not None

    @property
    def wants(self) -> bool:
        """Whether there is something to send."""
        return self.waiting is not None or (self.opening is not None and not self.known)


class Viewing:
    """All sessions. Every method belongs to the daemon's loop; `tick` is called several times a second.

    `tell` sends an event to a session's owner. Operations raise `ArtifexError`: code "no-preview" for a session that is
    not there or not this client's.
    """

    def __init__(
        self,
        home: Home,
        inbox: Inbox,
        tell: Tell,
        *,
        command: Sequence[str] | None = None,
        patience: ViewerPatience | None = None,
    ) -> None:
        self._tell = tell
        self._patience = patience or ViewerPatience()
        self._sessions: dict[str, Session] = {}
        self._computing = ("", 0.0)
        self._asks = 0
        self.process = ViewerProcess(home, inbox, self, command=command, patience=self._patience)

    def status(self) -> dict[str, Any]:
        """What the daemon tells of it: the process and how many sessions there are."""
        busy = any(session.busy for session in self._sessions.values())
        return {"state": self.process.state(busy=busy), "pid": self.process.pid, "sessions": len(self._sessions)}

    # ------------------------------------------------------------------ what clients ask

    def open(self, owner: Peer, body: OpenPreview, settle: Settle) -> None:
        """`settle` gets a `PreviewOpened` once the process has looked at the graph."""
        mine = sum(session.owner is owner for session in self._sessions.values())
        if mine >= MAX_SESSIONS_A_CLIENT or len(self._sessions) >= MAX_SESSIONS:
            raise ArtifexError(
                "open another preview",
                f"{mine} are open here and {len(self._sessions)} in all, and there may be {MAX_SESSIONS_A_CLIENT} and "
                f"{MAX_SESSIONS}",
                "closing one that nobody looks at",
                code="too-many",
            )
        name = secrets.token_hex(8)
        self._sessions[name] = Session(
            name,
            owner,
            body.document,
            body.node,
            body.view,
            body.scale,
            body.region,
            used=(now := time.monotonic()),
            hungry=now,
            opening=settle,
        )
        self.tick()

    def edit(self, owner: Peer, body: EditPreview) -> None:
        session = self._mine(owner, body.session)
        document = session.document if body.document is None else body.document
        for change in body.changes:
            _check_change(document, change)
        if body.document is not None:
            session.document, session.changes = body.document, {}
            session.unsent["document"] = body.document
            session.unsent.pop("changes", None)
        for change in body.changes:
            session.changes.setdefault(change.node, {}).update(change.params)
            session.unsent.setdefault("changes", {}).setdefault(change.node, {}).update(change.params)
        if body.node is not None:
            session.node = body.node
            session.unsent["node"] = body.node

    def look(self, owner: Peer, body: LookAtPreview) -> int | None:
        """The number of the look that this one took the place of, if one waited."""
        session = self._mine(owner, body.session)
        if body.number <= session.number:
            raise ArtifexError(
                f"take look {body.number} at the preview",
                f"the newest look of this preview has number {session.number}",
                "a number that grows with each look",
                code="bad-request",
            )
        session.number = body.number
        replaced = session.waiting
        session.superseded += replaced is not None
        session.waiting = body
        session.hungry = session.hungry or session.used
        self._feed(session)
        return None if replaced is None else replaced.number

    def close(self, owner: Peer, name: str) -> None:
        self._end(self._mine(owner, name))

    def statistics(self, owner: Peer, name: str, settle: Settle) -> None:
        """`settle` gets a `PreviewStatistics`."""
        session = self._mine(owner, name)
        if not (session.known and self.process.ready):
            settle(_statistics(session, []))
            return
        self._asks += 1
        session.asked[self._asks] = settle
        self.process.say({"op": "statistics", "session": name, "ask": self._asks})

    def _mine(self, owner: Peer, name: str) -> Session:
        session = self._sessions.get(name)
        if session is None or session.owner is not owner:
            raise ArtifexError(
                f"use the preview {name}",
                "this client has no such preview: it was closed, or opened by another connection",
                "opening it again",
                code="no-preview",
            )
        session.used = time.monotonic()
        return session

    # ------------------------------------------------------------------ time passes

    def left(self, owner: Peer) -> None:
        """The client is gone, and its sessions with it."""
        for session in [session for session in self._sessions.values() if session.owner is owner]:
            self._end(session)

    def tick(self) -> None:
        """Start, feed, and end what has to be ended."""
        now = time.monotonic()
        for session in [each for each in self._sessions.values() if now - each.used > self._patience.lease]:
            if session.busy:
                continue
            because = f"nobody used it for {self._patience.lease:.0f} seconds"
            self._told(session, PreviewEventKind.CLOSED, PreviewClosed(because=because).model_dump(mode="json"))
            self._end(session)
        self._mind_hanging(now)
        sessions = self._sessions.values()
        self.process.tick(busy=any(each.busy for each in sessions), wanted=any(each.wants for each in sessions))
        if self.process.ready:
            for session in list(self._sessions.values()):
                self._feed(session)

    def stop(self) -> None:
        """End the process; sessions end with the daemon."""
        self.process.stop()

    def _end(self, session: Session) -> None:
        del self._sessions[session.name]
        if session.known:
            self.process.say({"op": "close", "session": session.name})
        gone = ArtifexError(
            "preview a graph", "the preview was closed meanwhile", "opening it again", code="no-preview"
        )
        for settle in (*session.asked.values(), *([session.opening] if session.opening else [])):
            settle(gone)

    def _mind_hanging(self, now: float) -> None:
        """A look that keeps others waiting for too long is given up, and the process with it."""
        blamed, limit = self._blamed(), self._patience.look
        if blamed is None:
            return
        name, began = self._computing
        if now - (began if name == blamed.name else blamed.sent) < limit:
            return
        waiting = [each for each in self._sessions.values() if each is not blamed or each.waiting is not None]
        if any(each.hungry is not None and now - each.hungry > limit for each in waiting):
            why = f"no picture came for {limit:.0f} seconds while others waited"
            self._give_up(blamed, f"{why}, so it was given up")
            self.process.doom(why, blame=False)

    # ------------------------------------------------------------------ to the process

    def _feed(self, session: Session) -> None:
        if not self.process.ready:
            return
        if not session.known:
            if not session.wants:
                return
            self.process.say(
                {
                    "op": "open",
                    "session": session.name,
                    "document": session.document,
                    "changes": _copied(session.changes),
                    "node": session.node,
                    "view": session.view,
                }
            )
            session.known, session.unsent, session.sent = True, {}, time.monotonic()
        look = session.waiting
        if look is None or session.flying is not None:
            return
        region = session.region if look.region is None else look.region
        message = {
            "op": "look",
            "session": session.name,
            "number": look.number,
            "frame": look.frame,
            "scale": session.scale if look.scale is None else look.scale,
            "region": None if region is None else region.model_dump(),
            **session.unsent,
        }
        session.waiting, session.unsent = None, {}
        session.flying = session.unfinished = look
        session.sent = time.monotonic()
        self.process.say(message)

    # ------------------------------------------------------------------ from the process

    def heard(self, said: Said) -> None:
        """A message of the viewing process."""
        session = self._sessions.get(str(said.get("session")))
        if session is None:
            return
        what = said["say"]
        if what == "frame":
            self._frame(session, said["body"])
        elif what == "failed":
            self._failed(session, said["body"])
        elif what == "begins":
            self._computing = (session.name, time.monotonic())
        elif what == "opened" and session.opening is not None:
            settle, session.opening = session.opening, None
            session.used = time.monotonic()
            session.hungry = session.hungry if session.waiting or session.flying else None
            opened = PreviewOpened(session=session.name, info=said.get("info"), error=said.get("error"))
            settle(opened.model_dump(mode="json"))
        elif what == "statistics":
            session.asked.pop(said["ask"])(_statistics(session, said["nodes"]))

    def _frame(self, session: Session, body: Said) -> None:
        if session.unfinished is None or body["number"] != session.unfinished.number:
            return
        session.flying = None
        session.hungry = time.monotonic() if session.waiting else None
        session.deaths = 0
        session.pictures += 1
        if body["final"]:
            session.unfinished = None
        self._feed(session)
        self._told(session, PreviewEventKind.FRAME, body)

    def _failed(self, session: Session, body: Said) -> None:
        session.flying = session.unfinished = None
        session.hungry = time.monotonic() if session.waiting else None
        self._feed(session)
        self._told(session, PreviewEventKind.FAILED, body)

    def _told(self, session: Session, kind: PreviewEventKind, body: Said) -> None:
        self._tell(session.owner, session.name, kind, body)

    def died(self, said: str, *, blame: bool) -> None:
        """The process ended; `said` is a clause about it. Whoever was computed is asked again, but not for ever."""
        blamed = self._blamed() if blame else None
        if blamed is not None:
            blamed.deaths += 1
            if blamed.deaths >= MAX_DEATHS:
                blamed.deaths = 0
                self._give_up(
                    blamed, f"the viewing process died {MAX_DEATHS} times at it, the last time because {said}"
                )
        self._computing = ("", 0.0)
        for session in self._sessions.values():
            session.known = False
            session.waiting = session.waiting or session.unfinished
            session.flying = session.unfinished = None
            asked, session.asked = session.asked, {}
            for settle in asked.values():
                settle(_statistics(session, []))

    def hopeless(self, said: str) -> None:
        """No process can be started: whoever waits is told why."""
        failure = Failure(
            code="no-viewer",
            attempted="start the viewing process",
            because=f"it died before it was ready, the last time because {said}",
            remedy="artifexpro doctor, which says what is missing; then looking again",
        )
        for session in list(self._sessions.values()):
            self._refuse(session, failure)

    def _blamed(self) -> Session | None:
        """Whose picture was being made: the one that was told to be, else the one that was sent first."""
        busy = [session for session in self._sessions.values() if session.busy and session.known]
        told = next((session for session in busy if session.name == self._computing[0]), None)
        return told or min(busy, key=lambda session: session.sent, default=None)

    def _give_up(self, session: Session, because: str) -> None:
        failure = Failure(
            code="viewer-died",
            attempted=f"show node {session.node}",
            because=because,
            remedy="a smaller scale or region, or the node with default settings; log/viewer.log in the daemon's home "
            "says more",
            node=session.node,
        )
        self._refuse(session, failure)

    def _refuse(self, session: Session, failure: Failure) -> None:
        if session.opening is not None:
            settle, session.opening = session.opening, None
            settle(PreviewOpened(session=session.name, error=failure).model_dump(mode="json"))
        look = session.unfinished or session.waiting
        if look is session.waiting:
            session.waiting = None
        session.flying = session.unfinished = None
        session.hungry = time.monotonic() if session.waiting else None
        if look is not None:
            body = PreviewFailed(number=look.number, error=failure).model_dump(mode="json")
            self._told(session, PreviewEventKind.FAILED, body)


def _check_change(document: Mapping[str, Any], change: ParameterChange) -> None:
    nodes = document.get("nodes")
    if not isinstance(nodes, dict) or change.node not in nodes:
        raise ArtifexError(
            f"set {', '.join(sorted(change.params)) or 'nothing'} of node {change.node}",
            f'the graph of this preview has no node "{change.node}"',
            "one of its nodes, or sending the whole graph",
            code="no-node",
        )


def _copied(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Changes as they are now: messages are written by a thread, later."""
    return {node: dict(params) for node, params in changes.items()}


def _statistics(session: Session, nodes: Sequence[Any]) -> dict[str, Any]:
    counted = PreviewStatistics(nodes=tuple(nodes), pictures=session.pictures, superseded=session.superseded)
    return counted.model_dump(mode="json")
