"""The daemon's one loop: messages in, jobs to workers, answers and events out.

Everything that changes state happens in this loop's thread; what is slow happens in threads beside it and comes back
through the inbox. No message, however wrong, stops it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import zmq
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import (
    Event,
    EventKind,
    Failure,
    FrameToken,
    JobRequest,
    Operation,
    Reply,
    Request,
    check_version,
)
from artifexpro.core.protocol.previews import PreviewEvent, PreviewEventKind
from artifexpro.daemon import previews, ring
from artifexpro.daemon.admission import admit, warm
from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.gate import Address, Arrived, Departed, Gate, local
from artifexpro.daemon.home import Home, HomeLock
from artifexpro.daemon.inbox import Inbox
from artifexpro.daemon.keys import KnownClients, make_keys
from artifexpro.daemon.operations import TABLE, Answer, Asker, Awaited, Desk, Later, compare_with_first
from artifexpro.daemon.outbound import Frames, Peer
from artifexpro.daemon.queue import Queue
from artifexpro.daemon.rights import ROLES, Roles, require
from artifexpro.daemon.supervisor import Patience, Supervisor
from artifexpro.daemon.viewerprocess import ViewerPatience
from artifexpro.daemon.viewing import Viewing

log = logging.getLogger(__name__)
T = TypeVar("T", bound=BaseModel)

DEFAULT_ENDPOINT = "tcp://127.0.0.1:*"
TICK_MS = 200
SLOW_READER_MS = 20
MESSAGES_A_TURN = 100
MAX_ID = 64


@dataclass(frozen=True)
class Parts:
    """What tests replace: who looks at jobs first, what runs them, how much patience and disk there is."""

    admit: Callable[[JobRequest, Home], int | None] = admit
    warm: Callable[[], None] = warm
    worker: Sequence[str] | None = None
    patience: Patience = Patience()
    viewer: Sequence[str] | None = None
    viewer_patience: ViewerPatience = ViewerPatience()
    ballast: Callable[[Home], Ballast] = lambda home: Ballast(home.ballast)
    roles: Roles = field(default_factory=lambda: ROLES)
    waiting_messages: int = 1000


class Server:
    """One daemon on one home. `open`, `run` and `close` are called in one thread; `stop` from any."""

    def __init__(self, home: Home, parts: Parts | None = None) -> None:
        self.home = home
        self._parts = parts or Parts()
        self._inbox = Inbox()
        self._peers: dict[Address, Peer] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._undo = ExitStack()
        self._stopping = False

    # ------------------------------------------------------------------ life

    def open(self, endpoint: str | None = None) -> str:
        """Lock the home, recover the queue, listen; returns the endpoint. Raises `ArtifexError`, holding nothing."""
        try:
            return self._open(endpoint)
        except BaseException:
            self._undo.close()
            raise

    def _open(self, endpoint: str | None) -> str:
        undo = self._undo
        self.home.prepare()
        lock = HomeLock(self.home)
        lock.acquire()
        undo.callback(lock.release)
        undo.callback(self._inbox.close)
        keys = make_keys(self.home)
        ballast = self._parts.ballast(self.home)
        ballast.restore()
        self._queue = Queue(self.home.queue, ballast)
        undo.callback(self._queue.close)
        ring.sweep_orphans()
        recovered = self._queue.surely(self._queue.recover)
        self._known = KnownClients(self.home.clients)
        self._gate = Gate(keys, self._known, waiting_messages=self._parts.waiting_messages)
        undo.callback(self._gate.close)
        bound = self._bind(endpoint)
        supervisor = Supervisor(
            self.home,
            self._queue,
            self._inbox,
            self._pass_on,
            command=self._parts.worker,
            patience=self._parts.patience,
            finishing=partial(compare_with_first, self._queue),
        )
        viewing = Viewing(
            self.home, self._inbox, self._show, command=self._parts.viewer, patience=self._parts.viewer_patience
        )
        self._desk = Desk(
            home=self.home,
            queue=self._queue,
            ballast=ballast,
            known=self._known,
            supervisor=supervisor,
            viewing=viewing,
            admit=self._parts.admit,
            peers=lambda: len(self._peers),
            stop=self.stop,
            endpoint=bound,
            public_key=keys.public.decode("ascii"),
        )
        self._publish(serving=True)
        undo.callback(self._safely, partial(self._publish, serving=False))
        for name in ("checks", "slow"):
            self._threads[name] = ThreadPoolExecutor(1, thread_name_prefix=name)
            undo.callback(self._threads[name].shutdown, wait=False, cancel_futures=True)
        undo.callback(self._send_what_waits)
        undo.callback(supervisor.close)
        undo.callback(viewing.stop)
        self._threads["checks"].submit(self._parts.warm)
        log.info("serving at %s, %d jobs taken up again", bound, recovered)
        return bound

    def _bind(self, endpoint: str | None) -> str:
        """At the endpoint asked for, else where the last daemon here was found, else at a free port.

        Without being asked, never where other machines could reach it.
        """
        if endpoint is not None:
            return self._gate.bind(endpoint)
        before = self.home.published().get("endpoint")
        if isinstance(before, str) and local(before):
            try:
                return self._gate.bind(before)
            except ArtifexError as error:
                log.warning("%s", error)
        return self._gate.bind(DEFAULT_ENDPOINT)

    def run(self) -> None:
        """Serve until `stop`."""
        poller = zmq.Poller()
        poller.register(self._gate.socket, zmq.POLLIN)
        poller.register(self._inbox.reader, zmq.POLLIN)
        waits = False
        while not self._stopping:
            poller.poll(SLOW_READER_MS if waits else TICK_MS)
            for _ in range(MESSAGES_A_TURN):
                arrived = self._gate.receive()
                if arrived is None:
                    break
                self._hear(arrived)
            for thing in self._inbox.drain():
                self._safely(thing)
            self._safely(self._desk.supervisor.tick)
            self._safely(self._desk.viewing.tick)
            waits = self._send_what_waits()

    def stop(self) -> None:
        """Make `run` return after what is waiting was sent."""
        self._inbox.post(partial(setattr, self, "_stopping", True))

    def close(self) -> None:
        """End the workers, send what waits, tell where the daemon was, free the home."""
        self._undo.close()

    def _publish(self, *, serving: bool) -> None:
        """Tell clients where the daemon is; on a full disk the ballast gives way. Raises `ArtifexError`."""
        desk = self._desk
        try:
            try:
                desk.home.publish(desk.endpoint, desk.public_key, serving=serving)
            except OSError:
                if not desk.ballast.drop():
                    raise
                desk.home.publish(desk.endpoint, desk.public_key, serving=serving)
        except OSError as error:
            raise ArtifexError(
                f"write {desk.home.discovery}, by which clients find the daemon",
                f"the disk refuses ({error.strerror})",
                "freeing space there",
                code="disk",
            ) from error

    def _safely(self, thing: Callable[[], None]) -> None:
        try:
            thing()
        except Exception:
            log.exception("the daemon goes on after a defect")

    # ------------------------------------------------------------------ in

    def _hear(self, arrived: Arrived) -> None:
        peer = self._peers.get(arrived.sender)
        if peer is None:
            peer = self._peers[arrived.sender] = Peer(arrived.sender, position=self._queue.head())
        question = _Question(peer, "")
        try:
            self._answer(question, arrived)
        except Exception as error:
            self._refuse(question, error)

    def _answer(self, question: _Question, arrived: Arrived) -> None:
        user = self._known.user(arrived.sender.key)
        try:
            said = _parse(arrived.header)
            question.id = _id_of(said)
        finally:
            if user is None:
                require(user, Operation.HELLO)
        _check_version(said)
        request = _validated(Request, said, "understand a message")
        operation = _operation(request.op)
        asker = Asker(require(user, operation, self._parts.roles), question.peer, request.id)
        entry = TABLE[operation]
        answer = entry.answer(self._desk, asker, _validated(entry.body, request.body, f"understand {operation}"))
        if isinstance(answer, Later):
            looking = self._threads[answer.thread].submit(answer.look)
            looking.add_done_callback(lambda done: self._inbox.post(lambda: self._looked(question, answer, done)))
        elif isinstance(answer, Awaited):
            answer.begin(partial(self._settle, question))
        else:
            self._reply(question, answer)

    def _looked(self, question: _Question, answer: Later, done: Future[Any]) -> None:
        if done.cancelled():
            return
        try:
            self._reply(question, answer.then(done.result()))
        except Exception as error:
            self._refuse(question, error)

    def _settle(self, question: _Question, answer: Answer | Exception) -> None:
        if isinstance(answer, Exception):
            self._refuse(question, answer)
        else:
            self._reply(question, answer)

    # ------------------------------------------------------------------ out

    def _reply(self, question: _Question, answer: Answer) -> None:
        body = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else dict(answer)
        self._send_reply(question, Reply(id=question.id, ok=True, body=body))

    def _refuse(self, question: _Question, error: Exception) -> None:
        if not isinstance(error, ArtifexError):
            log.exception("a request could not be answered", exc_info=error)
        self._send_reply(question, Reply(id=question.id, ok=False, error=_failure(error)))

    def _send_reply(self, question: _Question, reply: Reply) -> None:
        if not question.peer.reply([reply.model_dump_json().encode()]):
            log.warning("a client reads none of its replies; one was dropped")

    def _pass_on(self, job: str, kind: EventKind, body: dict[str, Any]) -> None:
        """Progress and previews, to everybody who listens to that job."""
        listeners = [peer for peer in self._peers.values() if peer.hears(job)]
        if not listeners:
            return
        frames = [Event(event=kind, job=job, body=body).model_dump_json().encode()]
        in_parts: Frames | None = frames
        if kind is EventKind.PREVIEW and not all(peer.shared_memory for peer in listeners):
            in_parts = _with_pixels(body, "frame", lambda sent: Event(event=kind, job=job, body=sent))
        for peer in listeners:
            chosen = frames if peer.shared_memory else in_parts
            if chosen is not None:
                peer.pass_on(job, kind, chosen)

    def _show(self, peer: Peer, session: str, kind: PreviewEventKind, body: dict[str, Any]) -> None:
        """What became of a look, to the viewer that asked."""

        def event(body: dict[str, Any]) -> PreviewEvent:
            return PreviewEvent(event=kind, session=session, body=body)

        frames: Frames | None
        if kind is PreviewEventKind.FRAME and not peer.shared_memory:
            frames = _with_pixels(body, "token", event)
        else:
            frames = [event(body).model_dump_json().encode()]
        if frames is not None:
            peer.pass_on(session, "closed" if kind is PreviewEventKind.CLOSED else "look", frames)

    def _send_what_waits(self) -> bool:
        """True if some client has to be tried again soon."""
        waits = False
        head = self._queue.head()
        for address, peer in list(self._peers.items()):
            try:
                if not self._gate.connected(address):
                    self._forget(address)
                    continue
                if peer.idle(head):
                    continue
                known = self._known.user(address.key) is not None
                done = peer.send_all(self._queue, partial(self._send, address), events=known)
                waits = waits or not done
            except Departed:
                self._forget(address)
            except Exception:
                log.exception("the daemon goes on after a defect")
        return waits

    def _forget(self, address: Address) -> None:
        self._desk.viewing.left(self._peers.pop(address))

    def _send(self, address: Address, frames: Frames) -> bool:
        return self._gate.send(address, frames)


@dataclass
class _Question:
    """A request on its way to a reply."""

    peer: Peer
    id: str


def _with_pixels(body: dict[str, Any], name: str, event: Callable[[dict[str, Any]], BaseModel]) -> Frames | None:
    """An event with the pixels of its token `name` as a binary part; None if newer ones took their place meanwhile."""
    token = FrameToken.model_validate(body[name])
    pixels = previews.read(token)
    if pixels is None:
        return None
    sent = token.model_copy(update={"segment": None, "slot": 0, "generation": 0, "part": 0})
    return [event({**body, name: sent.model_dump(mode="json")}).model_dump_json().encode(), pixels]


def _parse(header: bytes) -> dict[str, Any]:
    try:
        said = from_json(header, allow_inf_nan=False)
    except ValueError as error:
        raise ArtifexError(
            "understand a message",
            f"its header is not JSON ({error})",
            "a client of this release",
            code="not-json",
        ) from error
    if not isinstance(said, dict):
        raise ArtifexError(
            "understand a message", "its header is not a JSON object", "a client of this release", code="not-json"
        )
    return said


def _id_of(said: dict[str, Any]) -> str:
    """The request's id, so that even a refusal finds the one who asked; nothing where it is none."""
    name = said.get("id")
    return name if isinstance(name, str) and len(name) <= MAX_ID else ""


