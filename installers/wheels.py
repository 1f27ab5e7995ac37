"""The pyzmq wheels that go into hosts: one for each Python and platform that hosts have.

Hosts' Pythons are not the project's, and Blender forbids installing packages while it runs. Blender 4.2 to 5.0 runs
Python 3.11; from 5.1 it runs 3.13, which takes the stable-ABI wheel of 3.12, as do Resolve's newer Pythons. Nuke 14
runs 3.9, 15 runs 3.10, 16 and 17 run 3.11. The macOS wheels serve Intel and Apple alike.

Blender 5.2 takes an extension with a cp311 wheel and an abi3 wheel for one of Python 3.11 only
(`python_versions_from_wheels` drops "any 3" once "3.11" is there), so the abi3 wheel goes in under a cp313 name.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from artifexpro.core.errors import ArtifexError

RELEASE = "27.3.0"


@dataclass(frozen=True)
class Wheel:
    """One file of the pinned release. `python` is the oldest it is for; `system` is as `platform.system()` says it;
    `pip_platform` selects it in pip."""

    filename: str
    python: str
    system: str
    pip_platform: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As pip is asked for it."""
        name, version = self.filename.split("-")[:2]
        return f"{name}=={version}"

    @property
    def bundled_as(self) -> str:
        """The file's name in Blender's extension; its contents stay as published."""
        return self.filename.replace("-cp312-abi3-", "-cp313-cp313-")


_PUBLISHED = (
    (
        "cp39-cp39-manylinux2014_x86_64.manylinux_2_17_x86_64",
        "3.9",
        "Linux",
        "manylinux2014_x86_64",
        "aa8ff557c69bcf960f112f635f51b4e696b04c9e15c916aefe35fd3f08a2328f",
    ),
    (
        "cp310-cp310-manylinux_2_26_x86_64.manylinux_2_28_x86_64",
        "3.10",
        "Linux",
        "manylinux_2_28_x86_64",
        "e84d88c42ac2ea32314aaa9ef879da16c372ebfb8ad6f2ce1953d88538b44831",
    ),
    (
        "cp311-cp311-manylinux_2_26_x86_64.manylinux_2_28_x86_64",
        "3.11",
        "Linux",
        "manylinux_2_28_x86_64",
        "477b8ad30d66fc905c5388351e83b9ac25824b00e82c0d052b72ea6392636dfd",
    ),
    (
        "cp312-abi3-manylinux_2_26_x86_64.manylinux_2_28_x86_64",
        "3.12",
        "Linux",
        "manylinux_2_28_x86_64",
        "858fe25231e0fd8612da142efde019faa5ef63fa150a821a27870e791b38c798",
    ),
    (
        "cp39-cp39-macosx_10_15_universal2",
        "3.9",
        "Darwin",
        "macosx_11_0_arm64",
        "58b949b8b7ed672ce126bdd2387c196a0e1432c34558d677d456167c5524a0fb",
    ),
    (
        "cp310-cp310-macosx_10_15_universal2",
        "3.10",
        "Darwin",
        "macosx_11_0_arm64",
        "de47ad29f7fed1a466e0ef34b13ca307cf24aba77c0a21c87e6cae649ad29669",
    ),
    (
        "cp311-cp311-macosx_10_15_universal2",
        "3.11",
        "Darwin",
        "macosx_11_0_arm64",
        "86fb4408797aabb54a31e147176ae0f2474d99f1715a36a4564089eca9ef9ce8",
    ),
    (
        "cp312-abi3-macosx_10_15_universal2",
        "3.12",
        "Darwin",
        "macosx_11_0_arm64",
        "15155fd8f308d3bd47f67a8f6cc809f9db90abbf63c514c384a17622e2cf080f",
    ),
    (
        "cp39-cp39-win_amd64",
        "3.9",
        "Windows",
        "win_amd64",
        "90a9be7d20345aaac8c2474daee56d7554364c6aece2ad963e35593a57fb68b7",
    ),
    (
        "cp310-cp310-win_amd64",
        "3.10",
        "Windows",
        "win_amd64",
        "d968d0c2bd7a35c73d62b32fba05e8c2061a6614870e8ec132a6667bc72f24e9",
    ),
    (
        "cp311-cp311-win_amd64",
        "3.11",
        "Windows",
        "win_amd64",
        "df98c790f86b6aa2378b4bb94dec7b85b0adb195b880b41e429a4990aed2a8c9",
    ),
    (
        "cp312-abi3-win_amd64",
        "3.12",
        "Windows",
        "win_amd64",
        "3ea8e8fa5c097e68fef91d70b150fda96f307758103868018fc4deeb9c214122",
    ),
)
WHEELS = tuple(
    Wheel(f"pyzmq-{RELEASE}-{tags}.whl", python, system, pip_platform, sha256)
    for tags, python, system, pip_platform, sha256 in _PUBLISHED
)
BLENDER = ("3.11", "3.12")
"""The wheels that Blender's Pythons, 3.11 and 3.13, take."""
QT = (
    Wheel(
        "QtPy-2.4.3-py3-none-any.whl",
        "3.9",
        "any",
        "any",
        "72095afe13673e017946cc258b8d5da43314197b741ed2890e563cf384b51aa1",
    ),
    Wheel(
        "packaging-25.0-py3-none-any.whl",
        "3.9",
        "any",
        "any",
        "29572ef2b1f17581046b3a2227d5c611fb25ec70ca1ba8554b24b0e69331a484",
    ),
)
"""What the panel needs to speak to the Qt that is in a host, for every Python from 3.9 on."""


