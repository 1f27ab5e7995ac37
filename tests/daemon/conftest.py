from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zmq
from zmq import auth

from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.home import Home
from artifexpro.daemon.server import Parts, Server

DOUBLE = (sys.executable, str(Path(__file__).with_name("double_worker.py")))
DOUBLE_VIEWER = (sys.executable, str(Path(__file__).with_name("double_viewer.py")))
DOUBLE_DAEMON = Path(__file__).with_name("double_daemon.py")
TIMEOUT = 20.0


class Wire:
    """A client in the fewest lines: one DEALER, used from the test's thread."""

    def __init__(
        self,
        home: Path,
        endpoint: str | None = None,
        *,
        keys: tuple[bytes, bytes | None] | None = None,
        server_key: bytes | None = None,
        routing: bytes | None = None,
        plain: bool = False,
        hwm: int | None = None,
    ) -> None:
        record = json.loads((home / "daemon.json").read_text())
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if hwm is not None:
            self.socket.setsockopt(zmq.RCVHWM, hwm)
            self.socket.setsockopt(zmq.RCVBUF, 4096)
        if routing is not None:
            self.socket.setsockopt(zmq.ROUTING_ID, routing)
        if not plain:
            public, secret = keys or auth.load_certificate(home / "keys" / "client.key_secret")
            assert secret is not None
            self.socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
            self.socket.setsockopt(zmq.CURVE_SERVERKEY, server_key or record["public_key"].encode())
        self.socket.connect(endpoint or record["endpoint"])
        self.events: list[dict[str, Any]] = []

    def send(self, op: str, body: dict[str, Any] | None = None, v: int = 1) -> str:
        name = uuid.uuid4().hex
        self.socket.send(json.dumps({"v": v, "id": name, "op": op, "body": body or {}}).encode())
        return name

    def receive(self, timeout: float = TIMEOUT) -> dict[str, Any] | None:
        """The next message, events kept; None when nothing came in time."""
        if not self.socket.poll(int(timeout * 1000)):
            return None
        frames = self.socket.recv_multipart()
        said = json.loads(frames[0])
        said["parts"] = frames[1:]
        if "event" in said:
            self.events.append(said)
        return said

    def answer(self, name: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            said = self.receive(left)
            if said is not None and said.get("id") == name:
                return said
        raise AssertionError("no answer came")

    def ask(self, op: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The reply's body; fails the test where the daemon refused."""
        said = self.answer(self.send(op, body))
        assert said["ok"], said["error"]
        return dict(said["body"])

    def refused(self, op: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The reply's error; fails the test where the daemon agreed."""
        said = self.answer(self.send(op, body))
        assert not said["ok"], said
        return dict(said["error"])

    def submit(self, key: str | None = None, **orders: Any) -> str:
        return str(self.ask("job.submit", double(key, **orders))["job"])

    def wait_for(self, job: str, *kinds: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """The job's first event of one of these kinds, heard already or yet to come."""
        until = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event["job"] == job and event["event"] in kinds:
                    return event
            left = until - time.monotonic()
            assert left > 0 and self.receive(left) is not None, f"{kinds} of {job} never came: {self.events}"

    def silent(self, seconds: float = 0.5) -> bool:
        """Whether nothing at all comes for that long."""
        return not self.socket.poll(int(seconds * 1000))

    def close(self) -> None:
        self.context.destroy(0)


def double(key: str | None = None, *, priority: int = 0, fresh: bool = False, **orders: Any) -> dict[str, Any]:
    """A request for the double worker."""
    return {
        "key": key or uuid.uuid4().hex,
        "work": {"kind": "graph", "document": {"double": orders}},
        "priority": priority,
        "fresh": fresh,
    }


@dataclass
class Daemon:
    """A daemon in a thread of this process, with a double for a worker."""

    server: Server
    root: Path
    endpoint: str
    _clients: ExitStack = field(default_factory=ExitStack)

    def client(self, **options: Any) -> Wire:
        wire = Wire(self.root, **options)
        self._clients.callback(wire.close)
        return wire

    def close_clients(self) -> None:
        self._clients.close()


def parts(**changes: Any) -> Parts:
    """Parts for tests: nothing is looked at before a job is accepted, the disk is roomy."""
    settings: dict[str, Any] = {
        "admit": lambda request, home: None,
        "warm": lambda: None,
        "worker": DOUBLE,
        "viewer": DOUBLE_VIEWER,
        "ballast": lambda home: Ballast(home.ballast, size=1_000_000, low=1_000_000),
    }
    return Parts(**{**settings, **changes})


@contextmanager
def serving(root: Path, chosen: Parts, endpoint: str | None) -> Iterator[Daemon]:
    server = Server(Home(root), chosen)
    opened: list[str | BaseException] = []
    ready = threading.Event()

    def live() -> None:
        try:
            opened.append(server.open(endpoint))
        except BaseException as error:
            opened.append(error)
            return
        finally:
            ready.set()
        try:
            server.run()
        finally:
            server.close()

    thread = threading.Thread(target=live)
    thread.start()
    ready.wait()
    if isinstance(opened[0], BaseException):
        raise opened[0]
    daemon = Daemon(server, root, opened[0])
    try:
        yield daemon
    finally:
        daemon.close_clients()
        server.stop()
        thread.join(TIMEOUT)
        assert not thread.is_alive(), "the daemon did not stop"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start a daemon: serve(root=..., endpoint=..., **changes of Parts)."""
    with ExitStack() as stack:

        def start(root: Path | None = None, endpoint: str | None = None, **changes: Any) -> Daemon:
            return stack.enter_context(serving(root or tmp_path / "home", parts(**changes), endpoint))

        yield start


@pytest.fixture
def daemon(serve: Callable[..., Daemon]) -> Daemon:
    return serve()


@pytest.fixture
def wire(daemon: Daemon) -> Wire:
    return daemon.client()


@dataclass
class Process:
    """A daemon in a process of its own."""

    child: subprocess.Popen[bytes]
    root: Path
    endpoint: str

    @property
    def pid(self) -> int:
        return self.child.pid


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a daemon process and wait until it serves: process(root=..., double=True for a double for its worker)."""
    children: list[subprocess.Popen[bytes]] = []

    def start(root: Path | None = None, *arguments: str, double: bool = False) -> Process:
        program = [str(DOUBLE_DAEMON)] if double else ["-m", "artifexpro.daemon"]
        home = root or tmp_path / "home"
        command = [sys.executable, *program, "--home", str(home), *arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        children.append(child)
        assert child.stdout is not None and child.stderr is not None
        line = child.stdout.readline().decode()
        assert line.startswith("serving at "), line + child.stderr.read().decode()
        return Process(child, home, line.removeprefix("serving at ").strip())

    yield start
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture
def wire_at() -> Iterator[Callable[..., Wire]]:
    """A client of whatever serves a home: wire_at(root, **options of Wire)."""
    with ExitStack() as stack:

        def connect(root: Path, **options: Any) -> Wire:
            wire = Wire(root, **options)
            stack.callback(wire.close)
            return wire

        yield connect


@pytest.fixture
def wire_to(wire_at: Callable[..., Wire]) -> Callable[..., Wire]:
    """A client of a daemon process."""
    return lambda process, **options: wire_at(process.root, **options)


@pytest.fixture
def request_double() -> Callable[..., dict[str, Any]]:
    return double


class Looker:
    """A session of a viewer, by hand."""

    def __init__(self, wire: Wire, nodes: dict[str, Any], node: str, **settings: Any) -> None:
        self.wire = wire
        self.number = 0
        opened = wire.ask("preview.open", {"document": graph(nodes), "node": node, "view": "linear", **settings})
        self.session = str(opened["session"])
        self.info, self.error = opened["info"], opened["error"]

    def edit(self, node: str, **params: Any) -> str:
        """Send an edit, not waiting for the answer."""
        return self.wire.send("preview.edit", {"session": self.session, "changes": [{"node": node, "params": params}]})

    def look(self, frame: int = 1, **more: Any) -> int:
        """Send a look, not waiting for the answer."""
        self.number += 1
        self.wire.send("preview.look", {"session": self.session, "number": self.number, "frame": frame, **more})
        return self.number

    def heard(self) -> list[dict[str, Any]]:
        """This session's events so far, the oldest first."""
        return [event for event in self.wire.events if event.get("session") == self.session]

    def ended(self, number: int, timeout: float = TIMEOUT) -> dict[str, Any]:
        """The event that ends a look: its final picture or its failure."""
        until = time.monotonic() + timeout
        while True:
            for event in self.heard():
                body = event["body"]
                if body.get("number") == number and body.get("final", True):
                    return event
            left = until - time.monotonic()
            assert left > 0 and self.wire.receive(left) is not None, f"look {number} never ended: {self.heard()}"

    def picture(self, frame: int = 1, **more: Any) -> dict[str, Any]:
        """Look, and wait for the final picture: the event's body."""
        event = self.ended(self.look(frame, **more))
        assert event["event"] == "preview.frame", event
        return dict(event["body"])

    def failure(self, frame: int = 1) -> dict[str, Any]:
        """Look, and wait for the failure: the error."""
        event = self.ended(self.look(frame))
        assert event["event"] == "preview.failed", event
        return dict(event["body"]["error"])

    def runs(self) -> dict[str, int]:
        found = self.wire.ask("preview.statistics", {"session": self.session})
        return {each["node"]: each["runs"] for each in found["nodes"]}


def graph(nodes: dict[str, Any]) -> dict[str, Any]:
    """A document from {id: (type, params, {socket: source})}."""
    raw = {
        name: {"type": kind, "params": params, "inputs": {socket: [source] for socket, source in inputs.items()}}
        for name, (kind, params, inputs) in nodes.items()
    }
    return {"format": "artifexpro.graph", "version": 1, "nodes": raw}


@pytest.fixture
def looker() -> type[Looker]:
    return Looker


@pytest.fixture
def as_graph() -> Callable[[dict[str, Any]], dict[str, Any]]:
    return graph


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon for all tests of a module, so that its viewing process starts once."""
    with serving(tmp_path_factory.mktemp("studio") / "home", parts(), None) as daemon:
        yield daemon


@pytest.fixture
def screen(studio: Daemon) -> Iterator[Wire]:
    """A client of the studio that reads shared memory, gone after the test."""
    wire = Wire(studio.root)
    wire.ask("hello", {"shared_memory": True})
    yield wire
    wire.close()
