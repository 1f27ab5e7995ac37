# mypy: ignore-errors
"""Pictures for lists: read in a thread, because a large file takes longer than an interface may stand still."""

from __future__ import annotations

from collections import OrderedDict

from qtpy.QtCore import QObject, QRunnable, QSize, Qt, QThreadPool, Signal
from qtpy.QtGui import QImage, QImageReader, QPainter, QPainterPath, QPixmap

KEPT = 300
"""So many small pictures stay in memory."""
WIDEST = 320


def from_floats(width, height, values):
    """A picture on its way as the session gives it: RGBA from 0 to 1, rows from the bottom up."""
    data = bytes(min(255, max(0, int(value * 255 + 0.5))) for value in values)
    row = width * 4
    downwards = b"".join(data[at : at + row] for at in range(len(data) - row, -1, -row))
    return QImage(downwards, width, height, row, QImage.Format_RGBA8888).copy()


def fitted(image, width, height, ratio, radius=4):
    """A pixmap of `width` x `height` points, filled by the middle of the picture, its corners rounded."""
    size = QSize(round(width * ratio), round(height * ratio))
    scaled = image.scaled(size, Qt.KeepAspectRatioByExpanding, Qt.SmoothTransformation)
    made = QPixmap(size)
    made.fill(Qt.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(0, 0, size.width(), size.height(), radius * ratio, radius * ratio)
    painter.setClipPath(path)
    painter.drawImage((size.width() - scaled.width()) // 2, (size.height() - scaled.height()) // 2, scaled)
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


class Loader(QObject):
    """Small pictures of files, by path. `loaded` says that one is there; a file that is no picture has none."""

    loaded = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._images = OrderedDict()
        self._asked = set()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._reports = _Reports()
        self._reports.read.connect(self._keep)

    def get(self, path):
        """The picture, or None until `loaded` has named it."""
        image = self._images.get(path)
        if image is None and path not in self._asked:
            self._asked.add(path)
            self._pool.start(_Reading(path, self._reports))
        return image

    def forget(self, path):
        """The file may be another one now."""
        self._asked.discard(path)
        self._images.pop(path, None)

    def wait(self):
        """Until nothing is read any more; for the end."""
        self._pool.clear()
        self._pool.waitForDone()

    def _keep(self, path, image):
        if image.isNull():
            return
        self._images[path] = image
        while len(self._images) > KEPT:
            self._asked.discard(self._images.popitem(last=False)[0])
        self.loaded.emit(path)


class _Reports(QObject):
    read = Signal(str, QImage)


class _Reading(QRunnable):
    def __init__(self, path, reports):
        super().__init__()
        self._path, self._reports = path, reports

    def run(self):
        reader = QImageReader(self._path)
        reader.setAutoTransform(True)
        whole = reader.size()
        if whole.isValid() and whole.width() > WIDEST:
            reader.setScaledSize(whole.scaled(WIDEST, WIDEST, Qt.KeepAspectRatio))
        self._reports.read.emit(self._path, reader.read())
