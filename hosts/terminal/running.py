"""Commands that become another program: the daemon, and the benchmarks."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import typer

from artifexpro.hosts.terminal.output import refuse


def daemon(home: Path | None, endpoint: str | None) -> None:
    """Run the daemon in place of this command, so that signals reach it."""
    command = [sys.executable, "-m", "artifexpro.daemon"]
    if home is not None:
        command += ["--home", str(home)]
    if endpoint is not None:
        command += ["--endpoint", endpoint]
    if sys.platform == "win32":
        raise typer.Exit(subprocess.call(command))
    sys.stdout.flush()
    os.execv(command[0], command)


def stop(home: Path | None) -> None:
    """End the daemon that serves `home`; what it runs goes back to the queue."""
    from artifexpro.hosts.terminal import talk

    with talk.daemon(home, start=False) as client:
        client.request("daemon.stop")
    print("The daemon stops; its jobs stay in the queue.")


def bench(name: str, *, as_json: bool) -> None:
    """Run one group of figures. Its status is this command's."""
    module = f"artifexpro.benchmarks.{name}"
    if importlib.util.find_spec(module) is None:
        raise refuse(f"measure {name}", "its figures arrive in a later release", "artifexpro bench transport")
    status = subprocess.call([sys.executable, "-m", module, *(["--json"] if as_json else [])])
    if status:
        raise typer.Exit(1)
