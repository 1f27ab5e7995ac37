"""The thread that owns the socket.

One connection is kept open as long as the client lives. A line that ended, or on which nothing was heard although
something was asked, is thrown away and a fresh socket takes its place ("Lazy Pirate"): everything unanswered is sent
again under the same id, and watched jobs are watched again from the last event heard. A daemon that is merely slow
to answer one question still answers `hello`, so it is never mistaken for a dead one.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import parse_monitor_message

from .errors import BridgeError
from .home import Address
from .wire import MAX_MESSAGE_BYTES, PROTOCOL, Body, decode, encode

QUIET_SECONDS = 2.5
"""So long nothing may be heard before the daemon is asked whether it is there, and so long it has to answer."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
_TICK_MS = 100
_IDLE_MS = 1000
_LINGER_MS = 500
_WATCHED = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_CONNECT_RETRIED
    | zmq.EVENT_DISCONNECTED
)
_FOLLOWED = ("job.submit", "job.retry", "job.reproduce")
_CLOSING = ("finished", "failed", "cancelled")

Finish = Callable[["Body | None", "BridgeError | None"], None]


@dataclass
class Asked:
    """A request until its answer: `finish` gets the reply's body (parts under "parts"), or why there is none."""

    name: str
    op: str
    body: Body
    frames: list[bytes]
    seconds: float
    deadline: float
    finish: Finish
    sent: int = 0
    waiting: bool = True


