"""Commands that become another program: the daemon, and the benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from artifexpro.hosts.terminal.output import Failed, refuse


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


def panel(out: Path | None) -> None:
    """Open the panel's window; its status is this command's."""
    from artifexpro.hosts.bridge.errors import BridgeError
    from artifexpro.hosts.panel import needs
    from artifexpro.hosts.terminal.talk import release

    try:
        needs.check()
        from artifexpro.hosts.panel import window

        status = window.run(out, release())
    except OSError as error:
        raise Failed(needs.no_room(error).sentence()) from error
    except BridgeError as refusal:
        raise Failed(refusal.sentence()) from refusal
    if status:
        raise typer.Exit(status)


def bench(name: str, options: Mapping[str, object], *, as_json: bool) -> None:
    """Run one group of figures. Its status is this command's. `options` are those that only the embedded model's
    bench has; None is not given."""
    given = [text for option, value in options.items() if value is not None for text in (f"--{option}", str(value))]
    if given and name != "wan22":
        raise refuse(
            f"measure {name} with {' '.join(given)}",
            "only the figures of wan22 have prompts, a model and a LoRA",
            f"artifexpro bench {name}, or artifexpro bench wan22 {' '.join(given)}",
        )
    command = [sys.executable, "-m", f"artifexpro.benchmarks.{name}", *given, *(["--json"] if as_json else [])]
    if subprocess.call(command):
        raise typer.Exit(1)
