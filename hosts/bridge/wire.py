"""Messages as bytes: a JSON header, then raw binary parts."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from .errors import BridgeError

PROTOCOL = 1
"""The protocol this release speaks; it has no business with a daemon of another."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

Body = dict[str, Any]


def encode(name: str, op: str, body: Body, parts: Sequence[bytes]) -> list[bytes]:
    """A request's frames. Raises `BridgeError` (code "too-large") above 64 MiB: the daemon would drop the line."""
    header = json.dumps({"v": PROTOCOL, "id": name, "op": op, "body": body}, allow_nan=False).encode("utf-8")
    frames = [header, *parts]
    size = sum(len(frame) for frame in frames)
    if size > MAX_MESSAGE_BYTES:
        raise BridgeError(
            f"send {op} to the daemon",
            f"it is {size / 1024 / 1024:.0f} MiB long, and a message may have {MAX_MESSAGE_BYTES // 1024 // 1024}",
            "naming large media by path instead of sending it, or a smaller graph",
            code="too-large",
        )
    return frames


def decode(frames: Sequence[bytes]) -> Body | None:
    """A reply or an event as data, its binary parts under "parts" where it has any; None if it is neither."""
    try:
        said = json.loads(frames[0])
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if len(frames) > 1:
        said["parts"] = list(frames[1:])
    return said


def is_local(endpoint: str) -> bool:
    """Whether the endpoint is on this machine."""
    parts = urlsplit(endpoint)
    return parts.scheme == "ipc" or parts.hostname in ("127.0.0.1", "localhost", "::1")


def somebody_listens(endpoint: str, timeout: float = 0.5) -> bool:
    """Whether anything accepts connections there; True where that cannot be known without a handshake."""
    parts = urlsplit(endpoint)
    if parts.scheme == "ipc":
        family, where = getattr(socket, "AF_UNIX", None), endpoint[len("ipc://") :]
        if family is None:
            return True
        return _accepts(socket.socket(family, socket.SOCK_STREAM), where, timeout)
    if parts.hostname is None or parts.port is None:
        return True
    family = socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET
    return _accepts(socket.socket(family, socket.SOCK_STREAM), (parts.hostname, parts.port), timeout)


def _accepts(probe: socket.socket, where: Any, timeout: float) -> bool:
    with probe:
        probe.settimeout(timeout)
        try:
            probe.connect(where)
        except OSError:
            return False
    return True
