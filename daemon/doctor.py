"""What is missing, in plain words."""

from __future__ import annotations

import os
import platform
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import zmq

from artifexpro.daemon import machine
from artifexpro.daemon.ballast import MEGABYTE, Ballast
from artifexpro.daemon.gate import OLDEST_LIBZMQ, local
from artifexpro.daemon.home import Home


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is in order, what was seen, what to do if it is not."""

    name: str
    ok: bool
    said: str
    remedy: str = ""


def examine(home: Home, ballast: Ballast, endpoint: str, known_clients: int) -> list[dict[str, Any]]:
    """All checks; starts a process that loads torch, so it takes seconds."""
    checks = [
        _python(),
        _libzmq(),
        _disk(ballast),
        _keys(home, known_clients),
        _reach(endpoint),
        *_worker(),
        *_models(home),
    ]
    return [asdict(check) for check in checks]


def _check(name: str, ok: bool, said: str, remedy: str) -> Check:
    return Check(name, ok, said, "" if ok else remedy)


def _python() -> Check:
    return _check("python", sys.version_info >= (3, 11), f"Python {platform.python_version()}", "Python 3.11 or newer")


def _libzmq() -> Check:
    said = f"libzmq {zmq.zmq_version()}, pyzmq {zmq.pyzmq_version()}"
    return _check("libzmq", zmq.zmq_version_info() >= OLDEST_LIBZMQ, said, "pip install --upgrade pyzmq")


def _disk(ballast: Ballast) -> Check:
    problem = ballast.problem()
    if problem is not None:
        return Check("disk", False, problem.because, problem.remedy)
    return Check("disk", True, f"{ballast.free() // MEGABYTE} MB free in {ballast.path.parent}")


def _keys(home: Home, known: int) -> Check:
    secrets = sorted(home.keys.glob("*.key_secret"))
    open_ones = [file for file in secrets if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_ones:
        return Check("keys", False, f"{open_ones[0]} can be read by other users", f"chmod 600 {open_ones[0]}")
    said = f"{known} client{'' if known == 1 else 's'} known, secrets readable by this user only"
    return _check("keys", known > 0, said, f"a client's public key in {home.clients}")


def _reach(endpoint: str) -> Check:
    if local(endpoint):
        return Check("endpoint", True, f"{endpoint}, reachable from this machine only")
    return Check("endpoint", True, f"{endpoint}, reachable from other machines by clients whose key is known")


def _worker() -> Iterator[Check]:
    found = machine.probe()
    if found.problem:
        remedy = "installing ArtifexPro again: the worker needs torch"
        yield Check("worker", False, f"a worker cannot start: {found.problem}", remedy)
        return
    yield Check("worker", True, f"a worker starts, with torch {found.torch}")
    if found.cards:
        yield Check("card", True, ", ".join(f"{name} with {size:.0f} GB" for name, size in found.cards))
    else:
        yield Check("card", True, "no graphics card that torch can use: everything runs on the processor, slowly")


def _models(home: Home) -> Iterator[Check]:
    from artifexpro.core.wan22.catalogue import CATALOGUE
    from artifexpro.core.wan22.weights import installed

    there = [spec.name for spec in CATALOGUE.values() if spec.random or installed(home.models, spec)]
    real = [name for name in there if not CATALOGUE[name].random]
    said = f"usable now: {', '.join(there)}"
    yield Check(
        "models", True, said if real else f"{said} (noise only)", "" if real else "artifexpro models get ti2v-5B"
    )
