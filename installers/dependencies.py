"""Writes what the project is built on, from what is installed: the lock files and docs/dependencies.md.

    python -m artifexpro.installers.dependencies            write them
    python -m artifexpro.installers.dependencies --check    exit status 1 where they are out of step

Run in the environment of `bootstrap.py test`, after a change to the dependencies in pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]

LOCK_HEADER = """\
# {what}
# Written by `python -m artifexpro.installers.dependencies` from an installed environment; do not edit.
"""

# Needed on systems where the lock is not written, so no installed metadata can tell.
ELSEWHERE = {"colorama": ("0.4.6", 'sys_platform == "win32"', "BSD-3-Clause")}

# What the metadata of these packages leaves unsaid or says in prose, read from their licence files.
READ_BY_HAND = {
    "av": "BSD-3-Clause; the wheel bundles FFmpeg (LGPL-2.1+) with x264 and x265 (GPL-2.0+)",
    "opencolorio": "BSD-3-Clause",
    "pyside6-essentials": "LGPL-3.0-only, of those it is offered under; the wheel bundles Qt 6 (LGPL-3.0-only)",
    "shiboken6": "LGPL-3.0-only, of those it is offered under",
    "opencv-python-headless": "Apache-2.0; the wheel bundles FFmpeg (LGPL-2.1+)",
    "pyzmq": "BSD-3-Clause; the wheel bundles libzmq (MPL-2.0) and libsodium (ISC)",
    "torchao": "BSD-3-Clause",
}

# A wheel is listed here once somebody has read what the copyleft part means for us; see the table's footnotes.
BUNDLES_GPL = {"av"}


def installed_closure(wanted: list[str]) -> set[str]:
    """Canonical names of `wanted` (requirement strings) and everything they need on this machine."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        new = name not in found
        found.add(name)
        texts = distribution(name).requires or []
        for own in ("", *requirement.extras) if new else requirement.extras:
            waiting.extend((Requirement(text), own) for text in texts)
    return found


def licence(package: Distribution) -> str:
    """The licence by SPDX name where the package says it, else as it says it, else an empty text."""
    name = canonicalize_name(package.metadata["Name"])
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    text = metadata["License"].strip() if "License" in metadata else ""
    if text and "\n" not in text and len(text) < 60:
        return text
    classified = [value for value in metadata.get_all("Classifier") or [] if value.startswith("License ::")]
    return " or ".join(value.rsplit(" :: ", 1)[-1] for value in classified)


def version(package: Distribution) -> str:
    """The public version: a local part such as +cpu says which build this machine took, not which release."""
    return package.version.split("+", 1)[0]


def lock(names: set[str], what: str, elsewhere: bool) -> str:
    lines = {name: f"{name}=={version(distribution(name))}" for name in names}
    if elsewhere:
        lines |= {name: f"{name}=={number} ; {marker}" for name, (number, marker, _) in ELSEWHERE.items()}
    return LOCK_HEADER.format(what=what) + "".join(f"{lines[name]}\n" for name in sorted(lines))


def row(name: str, direct: set[str]) -> str:
    mark = "yes" if name in direct else ""
    if name in ELSEWHERE:
        number, _, said = ELSEWHERE[name]
        return f"| {name} | {number} | {said} (Windows only) | {mark} |"
    package = distribution(name)
    return f"| {name} | {version(package)} | {licence(package)} | {mark} |"


def table(names: set[str], direct: set[str]) -> str:
    head = "| package | version | licence | asked for by us |\n|---|---|---|---|\n"
    return head + "".join(f"{row(name, direct)}\n" for name in sorted(names))


def document(base: set[str], panel: set[str], dev: set[str], direct: set[str]) -> str:
    return f"""\
# What the project is built on

Written by `python -m artifexpro.installers.dependencies` from the installed packages; do not edit. Versions are those
of the lock files. "Asked for by us" are the dependencies of pyproject.toml; the others come with them.

## To run it

{table(base | set(ELSEWHERE), direct)}
On Linux the registry's build of torch also brings NVIDIA's CUDA libraries, under NVIDIA's own licences; their versions
are pinned in requirements-cuda.lock.

Nothing here is under the GPL or AGPL as a Python package. The wheel of av (PyAV) contains builds of x264 and x265,
which are GPL-2.0-or-later: installing it as a dependency is fine, but whoever ships an installer that contains that
wheel passes these libraries on and must follow their licence.

## For the panel in a window of its own

{table(panel, direct)}
In Nuke and Resolve's neighbourhood the panel takes the Qt that is there. Qt and its Python are under the LGPL: they are
installed as packages of their own, which anybody may replace, and nothing of them is part of ours.

## To work on it

{table(dev - panel, direct)}
The tests drive Blender as the Python module bpy (GPL-3.0-or-later) in environments of its own; nothing of the project
imports it outside Blender, and it is no part of an installation.
"""


def outputs() -> dict[Path, str]:
    """Every file this module writes, with the text it should have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked, window, tools = project["dependencies"], extras["panel"], extras["dev"]
    # setuptools builds the project inside the environment, so that installing it asks no registry.
    base = installed_closure([*asked, "setuptools"])
    panel = installed_closure(window) - base
    dev = installed_closure([*tools, *window]) - base
    direct: set[str] = {canonicalize_name(Requirement(text).name) for text in (*asked, *window, *tools)}
    return {
        ROOT / "requirements.lock": lock(base, "To run the project.", elsewhere=True),
        ROOT / "requirements-panel.lock": lock(
            panel, "For `artifexpro panel`, beside requirements.lock.", elsewhere=False
        ),
        ROOT / "requirements-dev.lock": lock(dev, "To work on it, beside requirements.lock.", elsewhere=False),
        ROOT / "docs" / "dependencies.md": document(base, panel, dev, direct),
    }


def copyleft(text: str) -> list[str]:
    """Rows of the written document whose licence is GPL or AGPL, except those known to bundle such a library."""
    rows = (line.split("|")[1:4] for line in text.splitlines() if line.startswith("| ") and " | " in line)
    said = re.compile(r"\bA?GPL|GNU (?:Affero )?General Public", re.IGNORECASE)
    return [name.strip() for name, _, words in rows if said.search(words) and name.strip() not in BUNDLES_GPL]


def main() -> int:
    stale = [path for path, text in outputs().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"Out of step with what is installed: {names}. Try python -m artifexpro.installers.dependencies.")
        return 1 if stale else 0
    for path, text in outputs().items():
        path.write_text(text, encoding="utf-8")
    print(f"Written: {names}" if stale else "All in step.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