class Link:
    """Asks, listens, reconnects. `ask` and `close` may be called from any thread and return at once.

    `locate` says where the daemon is, again for every fresh socket, so that one that moved is found; `introduce` is
    the body of `hello`; `hear` gets events, in this object's thread.
    """

    def __init__(
        self, locate: Callable[[], Address], introduce: Callable[[], Body], hear: Callable[[Body], None]
    ) -> None:
        self._locate = locate
        self._introduce = introduce
        self._hear = hear
        self._context = zmq.Context()
        self._commands: deque[Callable[[], None]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._lock = threading.Lock()
        self._closing = False
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._endpoint = ""
        self._pending: dict[str, Asked] = {}
        self._seen: dict[str, int] = {}
        self._followed: set[str] = set()
        self._head: int | None = None
        self._rewatching: dict[str, str] = {}
        self._heard = self._pinged = 0.0
        self._reopen_at = 0.0
        self._pause = FIRST_PAUSE
        self._numbers = 0
        self._opened = 0
        self._trouble: BridgeError | None = None
        self._thread = threading.Thread(target=self._live, name="artifexpro-bridge", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ from other threads

    @property
    def trouble(self) -> BridgeError | None:
        """Why the line is down; None while it is up."""
        return self._trouble

    @property
    def opened(self) -> int:
        """How many connections there have been so far."""
        return self._opened

    def ask(self, asked: Asked) -> None:
        with self._lock:
            if not self._closing:
                self._commands.append(lambda: self._take(asked))
                self._wake()
                return
        asked.finish(None, closed())

    def close(self, patience: float = 2.0) -> None:
        """Send what was asked, hang up; what is unanswered ends with code "closed"."""
        with self._lock:
            self._closing = True
            self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(patience)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_writer.send(b"\0")

    # ------------------------------------------------------------------ the thread

    def _live(self) -> None:
        error = closed()
        try:
            while self._turn():
                pass
        except Exception as defect:
            error = BridgeError(
                "talk to the ArtifexPro daemon",
                f"the bridge stopped with: {defect}",
                "restarting this program, and reporting this as a defect",
                code="closed",
            )
        with self._lock:
            self._closing = True
        self._run_commands()
        self._drop_socket(_LINGER_MS)
        self._end_all(error)
        self._wake_reader.close()
        self._wake_writer.close()
        self._context.term()

    def _turn(self) -> bool:
        self._run_commands()
        if self._closing:
            self._send_unsent()
            return False
        now = time.monotonic()
        if self._socket is None and now >= self._reopen_at:
            self._open(now)
        self._send_unsent()
        self._wait()
        if self._socket is not None:
            self._receive()
        self._look_at_monitor()
        now = time.monotonic()
        self._expire(now)
        self._mind_silence(now)
        return True

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()()

    def _wait(self) -> None:
        poller = zmq.Poller()
        poller.register(self._wake_reader, zmq.POLLIN)
        for each in (self._socket, self._monitor):
            if each is not None:
                poller.register(each, zmq.POLLIN)
        poller.poll(_TICK_MS if self._busy() else _IDLE_MS)
        with contextlib.suppress(BlockingIOError):
            while self._wake_reader.recv(4096):
                pass

    def _busy(self) -> bool:
        return self._socket is None or bool(self._pending) or self._listening()

    def _listening(self) -> bool:
        return bool(self._followed) or self._head is not None

    def _take(self, asked: Asked) -> None:
        if asked.op == "job.watch":
            self._watch(asked.body)
        self._pending[asked.name] = asked

    def _watch(self, body: Body) -> None:
        """From here on events after number `after` are wanted, also those that were heard before."""
        after = int(body.get("after", 0))
        jobs = body.get("jobs")
        if jobs is None:
            self._head = after
            self._seen = {job: seq for job, seq in self._seen.items() if seq <= after}
            return
        for job in jobs:
            self._seen[job] = after
            self._followed.add(job)

    # ------------------------------------------------------------------ the line

    def _open(self, now: float) -> None:
        try:
            address = self._locate()
            fresh = self._connect(address)
        except BridgeError as error:
            self._trouble = error
            self._again_later(now)
            return
        self._socket, self._endpoint = fresh, address.endpoint
        self._opened += 1
        self._heard, self._pinged = now, 0.0
        self._rewatching.clear()
        self._send_own("hello", self._introduce())
        if self._head is not None:
            self._send_own("job.watch", {"after": self._head})
        for job in sorted(self._followed):
            name = self._send_own("job.watch", {"jobs": [job], "after": self._seen.get(job, 0)})
            self._rewatching[name] = job
        for asked in self._pending.values():
            asked.waiting = True

    def _connect(self, address: Address) -> zmq.Socket[bytes]:
        fresh = self._context.socket(zmq.DEALER)
        try:
            fresh.setsockopt(zmq.LINGER, 0)
            fresh.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
            fresh.setsockopt(zmq.CURVE_SERVERKEY, address.server_key)
            fresh.setsockopt(zmq.CURVE_PUBLICKEY, address.public)
            fresh.setsockopt(zmq.CURVE_SECRETKEY, address.secret)
            self._monitor = fresh.get_monitor_socket(_WATCHED)
            fresh.connect(address.endpoint)
        except zmq.ZMQError as error:
            self._drop(fresh, 0)
            raise BridgeError(
                f"connect to {address.endpoint}",
                f"that address or its key cannot be used ({error.strerror})",
                "an address such as tcp://127.0.0.1:49321 and the public key of the daemon there",
                code="unreachable",
            ) from error
        return fresh

    def _drop_socket(self, linger: int) -> None:
        if self._socket is not None:
            self._drop(self._socket, linger)
            self._socket = None

    def _drop(self, line: zmq.Socket[bytes], linger: int) -> None:
        if self._monitor is not None:
            line.disable_monitor()
            self._monitor.close(0)
            self._monitor = None
        line.close(linger)

    def _again_later(self, now: float) -> None:
        self._drop_socket(0)
        self._reopen_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _look_at_monitor(self) -> None:
        while self._monitor is not None and self._monitor.poll(0):
            event = parse_monitor_message(self._monitor.recv_multipart())["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._pause = FIRST_PAUSE
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._trouble = _unknown_key(self._endpoint)
                self._end_all(self._trouble)
                self._again_later(time.monotonic())
            elif event in (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL):
                self._trouble = _not_ours(self._endpoint)
                self._again_later(time.monotonic())
            elif event == zmq.EVENT_CONNECT_RETRIED:
                self._trouble = nobody(self._endpoint)
                self._again_later(time.monotonic())
            elif event == zmq.EVENT_DISCONNECTED:
                self._trouble = self._trouble or _hung_up(self._endpoint)
                self._again_later(time.monotonic())

    def _mind_silence(self, now: float) -> None:
        if self._socket is None or not (self._pending or self._listening()):
            return
        if not self._pinged:
            if now - self._heard > QUIET_SECONDS:
                self._pinged = now
                self._send_own("hello", self._introduce())
        elif now - self._pinged > QUIET_SECONDS:
            self._trouble = self._trouble or _silent(self._endpoint)
            self._again_later(now)

    # ------------------------------------------------------------------ out

    def _send_own(self, op: str, body: Body) -> str:
        self._numbers += 1
        name = f"bridge-{self._numbers}"
        self._try_to_send(encode(name, op, body, ()))
        return name

    def _send_unsent(self) -> None:
        for asked in self._pending.values():
            if asked.waiting and self._socket is not None and self._try_to_send(asked.frames):
                asked.waiting = False
                asked.sent += 1

    def _try_to_send(self, frames: list[bytes]) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    # ------------------------------------------------------------------ in

    def _receive(self) -> None:
        while self._socket is not None:
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._heard, self._pinged = time.monotonic(), 0.0
            self._trouble = None
            said = decode(frames)
            if said is None:
                continue
            if "event" in said:
                self._event(said)
            else:
                self._reply(said)

    def _reply(self, said: Body) -> None:
        name = str(said.get("id", ""))
        error = _refusal(said)
        job = self._rewatching.pop(name, None)
        if job is not None and error is not None:
            self._followed.discard(job)
            self._hear({"event": "failed", "job": job, "seq": 0, "body": {"error": error.details()}})
        asked = self._pending.pop(name, None)
        if asked is None:
            return
        body = None if error else {**said.get("body", {}), **({"parts": said["parts"]} if "parts" in said else {})}
        if body is not None and asked.op in _FOLLOWED:
            self._follow(asked, body)
        asked.finish(body, error)

    def _follow(self, asked: Asked, body: Body) -> None:
        """The daemon sends this job's events to whoever asked for it; they are asked for again after a break."""
        job = str(body.get("job", ""))
        if body.get("duplicate") and asked.sent == 1:
            self._seen.pop(job, None)
        self._followed.add(job)

    def _event(self, said: Body) -> None:
        job, seq = str(said.get("job", "")), int(said.get("seq", 0))
        if seq:
            if seq <= self._seen.get(job, 0):
                return
            self._seen[job] = seq
            if self._head is not None:
                self._head = max(self._head, seq)
            if said["event"] in _CLOSING:
                self._followed.discard(job)
        self._hear(said)

    # ------------------------------------------------------------------ ends

    def _expire(self, now: float) -> None:
        for asked in [each for each in self._pending.values() if now >= each.deadline]:
            del self._pending[asked.name]
            asked.finish(None, self._too_late(asked))

    def _too_late(self, asked: Asked) -> BridgeError:
        if self._trouble is not None:
            return self._trouble
        return BridgeError(
            f"ask the daemon for {asked.op}",
            f"the daemon at {self._endpoint} is there but did not answer within {asked.seconds:g} seconds",
            "again in a while; artifexpro jobs list says what it is busy with",
            code="timeout",
        )

    def _end_all(self, error: BridgeError) -> None:
        ended, self._pending = self._pending, {}
        for asked in ended.values():
            asked.finish(None, error)


def _refusal(said: Body) -> BridgeError | None:
    """Why a reply is none: the daemon refused, or it speaks another protocol (code "version")."""
    if said.get("v") != PROTOCOL:
        return BridgeError(
            "understand the daemon",
            f"it answers in protocol {said.get('v')}, and this side speaks protocol {PROTOCOL}",
            "installing the same release on both sides",
            code="version",
        )
    if said.get("ok"):
        return None
    try:
        return BridgeError.from_failure(said["error"])
    except (KeyError, TypeError):
        return BridgeError(
            "understand the daemon",
            "it refused without a reason",
            "the daemon's log in its home, and reporting this as a defect",
            code="reply",
        )


def closed() -> BridgeError:
    return BridgeError("ask the ArtifexPro daemon", "this line to it was closed", "a new connection", code="closed")


def _unknown_key(endpoint: str) -> BridgeError:
    return BridgeError(
        f"connect to the daemon at {endpoint}",
        "it does not know this user's key",
        "asking whoever runs it to put keys/client.key of your ArtifexPro home into its folder keys/clients",
        code="key",
    )


def _not_ours(endpoint: str) -> BridgeError:
    return BridgeError(
        f"connect to the daemon at {endpoint}",
        "what answers there is not the ArtifexPro daemon that this key belongs to",
        "the public key in that daemon's daemon.json; if another program took its port, artifexpro daemon, which "
        "starts it at a new one",
        code="other-daemon",
    )


def nobody(endpoint: str) -> BridgeError:
    return BridgeError(
        f"connect to the daemon at {endpoint}",
        "nothing listens there",
        "artifexpro daemon, which starts it",
        code="unreachable",
    )


def _hung_up(endpoint: str) -> BridgeError:
    return BridgeError(
        f"talk to the daemon at {endpoint}",
        "the line ended and could not be opened again",
        "artifexpro daemon, which starts it, or artifexpro doctor, which says what is missing",
        code="unreachable",
    )


def _silent(endpoint: str) -> BridgeError:
    return BridgeError(
        f"talk to the daemon at {endpoint}",
        "it does not answer",
        "artifexpro doctor; if the daemon hangs, ending its process (no accepted job is lost)",
        code="unreachable",
    )
