"""Where the daemon of this user keeps itself, and how to speak to it: its address and the keys.

The folder is the daemon's (see `daemon.home`); hosts only read it. Both sides must find the same one, so the platform's
data folder is computed here as platformdirs does it there; a test compares the two.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zmq.auth import load_certificate

from .errors import BridgeError

VARIABLE = "ARTIFEXPRO_HOME"
_APP = "artifexpro"
_KEY_LENGTH = 40


def data_folder(system: str, environ: Mapping[str, str], user: Path) -> Path:
    """The platform's folder for this user's application data. `system` is a `sys.platform`, `user` the home folder."""
    if system == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return (Path(local) if local else user / "AppData" / "Local") / _APP
    stated = environ.get("XDG_DATA_HOME", "")
    if stated.startswith("/"):
        return Path(stated) / _APP
    usual = (".local", "share") if system != "darwin" else ("Library", "Application Support")
    return user.joinpath(*usual, _APP)


@dataclass(frozen=True)
class Discovery:
    """What the daemon published about itself: where it listens, who it is, which Python can start it."""

    endpoint: str
    public_key: str
    pid: int
    version: str
    protocol: int
    python: str
    serving: bool


@dataclass(frozen=True)
class Address:
    """All that one CURVE connection needs; keys are Z85 text as bytes."""

    endpoint: str
    server_key: bytes
    public: bytes
    secret: bytes


@dataclass(frozen=True)
class Home:
    """The daemon's folder, as a client sees it."""

    root: Path

    @classmethod
    def find(cls, stated: str | Path | None = None) -> Home:
        """The folder stated, else that of ARTIFEXPRO_HOME, else this user's data folder."""
        named = stated or os.environ.get(VARIABLE)
        return cls(Path(named).absolute() if named else data_folder(sys.platform, os.environ, Path.home()))

    def discovery(self) -> Discovery | None:
        """What the last daemon here published; None if there was none, or its record is damaged."""
        try:
            record = json.loads((self.root / "daemon.json").read_text(encoding="utf-8"))
            return _discovery(record)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def address(self, endpoint: str | None = None, server_key: str | None = None) -> Address:
        """Where to connect and with which keys; `endpoint` and `server_key` replace what the daemon published.

        Raises `BridgeError` (codes "no-daemon", "key").
        """
        published = self.discovery()
        if published is None and (endpoint is None or server_key is None):
            raise BridgeError(
                "reach the ArtifexPro daemon",
                f"none has run with the home {self.root}",
                "artifexpro daemon in a terminal, or the folder of a running daemon as home",
                code="no-daemon",
            )
        at = endpoint or (published.endpoint if published else "")
        key = server_key or (published.public_key if published else "")
        if len(key) != _KEY_LENGTH:
            raise BridgeError(
                f"reach the ArtifexPro daemon at {at}",
                "the daemon's public key is not 40 characters long",
                "copying it again from public_key in the daemon's daemon.json",
                code="key",
            )
        public, secret = self._client_keys()
        return Address(at, key.encode("ascii"), public, secret)

    def _client_keys(self) -> tuple[bytes, bytes]:
        file = self.root / "keys" / "client.key_secret"
        try:
            public, secret = load_certificate(file)
        except (OSError, ValueError) as error:
            because = "it cannot be read" if file.exists() else "it is not there"
            raise BridgeError(
                f"read this user's key {file}",
                because,
                "starting the daemon once with this home, which makes the key; for a daemon on another machine, asking "
                "whoever runs it for a key",
                code="key",
            ) from error
        if secret is None or len(public) != _KEY_LENGTH or len(secret) != _KEY_LENGTH:
            raise BridgeError(f"read this user's key {file}", "it is damaged", "a copy of it from a backup", code="key")
        return public, secret


def _discovery(record: dict[str, Any]) -> Discovery:
    return Discovery(
        endpoint=str(record["endpoint"]),
        public_key=str(record["public_key"]),
        pid=int(record["pid"]),
        version=str(record["version"]),
        protocol=int(record["protocol"]),
        python=str(record["python"]),
        serving=bool(record.get("serving", True)),
    )
