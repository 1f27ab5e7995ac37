"""Run the daemon: `python -m artifexpro.daemon [--home DIR] [--endpoint URL]`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.daemon.home import Home, default_home
from artifexpro.daemon.server import Parts, Server

LOG_BYTES = 10_000_000


def main(arguments: Sequence[str] | None = None, parts: Parts | None = None) -> int:
    """Serve until told to stop. Exit status 1, with a sentence on standard error, if that cannot begin."""
    parser = argparse.ArgumentParser(prog="artifexpro.daemon", description="Run the ArtifexPro daemon.")
    parser.add_argument("--home", type=Path, help="folder for keys, queue, models and results")
    parser.add_argument("--endpoint", help="where to listen, for example tcp://127.0.0.1:49321 or ipc:///path")
    chosen = parser.parse_args(arguments)
    home = Home((chosen.home or default_home()).absolute())
    server = Server(home, parts)
    try:
        home.prepare()
        _log_to(home.log / "daemon.log")
        endpoint = server.open(chosen.endpoint)
    except ArtifexError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    print(f"serving at {endpoint}", flush=True)
    try:
        server.run()
    finally:
        server.close()
    return 0


def _log_to(file: Path) -> None:
    handler = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main())
