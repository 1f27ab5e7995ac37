"""Who may speak to the daemon: CURVE keys as files.

The daemon's certificate and that of the user who started it are made at the first start. A client is known while
its public key lies in `keys/clients`. libzmq asks only once, at the handshake, so every message asks again here:
taking a file away takes effect on the next message of a connection that is already open.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from zmq import auth

from artifexpro.core.errors import ArtifexError
from artifexpro.daemon.home import Home

DAEMON = "daemon"
CLIENT = "client"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Z85 text as bytes, 40 characters each."""

    public: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class User:
    """One known client: the name of its file, its public key, the role its rights come from."""

    name: str
    key: str
    role: str = "owner"


def make_keys(home: Home) -> KeyPair:
    """The daemon's own key pair; makes it, and the local user's, where they do not exist yet.

    Raises `ArtifexError` (code "keys") if a secret can be read by other users of this machine, or is damaged.
    """
    previous = os.umask(0o077)
    try:
        home.clients.mkdir(parents=True, exist_ok=True)
        for name in (DAEMON, CLIENT):
            if not (home.keys / f"{name}.key_secret").exists():
                _make(home, name)
    finally:
        os.umask(previous)
    for name in (DAEMON, CLIENT):
        _refuse_readable(home.keys / f"{name}.key_secret")
    return _read_pair(home.keys / f"{DAEMON}.key_secret")


def _make(home: Home, name: str) -> None:
    """A new certificate, its secret last: a start that died half-way makes both again."""
    fresh = home.keys / "new"
    fresh.mkdir(exist_ok=True)
    public, secret = auth.create_certificates(fresh, name)
    if name == CLIENT:
        text = Path(public).read_text(encoding="utf-8")
        (home.clients / f"{LOCAL}.key").write_text(text, encoding="utf-8")
    Path(public).replace(home.keys / f"{name}.key")
    Path(secret).replace(home.keys / f"{name}.key_secret")
    fresh.rmdir()


def _refuse_readable(secret: Path) -> None:
    if sys.platform != "win32" and stat.S_IMODE(secret.stat().st_mode) & 0o077:
        raise ArtifexError(
            "start the daemon",
            f"its secret key {secret} can be read by other users of this machine",
            f"chmod 600 {secret}, and new keys if somebody else may have read it",
            code="keys",
        )


def _read_pair(secret_file: Path) -> KeyPair:
    try:
        public, secret = auth.load_certificate(secret_file)
    except (OSError, ValueError):
        public, secret = b"", None
    if secret is None or len(secret) != 40 or len(public) != 40:
        raise ArtifexError(
            "start the daemon",
            f"its key {secret_file} is damaged",
            f"a copy of {secret_file} from a backup, or removing the folder {secret_file.parent}: the daemon then "
            "makes new keys, and other users' public keys must be put back into its folder clients",
            code="keys",
        )
    return KeyPair(public, secret)


class KnownClients:
    """The public keys in one folder, read again whenever a file in it changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: frozenset[tuple[str, int, int, int]] | None = None
        self._users: dict[str, User] = {}

    def user(self, key: str) -> User | None:
        """The client with this Z85 public key, or None: unknown, or no longer known."""
        self._refresh()
        return self._users.get(key)

    def all(self) -> tuple[User, ...]:
        self._refresh()
        return tuple(self._users.values())

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by `zmq.auth` at each handshake."""
        return KnownClients(self._folder).user(key.decode("ascii")) is not None

    def _refresh(self) -> None:
        seen = self._listing()
        if seen == self._seen:
            return
        users = {}
        for name, *_ in sorted(seen):
            try:
                public, _ = auth.load_certificate(self._folder / name)
            except (OSError, ValueError):
                continue
            users[public.decode("ascii")] = User(name.removesuffix(".key"), public.decode("ascii"))
        self._seen, self._users = seen, users

    def _listing(self) -> frozenset[tuple[str, int, int, int]]:
        found = set()
        for file in self._folder.glob("*.key"):
            try:
                about = file.stat()
            except FileNotFoundError:
                continue
            found.add((file.name, about.st_mtime_ns, about.st_size, about.st_ino))
        return frozenset(found)
