"""What the panel needs before a window can open."""

from __future__ import annotations

import os
import sys

from ..bridge.errors import BridgeError

GET_IT = 'python3 installers/bootstrap.py panel in the clone, or python -m pip install "artifexpro[panel]"'
_FATAL, _IMMORTAL = ("PySide6", "6.12.0"), (3, 12)
"""It loses a reference to None with every call; Pythons from 3.12 on do not count those."""
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def check() -> None:
    """Raises `BridgeError` where Qt is missing or broken, or there is no screen."""
    try:
        import qtpy.QtWidgets
    except (ImportError, RuntimeError) as error:
        raise _refused(f"Qt for Python is not there ({error})", GET_IT) from error
    if (qtpy.API_NAME, qtpy.PYSIDE_VERSION) == _FATAL and sys.version_info < _IMMORTAL:
        raise _refused(f"{' '.join(_FATAL)} ends this Python after some minutes, by a defect of its own", GET_IT)
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _SCREENS)):
        raise _refused(
            "this session has no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            "a terminal of your desktop, or artifexpro generate, which needs no window",
        )


def no_room(error: OSError) -> BridgeError:
    """The refusal of a panel whose jobs cannot be kept."""
    return _refused(f"it cannot keep its jobs ({error})", "a home that you may write to, named by ARTIFEXPRO_HOME")


def _refused(because: str, remedy: str) -> BridgeError:
    return BridgeError("open the panel", because, remedy, code="panel")
