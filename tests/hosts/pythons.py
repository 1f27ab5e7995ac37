"""The Pythons that hosts run: environments with pyzmq and nothing of the project.

`installers/bootstrap.py test` makes them in .venv-hosts/, each where a Python of that version is found;
ARTIFEXPRO_HOST_PYTHONS names another folder that has them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
NUKE = ("3.9", "3.10", "3.11")
RESOLVE = ("3.10", "3.11", "3.12", "3.13")


def pythons() -> dict[str, Path]:
    """By version, the Pythons that are there. 3.10 has PySide2 and qtpy too."""
    folder = Path(os.environ.get("ARTIFEXPRO_HOST_PYTHONS", TREE / ".venv-hosts"))
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return {version: folder / version / inside for version in VERSIONS if (folder / version / inside).exists()}


@pytest.fixture(params=VERSIONS)
def host_python(request: pytest.FixtureRequest) -> Path:
    """The Python of one host; a test that is for some of them says which:

    @pytest.mark.parametrize("host_python", NUKE, indirect=True)
    """
    found = pythons().get(request.param)
    if found is None:
        pytest.skip(f"no .venv-hosts/{request.param}: bootstrap.py makes it where there is such a Python")
    return found
