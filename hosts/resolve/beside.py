"""The panel beside Resolve: a window of a process of its own, for Resolve's Python has no Qt.

    python -m artifexpro.hosts.resolve.beside --mail FOLDER [--studio] [--home DIR] [--luts DIR]

The script "ArtifexPro Panel" in Workspace > Scripts starts it. In the Studio edition it reaches Resolve itself, as
other programs do; in the free one that script carries out what it asks. Either way the mail folder says that it lives,
so that there is one window. The folder is not the companion's: neither gets an answer that is meant for the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..bridge.errors import BridgeError
from ..bridge.home import Home
from ..panel import desk, keeping, needs
from . import studio
from .companion import session_for
from .hands import ByMail, Direct, put, served
from .identity import introduction
from .luts import master_folder
from .panel import InResolve

ENTRY = "ArtifexPro Panel"
LET_IN = "Preferences > System > General in Resolve: External scripting using Local, and then once more"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m artifexpro.hosts.resolve.beside", description=__doc__)
    parser.add_argument("--mail", type=Path, required=True, help="The folder the script in Resolve looks into.")
    parser.add_argument("--studio", action="store_true", help="Resolve lets Python in.")
    parser.add_argument("--home", type=Path, help="The daemon's folder.")
    parser.add_argument("--luts", type=Path, help="Resolve's master LUT folder, where it is not the usual one.")
    asked = parser.parse_args(arguments)
    if served(asked.mail):
        print("The panel beside Resolve is open already.")
        return 0
    try:
        return _run(asked)
    except BridgeError as refusal:
        print(refusal.sentence(), file=sys.stderr)
        asked.mail.mkdir(parents=True, exist_ok=True)
        _leave_word(asked.mail, refusal.sentence())
        return 1


def _run(asked: argparse.Namespace) -> int:
    """Raises `BridgeError` where the panel cannot open."""
    needs.check()
    from ..panel import window

    home = Home.find(asked.home).root
    who = {**introduction(), "name": "ArtifexPro panel in Resolve"}
    try:
        kept = keeping.Keeping(keeping.usual_folder(home), InResolve.title)
        mail = ByMail(asked.mail, script=ENTRY)
    except OSError as error:
        raise needs.no_room(error) from error
    hands = Direct(studio.connect, LET_IN) if asked.studio else mail
    _leave_word(asked.mail, "")
    host = InResolve(hands, home / "resolve", asked.luts or master_folder())
    try:
        return window.run_beside(desk.Desk(host, session_for(home), who, kept), mail.beat)
    finally:
        mail.end()


def _leave_word(mail: Path, trouble: str) -> None:
    """For the script in Resolve, which has no other way to hear why no window came."""
    put(mail / "news.json", {"time": int(time.time()), "trouble": trouble})


if __name__ == "__main__":
    sys.exit(main())
