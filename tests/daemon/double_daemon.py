"""A daemon whose worker is the double beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

from artifexpro.daemon.__main__ import main
from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.home import Home
from artifexpro.daemon.server import Parts


def ballast(home: Home) -> Ballast:
    return Ballast(home.ballast, size=1_000_000, low=1_000_000)


if __name__ == "__main__":
    worker = (sys.executable, str(Path(__file__).with_name("double_worker.py")))
    nothing = Parts(admit=lambda request, home: None, warm=lambda: None, worker=worker, ballast=ballast)
    sys.exit(main(parts=nothing))
