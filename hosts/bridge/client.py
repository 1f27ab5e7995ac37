"""A host's line to the daemon.

`post` and `poll` never wait: a host calls them from its timer. `request`, `connect` and `submit` wait, for the command
line and for threads. All of them may be used from any thread.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from . import frames, launch
from .errors import BridgeError
from .home import Address, Home
from .link import Asked, Finish, Link, closed, nobody
from .wire import PROTOCOL, Body, encode, is_local, somebody_listens

REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 20.0
_TRY_SECONDS = 1.5
_PATIENCE_SECONDS = 6.0
"""So long whoever listens at the daemon's address may be silent before it is taken for somebody else."""
_PASSING = ("progress", "preview")
_PERHAPS_NOT_OURS = ("other-daemon", "unreachable", "timeout")


class Client:
    """One host's connection, in a thread of its own from the first call on.

    `home` is the daemon's folder (default: this user's). `name`, `version` and `host` are shown in job lists and kept
    with each job. `endpoint` and `server_key` (Z85 text) replace what the daemon published in its home. `python` has
    the daemon and starts it where none ran in that home before.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        name: str = "unknown",
        version: str = "",
        host: str = "",
        endpoint: str | None = None,
        server_key: str | None = None,
        python: str | None = None,
    ) -> None:
        self.home = Home.find(home)
        self.info = {"name": name, "version": version, "host": host}
        self._endpoint = endpoint
        self._server_key = server_key
        self._python = python
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._closed = False
        self._answers: deque[Callable[[], None]] = deque()
        self._events: dict[object, Body] = {}
        self._listeners: dict[str, Callable[[Body], None]] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ the line

    def connect(self, start: bool = True, timeout: float = CONNECT_SECONDS) -> Body:
        """Reach the daemon and shake hands; with `start`, start it where none runs on this machine.

        Waits up to `timeout` seconds. Returns the daemon's `hello`: version, protocol, pid, user. Raises `BridgeError`.
        """
        began = time.monotonic()
        may_start = start and self._endpoint is None
        while True:
            left = max(1.0, began + timeout - time.monotonic())
            if not self._somebody_listens():
                if not may_start:
                    raise nobody(self.address().endpoint)
                launch.start(self.home, left, self._python)
                may_start = False
            try:
                return self._hello(min(_TRY_SECONDS, left))
            except BridgeError as error:
                waited = time.monotonic() - began
                if error.code not in _PERHAPS_NOT_OURS or waited > timeout:
                    raise
                if waited > _PATIENCE_SECONDS:
                    if not may_start:
                        raise
                    self._start_instead(error, timeout)
                    may_start, began = False, time.monotonic()

    def close(self) -> None:
        """Hang up. Jobs go on in the daemon. Callbacks of unanswered posts are still run by `poll`."""
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.close()

    @property
    def trouble(self) -> BridgeError | None:
        """Why the line is down at the moment, None while it is up. It is being opened again all the time."""
        link = self._link
        return None if link is None else link.trouble

    def address(self) -> Address:
        """Where this client connects to. Raises `BridgeError` while that is not known."""
        return self.home.address(self._endpoint, self._server_key)

    def _somebody_listens(self) -> bool:
        published = self.home.discovery()
        endpoint = self._endpoint or (published.endpoint if published else None)
        return endpoint is not None and somebody_listens(endpoint)

    def _start_instead(self, error: BridgeError, timeout: float) -> None:
        """What listens there does not shake hands: another program may have taken a dead daemon's port."""
        try:
            launch.start(self.home, timeout, self._python)
        except BridgeError:
            raise error from None

    def _hello(self, timeout: float) -> Body:
        body, _ = self.request("hello", self._introduction(), timeout=timeout)
        return body

    def _introduction(self) -> Body:
        try:
            local = is_local(self.address().endpoint)
        except BridgeError:
            local = False
        return {"client": self.info, "shared_memory": local and frames.can_share()}

    # ------------------------------------------------------------------ asking

    def request(
        self, op: str, body: Body | None = None, parts: Sequence[bytes] = (), timeout: float = REQUEST_SECONDS
    ) -> tuple[Body, list[bytes]]:
        """Ask and wait for the answer: its body and binary parts. Raises `BridgeError`."""
        answered = threading.Event()
        got: list[tuple[Body | None, BridgeError | None]] = []

        def finish(reply: Body | None, error: BridgeError | None) -> None:
            got.append((reply, error))
            answered.set()

        self._ask(op, body or {}, parts, timeout, finish)
        answered.wait()
        reply, error = got[0]
        if reply is None:
            assert error is not None
            raise error.with_traceback(None)
        received: list[bytes] = reply.pop("parts", [])
        return reply, received

    def post(
        self,
        op: str,
        body: Body | None = None,
        done: Finish | None = None,
        parts: Sequence[bytes] = (),
        timeout: float = REQUEST_SECONDS,
    ) -> None:
        """Ask without waiting. A later `poll` calls `done(body, None)`, or `done(None, error)`."""

        def finish(reply: Body | None, error: BridgeError | None) -> None:
            if done is not None:
                self._answers.append(lambda: done(reply, error))

        try:
            self._ask(op, body or {}, parts, timeout, finish)
        except BridgeError as error:
            finish(None, error)

    def ask(self, op: str, body: Body, done: Finish, timeout: float = REQUEST_SECONDS) -> None:
        """Ask without waiting; `done` is called in the bridge's own thread, and must return at once."""
        self._ask(op, body, (), timeout, done)

    def submit(self, job_request: Body, timeout: float = REQUEST_SECONDS) -> Body:
        """Hand over a job; returns the protocol's `Accepted`. From then on `poll` gives the job's events."""
        return self.request("job.submit", job_request, timeout=timeout)[0]

    def watch(self, jobs: Sequence[str] | None = None, after: int = 0, timeout: float = REQUEST_SECONDS) -> None:
        """Hear these jobs' events (None: all jobs') from the one after number `after` on, past ones included."""
        body: Body = {"after": after}
        if jobs is not None:
            body["jobs"] = list(jobs)
        self.request("job.watch", body, timeout=timeout)

    def _ask(self, op: str, body: Body, parts: Sequence[bytes], timeout: float, finish: Finish) -> None:
        name = uuid.uuid4().hex
        encoded = encode(name, op, body, parts)
        asked = Asked(name, op, body, encoded, timeout, time.monotonic() + timeout, self._told(finish))
        self._connected().ask(asked)

    def _told(self, finish: Finish) -> Finish:
        def tell(reply: Body | None, error: BridgeError | None) -> None:
            finish(reply, self._name_both(error) if error is not None and error.code == "version" else error)

        return tell

    def _name_both(self, error: BridgeError) -> BridgeError:
        """A refusal of the protocol's version, with the releases of both sides in it."""
        there = self.home.discovery()
        theirs = "" if there is None else f"; the daemon is release {there.version} with protocol {there.protocol}"
        ours = f"this side is release {self.info['version'] or 'unknown'} with protocol {PROTOCOL}"
        return BridgeError(
            error.attempted,
            f"{error.because}{theirs}, {ours}",
            error.remedy,
            code="version",
        )

    def _connected(self) -> Link:
        with self._lock:
            if self._closed:
                raise closed()
            if self._link is None:
                self._link = Link(self.address, self._introduction, self._keep)
            return self._link

    # ------------------------------------------------------------------ hearing

    def listen(self, session: str, hear: Callable[[Body], None]) -> None:
        """Hear a preview's events in the bridge's own thread; `hear` must return at once. `poll` does not give them."""
        self._listeners[session] = hear

    def forget(self, session: str) -> None:
        """Hear no more of a preview."""
        self._listeners.pop(session, None)

    @property
    def line(self) -> int:
        """The number of the connection that is open now. With another number, the daemon knows of no preview."""
        link = self._link
        return 0 if link is None else link.opened

    def poll(self) -> list[Body]:
        """Run the callbacks of what was answered, then return the events since the last call. Never waits.

        An event is the protocol's `Event` as a dict, with binary parts under "parts". Of progress and previews only the
        newest of each job is kept. After a break of the line an event may come twice, never not at all.
        """
        while self._answers:
            self._answers.popleft()()
        with self._lock:
            events, self._events = self._events, {}
        return list(events.values())

    def _keep(self, event: Body) -> None:
        if "session" in event:
            hear = self._listeners.get(event["session"])
            if hear is not None:
                hear(event)
            return
        with self._lock:
            if event["event"] in _PASSING:
                place: object = (event["job"], event["event"])
                self._events.pop(place, None)
            else:
                place = object()
            self._events[place] = event
