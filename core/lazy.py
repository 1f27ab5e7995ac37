"""Heavy libraries, named at the top of a module and imported at first use.

The daemon reads every node's declaration to answer questions about graphs, and must start in under a second;
torch, OpenCV and the media libraries load only in the process that touches pixels.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class _OnFirstUse:
    def __init__(self, module: str) -> None:
        self._module = module
        self._loaded: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._loaded is None:
            self._loaded = importlib.import_module(self._module)
        return getattr(self._loaded, name)


if TYPE_CHECKING:
    import av
    import cv2
    import numpy
    import OpenImageIO
    import PyOpenColorIO
    import scenedetect
    import torch
else:
    av = _OnFirstUse("av")
    cv2 = _OnFirstUse("cv2")
    numpy = _OnFirstUse("numpy")
    OpenImageIO = _OnFirstUse("OpenImageIO")
    PyOpenColorIO = _OnFirstUse("PyOpenColorIO")
    scenedetect = _OnFirstUse("scenedetect")
    torch = _OnFirstUse("torch")

__all__ = ["OpenImageIO", "PyOpenColorIO", "av", "cv2", "numpy", "scenedetect", "torch"]