def cache_folder() -> Path:
    """Where downloaded wheels are kept: ARTIFEXPRO_WHEEL_CACHE, or the user's cache folder."""
    stated = os.environ.get("ARTIFEXPRO_WHEEL_CACHE")
    return Path(stated) if stated else Path(platformdirs.user_cache_dir("artifexpro", appauthor=False)) / "wheels"


def needed(everywhere: bool, pythons: Collection[str] = BLENDER) -> tuple[Wheel, ...]:
    """The wheels for these Pythons on all systems, or only on the one this runs on."""
    here = platform.system()
    wheels = tuple(wheel for wheel in WHEELS if wheel.python in pythons and (everywhere or wheel.system == here))
    if not wheels:
        raise ArtifexError(
            f"choose the wheels for {here}",
            "ArtifexPro goes into hosts on Linux, macOS and Windows",
            "one of these systems",
        )
    return wheels


def collect(folder: Path, *, everywhere: bool = True) -> dict[str, bytes]:
    """The wheels by the names they are bundled as; taken from `folder`, downloaded to it through pip where missing.

    Each is checked against its hash. Raises `ArtifexError` when one cannot be had or is not what was pinned.
    """
    return {wheel.bundled_as: _bytes(wheel, folder) for wheel in needed(everywhere)}


@cache
def unpacked(python: str, *, qt: bool = False) -> Mapping[str, bytes]:
    """The files of pyzmq for one Python of this system, by their path in a folder of Python's path; with `qt` those of
    qtpy too. Raises `ArtifexError`.
    """
    oldest = python if python in ("3.9", "3.10", "3.11") else "3.12"
    files = {}
    for wheel in (*needed(everywhere=False, pythons=(oldest,)), *(QT if qt else ())):
        with zipfile.ZipFile(io.BytesIO(_bytes(wheel, cache_folder()))) as packed:
            files.update({name: packed.read(name) for name in packed.namelist() if not name.endswith("/")})
    return files


def _bytes(wheel: Wheel, folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wheel.filename
    if not path.exists():
        _download(wheel, folder)
    return _checked(wheel, path)


def _download(wheel: Wheel, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    which = ["--only-binary=:all:", "--implementation", "cp", "--python-version", wheel.python]
    done = subprocess.run(
        [*pip, *which, "--platform", wheel.pip_platform, "--dest", str(folder), wheel.requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (folder / wheel.filename).exists():
        said = (done.stderr.strip().splitlines() or ["pip chose another file"])[-1].rstrip(".")
        raise ArtifexError(
            f"download {wheel.filename}",
            f"pip said: {said}",
            f"again with a network connection, or putting that file into {folder}",
        )


def _checked(wheel: Wheel, path: Path) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise ArtifexError(
            f"use {path}",
            "its contents are not those of the pinned release",
            "deleting the file and building again",
        )
    return data
