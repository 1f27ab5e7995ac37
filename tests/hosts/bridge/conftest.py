"""A daemon that does what a test tells it to: a CURVE ROUTER on loopback with the files a client looks for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import zmq
from zmq import auth
from zmq.auth.thread import ThreadAuthenticator

from artifexpro.hosts.bridge.client import Client

PATIENCE = 15.0
Said = dict[str, Any]


class Double:
    """Answers by `answer(said) -> body`, by default {}; None leaves a request unanswered, an exception refuses it.

    `heard` is everything that arrived, in order: the header, and under "routing" which socket it came from.
    """

    def __init__(self, home: Path, answer: Callable[[Said], Said | None] | None = None) -> None:
        self.home = home
        self.answer = answer or (lambda said: {})
        self.says: Said = {"v": 1}
        self.heard: list[Said] = []
        self.endpoint = ""
        self.public, self.secret = zmq.curve_keypair()
        self._stop = threading.Event()
        self._to_send: list[list[bytes]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._make_client_key()

    def _make_client_key(self) -> None:
        keys = self.home / "keys"
        (keys / "clients").mkdir(parents=True, exist_ok=True)
        public, secret = auth.create_certificates(keys, "client")
        Path(secret).chmod(0o600)
        (keys / "clients" / "local.key").write_text(Path(public).read_text())

    def start(self, endpoint: str = "tcp://127.0.0.1:*", publish: bool = True) -> Double:
        ready = threading.Event()
        self._stop.clear()
        self._thread = threading.Thread(target=self._live, args=(endpoint, ready))
        self._thread.start()
        assert ready.wait(PATIENCE)
        if publish:
            self.publish()
        return self

    def publish(self, **changes: Any) -> None:
        record = {
            "endpoint": self.endpoint,
            "public_key": self.public.decode(),
            "pid": 1,
            "version": "9.9.9",
            "protocol": 1,
            "python": "/nowhere/python",
            "serving": True,
            **changes,
        }
        (self.home / "daemon.json").write_text(json.dumps(record))

    def stop(self) -> None:
        """Gone without a word, as after kill -9."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(PATIENCE)
            self._thread = None

    def send(self, message: Said, *parts: bytes) -> None:
        """Say something unasked to whoever was heard last."""
        with self._lock:
            self._to_send.append([self.heard[-1]["routing"], json.dumps(message).encode(), *parts])

    def event(self, kind: str, job: str, seq: int = 0, *parts: bytes, **body: Any) -> None:
        self.send({"v": 1, "event": kind, "job": job, "seq": seq, "body": body}, *parts)

    def ops(self, *names: str) -> list[Said]:
        return [said for said in list(self.heard) if said["op"] in names]

    def _live(self, endpoint: str, ready: threading.Event) -> None:
        context = zmq.Context()
        guard = ThreadAuthenticator(context)
        guard.start()
        guard.configure_curve(domain="*", location=str(self.home / "keys" / "clients"))
        router = context.socket(zmq.ROUTER)
        router.setsockopt(zmq.LINGER, 0)
        router.setsockopt(zmq.CURVE_SERVER, 1)
        router.setsockopt(zmq.CURVE_PUBLICKEY, self.public)
        router.setsockopt(zmq.CURVE_SECRETKEY, self.secret)
        router.bind(endpoint)
        self.endpoint = router.getsockopt_string(zmq.LAST_ENDPOINT)
        ready.set()
        while not self._stop.is_set():
            if router.poll(10):
                self._hear(router)
            with self._lock:
                waiting, self._to_send = self._to_send, []
            for frames in waiting:
                router.send_multipart(frames)
        router.close(0)
        guard.stop()
        context.term()

    def _hear(self, router: zmq.Socket[bytes]) -> None:
        routing, header, *parts = router.recv_multipart()
        said = {**json.loads(header), "routing": routing, "parts": parts}
        self.heard.append(said)
        reply: Said = {"id": said["id"], "ok": True, **self.says}
        try:
            body = self.answer(said)
        except Refusal as refusal:
            error = {"code": refusal.code, "attempted": "a", "because": "b", "remedy": "c", "node": "n"}
            reply.update(ok=False, error=error)
        else:
            if body is None:
                return
            reply["body"] = body
        router.send_multipart([routing, json.dumps(reply).encode(), *(parts if said["op"] == "echo" else ())])


class Refusal(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def until(true: Callable[[], Any], what: str = "it") -> Any:
    """Wait for something to become true; its value."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := true():
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} never happened")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def double(home: Path) -> Iterator[Double]:
    daemon = Double(home).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def make_client(home: Path) -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:

        def make(**options: Any) -> Client:
            client = Client(options.pop("home", home), name="test", version="1.2.3", host="pytest", **options)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(double: Double, make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture
def wait() -> Callable[..., Any]:
    return until


@pytest.fixture
def refusal() -> type[Refusal]:
    return Refusal


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bridge that takes a quarter of a second of silence for suspicious."""
    monkeypatch.setattr("artifexpro.hosts.bridge.link.QUIET_SECONDS", 0.25)
