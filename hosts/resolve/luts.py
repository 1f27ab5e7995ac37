"""Where Resolve looks for LUTs: its master folder, and no other."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def master_folder(system: str = sys.platform) -> Path:
    """The master LUT folder of a usual installation on `system`, a `sys.platform`."""
    if system == "win32":
        data = os.environ.get("PROGRAMDATA", r"C:\ProgramData")
        return Path(data) / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "LUT"
    if system == "darwin":
        return Path("/Library/Application Support/Blackmagic Design/DaVinci Resolve/LUT")
    return Path("/opt/resolve/LUT")