def _check_version(said: dict[str, Any]) -> None:
    version = said.get("v")
    body = said.get("body")
    client = body.get("client") if isinstance(body, dict) else None
    release = client.get("version") if isinstance(client, dict) else None
    if isinstance(version, int):
        check_version(version, who="client", release=release if isinstance(release, str) and release else "unknown")


def _operation(name: str) -> Operation:
    try:
        return Operation(name)
    except ValueError:
        raise ArtifexError(
            f"do {name[:100]!r}",
            "the daemon has no such operation",
            f"one of {', '.join(operation.value for operation in Operation)}",
            code="unknown-operation",
        ) from None


def _validated(model: type[T], value: Any, attempted: str) -> T:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ArtifexError(
            attempted, _first_problem(error), "the fields that docs/protocol.schema.json names", code="bad-request"
        ) from error


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"][0].lower() + first["msg"][1:].rstrip(".")
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return (f"at {where}: {said}" if where else said) + more


def _failure(error: Exception) -> Failure:
    if isinstance(error, ArtifexError):
        return Failure(**error.details())
    said = " ".join(str(error).split())[:300].rstrip(".") or "no reason given"
    return Failure(
        code="defect",
        attempted="answer a request",
        because=f"the daemon stopped at it with: {said}",
        remedy="the daemon's log in its home, and reporting this as a defect",
    )
