"""A line to this user's daemon, with every refusal told as this program tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.terminal.output import Failed, WrongUse

SLOW_SECONDS = 300.0
"""For what loads libraries before it can answer."""
_USAGE = "usage"


def release() -> str:
    """The installed release."""
    return metadata.version("artifexpro")


@contextmanager
def told() -> Iterator[None]:
    """Turn a refusal of the bridge or the daemon into the end of the command; one of the arguments is wrong use."""
    try:
        yield
    except BridgeError as error:
        kind = WrongUse if error.code == _USAGE else Failed
        raise kind(error.sentence()) from error


@contextmanager
def daemon(home: Path | None = None, *, start: bool = True) -> Iterator[Client]:
    """A line to the daemon; starts one where none runs. Raises `Failed`."""
    with told(), Client(home, name="artifexpro", version=release(), host="terminal") as client:
        client.connect(start=start)
        yield client
