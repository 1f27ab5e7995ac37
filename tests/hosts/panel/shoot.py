"""Takes the pictures of docs/panel/: python tests/hosts/panel/shoot.py FOLDER, with QT_SCALE_FACTOR for 150 %."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import scene

WIDE, DOCK = {"width": 1040, "height": 900}, {"width": 400, "height": 900}
SHOTS = {
    "wide-dark": {**WIDE, "look": "dark", "host": "Resolve", "page": "queue"},
    "wide-light": {**WIDE, "look": "light", "host": "ArtifexPro", "page": "history"},
    "make-dark": {**DOCK, "look": "dark", "host": "Nuke", "page": "make"},
    "extend-light": {**DOCK, "look": "light", "host": "Nuke", "page": "make", "extended": True},
    "queue-light": {**DOCK, "look": "light", "host": "Nuke", "page": "queue"},
    "history-dark": {**DOCK, "look": "dark", "host": "Nuke", "page": "history"},
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    percent = round(100 * float(os.environ.get("QT_SCALE_FACTOR", "1")))
    for name in names or list(SHOTS):
        with tempfile.TemporaryDirectory() as made:
            panel = scene.build(Path(made), **SHOTS[name])
            window = panel.window()
            window.grab().save(str(folder / f"{name}-{percent}.png"))
            window.close()
            window.deleteLater()
            scene.settle(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
