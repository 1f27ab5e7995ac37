"""Pictures of a timeline's media: readers that are opened when they are needed, and a few of them kept open.

An edit may refer to more movies than a process may hold open; the ones read last stay, since edits go on in time.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal, Protocol

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.media import movie, still
from artifexpro.core.media.movie import MovieReader
from artifexpro.core.media.pixels import blank
from artifexpro.core.media.sequence import SequenceReader
from artifexpro.core.timeline.media import Media

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN_READERS = 8
_NEAR = 0.01
"""By how much, of one, a movie's rate may differ from what the timeline says of it. Programs call 24000/1001 24, and
phones film at 29.98; more than that is another movie."""

Fit = Literal["letterbox", "crop", "stretch"]
Size = tuple[int, int]


class _Reader(Protocol):
    """Pictures of one media by their count from 0. `size` is the full one."""

    size: Size

    def frame(self, picture: int, size: Size) -> torch.Tensor: ...

    def close(self) -> None: ...


class _Movie:
    def __init__(self, media: Media, space: str) -> None:
        self._movie = MovieReader(media.path)
        info = self._movie.info
        self.size = info.width, info.height
        self._space = self._movie.space(space)
        self._ratio = info.rate / media.rate
        if abs(self._ratio - 1) > _NEAR:
            self._movie.close()
            raise ArtifexError(
                f"read {media.path}",
                f"it has {info.rate} frames a second and the timeline says that it has {media.rate}",
                "linking the right movie, or exporting the timeline again",
            )

    def frame(self, picture: int, size: Size) -> torch.Tensor:
        number = picture if self._ratio == 1 else math.floor((2 * picture + 1) * self._ratio / 2)
        return self._movie.frame(number, size, self._space)

    def close(self) -> None:
        self._movie.close()


class _Sequence:
    def __init__(self, media: Media, space: str) -> None:
        self._frames = SequenceReader(str(media.path), space=space)
        self._media = media
        self.size = self._frames.info.width, self._frames.info.height

    def frame(self, picture: int, size: Size) -> torch.Tensor:
        return self._frames.frame(self._media.number(picture), size)

    def close(self) -> None:
        pass


class _Still:
    """One picture for all frames, read once a size."""

    def __init__(self, media: Media, space: str) -> None:
        info = still.probe(media.path)
        self.size = info.width, info.height
        self._media = media
        self._space = space
        self._read: Mapping[Size, torch.Tensor] = {}

    def frame(self, picture: int, size: Size) -> torch.Tensor:
        if size not in self._read:
            self._read = {size: still.read(self._media.path, size, self._space)}
        return self._read[size]

    def close(self) -> None:
        pass


class Pictures:
    """Pictures of any media, fitted into one size. Not for two threads at once. `space` is that of all files, or "auto"
    for what each says of itself."""

    def __init__(self, space: str = "auto", fit: Fit = "letterbox", most: int = OPEN_READERS) -> None:
        self._space = space
        self._fit = fit
        self._most = most
        self._open: OrderedDict[Media, _Reader] = OrderedDict()

    def __len__(self) -> int:
        """How many readers are open."""
        return len(self._open)

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def full_size(self, media: Media) -> Size:
        """(width, height) of the media's own pictures. Raises `ArtifexError`."""
        return self._reader(media).size

    def frame(self, media: Media, picture: int, whole: Size, size: Size) -> torch.Tensor:
        """(1, 4, H, W) at `size` (width, height): the picture fitted into one of `whole`, and that at `size`.

        float32, in the working space, premultiplied, transparent beside a letterboxed picture. Raises `ArtifexError`.
        """
        reader = self._reader(media)
        inside = _inside(reader.size, whole, size, self._fit)
        return _centred(reader.frame(picture, inside), size)

    def _reader(self, media: Media) -> _Reader:
        reader = self._open.get(media)
        if reader is None:
            while len(self._open) >= self._most:
                self._open.popitem(last=False)[1].close()
            reader = self._open[media] = _opened(media, self._space)
        self._open.move_to_end(media)
        return reader


def _opened(media: Media, space: str) -> _Reader:
    if media.is_sequence:
        return _Sequence(media, space)
    ending = media.path.suffix.lower()
    if ending in movie.ENDINGS:
        return _Movie(media, space)
    if ending in still.ENDINGS:
        return _Still(media, space)
    raise unknown_ending(media)


def unknown_ending(media: Media) -> ArtifexError:
    """The refusal of media that no reader here knows by its name."""
    ending = media.path.suffix.lower()
    return ArtifexError(
        f"read {media.path}",
        f'files ending in "{ending}" are not known here' if ending else "its name has no ending",
        f"one of {', '.join(sorted(movie.ENDINGS | still.ENDINGS))}",
    )


def _inside(own: Size, whole: Size, size: Size, fit: Fit) -> Size:
    """How large a picture of `own` size becomes at `size`, which stands for `whole`."""
    if fit == "stretch" or own == whole:
        return size
    ratios = whole[0] / own[0], whole[1] / own[1]
    factor = min(ratios) if fit == "letterbox" else max(ratios)
    wide, high = own[0] * factor * size[0] / whole[0], own[1] * factor * size[1] / whole[1]
    return max(1, round(wide)), max(1, round(high))


def _centred(pixels: torch.Tensor, size: Size) -> torch.Tensor:
    """The picture in the middle of one of `size`: what is larger is cut, what is smaller lies on transparent black."""
    height, width = pixels.shape[2:]
    if (width, height) == size:
        return pixels
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    cut = pixels[:, :, max(0, top) : max(0, top) + size[1], max(0, left) : max(0, left) + size[0]]
    if cut.shape[2:] == (size[1], size[0]):
        return cut.contiguous(memory_format=torch.channels_last)
    out = blank(*size)
    x, y = max(0, -left), max(0, -top)
    out[:, :, y : y + cut.shape[2], x : x + cut.shape[3]] = cut
    return out
