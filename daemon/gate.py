"""The one socket that listens: who is let in, who said what, and whom an answer would reach.

A ROUTER addresses by routing id, which a client chooses for itself; identity is the CURVE key, which libzmq attaches
to every message as `User-Id`. When a client leaves, another may take its routing id, and what was meant for the first
would reach the second. So an address here is key + routing id + connection, the socket's monitor tells which
connections ended, and nothing is sent to an address whose connection did. libzmq emits the monitor's event before it
frees the routing id, and frees routing ids only while this thread is inside the socket, so looking at the monitor
right before sending is early enough.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import parse_monitor_message

from artifexpro.core.errors import ArtifexError
from artifexpro.daemon.keys import KeyPair, KnownClients

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
OLDEST_LIBZMQ = (4, 3, 2)
"""Older ones can be crashed before authentication (CVE-2019-13132)."""

_DOMAIN = "artifexpro"
_WATCHED = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED


@dataclass(frozen=True, slots=True)
class Address:
    """One client on one connection. `connection` is never used twice."""

    key: str
    routing: bytes
    connection: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message: who sent it, its JSON header, its binary parts."""

    sender: Address
    header: bytes
    parts: tuple[bytes, ...]


class Gate:
    """A CURVE ROUTER. All methods belong to the thread that made it."""

    def __init__(self, keys: KeyPair, clients: KnownClients, *, waiting_messages: int = 1000) -> None:
        refuse_old_libzmq()
        self._context = zmq.Context()
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(_DOMAIN, clients)
        self.socket = self._context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 500)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.socket.setsockopt(zmq.SNDHWM, waiting_messages)
        self.socket.setsockopt(zmq.RCVHWM, 100)
        self.socket.setsockopt(zmq.CURVE_SERVER, 1)
        self.socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        self.socket.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN.encode())
        self.socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        self._monitor = self.socket.get_monitor_socket(_WATCHED)
        self._connections: dict[int, int] = {}
        self._open: set[int] = set()
        self._accepted = 0

    def bind(self, endpoint: str) -> str:
        """Listen; returns the endpoint with the port that was chosen for a `*`.

        Raises `ArtifexError` (code "endpoint") where that address cannot be used.
        """
        try:
            self.socket.bind(endpoint)
        except zmq.ZMQError as error:
            raise ArtifexError(
                f"listen at {endpoint}",
                f"the address cannot be used ({error.strerror})",
                "another one with --endpoint, such as tcp://127.0.0.1:* or ipc:///a/short/path",
                code="endpoint",
            ) from error
        return self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def receive(self) -> Arrived | None:
        """The next message, or None if none waits."""
        try:
            routing, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        self._look_at_monitor()
        last = frames[-1]
        connection = self._connections.get(int(last.get(zmq.SRCFD)), 0)
        sender = Address(str(last.get("User-Id")), routing.bytes, connection)
        return Arrived(sender, frames[0].bytes, tuple(frame.bytes for frame in frames[1:]))

    def send(self, to: Address, frames: Sequence[bytes]) -> bool:
        """Hand a message to libzmq. False if the client reads too slowly and it must be sent later.

        Raises `Departed` if that client is no longer there.
        """
        self.socket.getsockopt(zmq.EVENTS)
        if not self.connected(to):
            raise Departed
        try:
            self.socket.send_multipart([to.routing, *frames], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                raise Departed from error
            raise
        return True

    def connected(self, address: Address) -> bool:
        self._look_at_monitor()
        return address.connection in self._open

    def close(self) -> None:
        self.socket.disable_monitor()
        self._monitor.close(0)
        self.socket.close()
        with contextlib.suppress(zmq.ZMQError):
            self._authenticator.stop()
        self._context.term()

    def _look_at_monitor(self) -> None:
        while self._monitor.poll(0):
            happened = parse_monitor_message(self._monitor.recv_multipart())
            handle = int(happened["value"])
            if happened["event"] == zmq.EVENT_ACCEPTED:
                self._accepted += 1
                self._connections[handle] = self._accepted
                self._open.add(self._accepted)
            else:
                self._open.discard(self._connections.pop(handle, 0))


class Departed(Exception):
    """The client's connection ended."""


def refuse_old_libzmq() -> None:
    if zmq.zmq_version_info() < OLDEST_LIBZMQ:
        raise ArtifexError(
            "start the daemon",
            f"its network library libzmq {zmq.zmq_version()} has a hole that strangers can use",
            f"pip install --upgrade pyzmq (libzmq {'.'.join(map(str, OLDEST_LIBZMQ))} or newer)",
            code="libzmq",
        )


def local(endpoint: str) -> bool:
    """Whether only this machine can reach the endpoint."""
    parts = urlsplit(endpoint)
    return parts.scheme in ("ipc", "inproc") or parts.hostname in ("127.0.0.1", "localhost", "::1")
