"""The object `resolve` for Python: given to scripts inside Resolve, asked for by those outside.

Since release 21.1 the Studio edition alone lets Python in.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MODULE = "DaVinciResolveScript"


def modules_folder(system: str, environ: Mapping[str, str]) -> Path:
    """Where Resolve's own Python module lies. `system` is a `sys.platform`."""
    stated = environ.get("RESOLVE_SCRIPT_API")
    if stated:
        return Path(stated) / "Modules"
    if system == "win32":
        data = Path(environ.get("PROGRAMDATA", r"C:\ProgramData"))
        return data / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Developer" / "Scripting" / "Modules"
    if system == "darwin":
        return Path("/Library/Application Support/Blackmagic Design/DaVinci Resolve/Developer/Scripting/Modules")
    return Path("/opt/resolve/Developer/Scripting/Modules")


def connect() -> Any:
    """Resolve, where it runs and lets Python in; else None."""
    given = getattr(sys.modules.get("__main__"), "resolve", None)
    if given is not None:
        return given
    folder = str(modules_folder(sys.platform, os.environ))
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(MODULE)
    except ImportError:
        return None
    return module.scriptapp("Resolve")
