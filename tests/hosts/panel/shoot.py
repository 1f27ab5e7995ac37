"""Takes the pictures of docs/panel/: python tests/hosts/panel/shoot.py FOLDER, with QT_SCALE_FACTOR for 150 %."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import scene

SHOTS = {
    "wide-dark": {"look": "dark", "host": "Resolve", "width": 1040, "height": 860, "page": "queue"},
    "wide-light": {"look": "light", "host": "ArtifexPro", "width": 1040, "height": 860, "page": "history"},
    "dock-make-dark": {"look": "dark", "host": "Nuke", "width": 400, "height": 900, "page": "make"},
    "dock-queue-dark": {"look": "dark", "host": "Nuke", "width": 400, "height": 900, "page": "queue"},
    "dock-history-light": {"look": "light", "host": "Nuke", "width": 400, "height": 900, "page": "history"},
    "extend-light": {"look": "light", "host": "Nuke", "width": 400, "height": 900, "page": "make", "extended": True},
    "extend-dark": {"look": "dark", "host": "Nuke", "width": 400, "height": 900, "page": "make", "extended": True},
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    percent = round(100 * float(os.environ.get("QT_SCALE_FACTOR", "1")))
    for name in names or list(SHOTS):
        with tempfile.TemporaryDirectory() as made:
            panel = scene.build(Path(made), **SHOTS[name])
            panel.grab().save(str(folder / f"{name}-{percent}.png"))
            panel.close()
            panel.deleteLater()
            scene.settle(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
