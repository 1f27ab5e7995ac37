"""Commands that become another program: the daemon, and the benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from artifexpro.hosts.terminal.output import refuse

_FATAL, _IMMORTAL = ("PySide6", "6.12.0"), (3, 12)
"""It loses a reference to None with every call; Pythons from 3.12 on do not count those."""
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


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
    get_it = 'python3 installers/bootstrap.py panel in the clone, or python -m pip install "artifexpro[panel]"'
    try:
        import qtpy.QtWidgets
    except (ImportError, RuntimeError) as error:
        raise refuse("open the panel", f"Qt for Python is not there ({error})", get_it) from error
    if (qtpy.API_NAME, qtpy.PYSIDE_VERSION) == _FATAL and sys.version_info < _IMMORTAL:
        because = f"{' '.join(_FATAL)} ends this Python after some minutes, by a defect of its own"
        raise refuse("open the panel", because, get_it)
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _SCREENS)):
        raise refuse(
            "open the panel",
            "this session has no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            "a terminal of your desktop, or artifexpro generate, which needs no window",
        )
    from artifexpro.hosts.panel import window
    from artifexpro.hosts.terminal.talk import release

    try:
        status = window.run(out, release())
    except OSError as error:
        remedy = "a home that you may write to, named by ARTIFEXPRO_HOME"
        raise refuse("open the panel", f"it cannot keep its jobs ({error})", remedy) from error
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
