"""Sound from media files by sample number, by PyAV.

A sample is the same whatever was asked for before (but for the faint noise that AAC has decoders make up): sound is
decoded on from where it stands or from a seek that begins half a second early, and resampled second by second, each
with its surroundings, on a grid on which input and output samples coincide. Only a few seconds are held, so hours of
sound take no more memory than a minute.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import av, numpy, torch
from artifexpro.core.media import movie
from artifexpro.core.media.files import check_readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDINGS = movie.ENDINGS | {".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".aif", ".aiff", ".mka"}
RATE = 48_000
_EARLY = Fraction(1, 2)
"""Seconds before the wanted sample at which decoding starts: coders look back on up to a third of a second."""
_AHEAD = 5
"""Seconds ahead to which it is cheaper to decode on than to seek."""
_AROUND = 1024
"""Input samples on both sides of a second that its resampling sees, far more than the filter reaches."""
_SECONDS_KEPT = 16
_STATES_LENGTH = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "wav", "flac", "aiff", "matroska,webm"})
"""Containers whose header says how long the sound is; others have it estimated."""
_SHORT = Fraction(1, 2)
"""Seconds by which a whole file may be shorter than its header says."""


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """Samples are numbered from 0 to `length` - 1 at `rate`; sample 0 sounds as the file's first picture is shown, or,
    in a file of sound alone, is the first there is. `picture_rate` is that of the pictures, if there are any."""

    rate: int
    channels: int
    length: int
    picture_rate: Fraction | None


class SoundReader:
    """Samples of a file's sound at `rate`, whatever rate the file has. `track` counts the file's sound tracks from 1.

    May be asked from several threads. Raises `ArtifexError` where the file is missing, has no such sound or is damaged.
    """

    def __init__(self, path: Path, rate: int = RATE, track: int = 1) -> None:
        self._track = _Track(path, track)
        self._lock = Lock()
        self._seconds: OrderedDict[int, NDArray[Any]] = OrderedDict()
        length = ceil(self._track.length * rate / self._track.rate)
        self.info = SoundInfo(rate, self._track.channels, length, self._track.picture_rate)

    def close(self) -> None:
        self._track.close()

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def samples(self, start: int, count: int) -> torch.Tensor:
        """(channels, count) float32 from sample `start` on, full scale at 1.0; silence outside the sound."""
        out = numpy.zeros((self.info.channels, count), numpy.float32)
        rate, end = self.info.rate, min(start + count, self.info.length)
        at = max(start, 0)
        while at < end:
            second, inside = divmod(at, rate)
            part = self._second(second)[:, inside : inside + end - at]
            out[:, at - start : at - start + part.shape[1]] = part
            at += part.shape[1]
        return torch.from_numpy(out)

    def _second(self, number: int) -> NDArray[Any]:
        """(channels, rate): the samples of one second."""
        with self._lock:
            kept = self._seconds.pop(number, None)
            self._seconds[number] = self._made(number) if kept is None else kept
            if len(self._seconds) > _SECONDS_KEPT:
                self._seconds.popitem(last=False)
            return self._seconds[number]

    def _made(self, number: int) -> NDArray[Any]:
        given, wanted = self._track.rate, self.info.rate
        if given == wanted:
            return self._track.read(number * given, given)
        common = gcd(given, wanted)
        steps = ceil(_AROUND * common / given)
        around, cut = steps * given // common, steps * wanted // common
        raw = self._track.read(number * given - around, given + 2 * around)
        return numpy.stack([_resampled(row, given, wanted)[cut : cut + wanted] for row in raw])


class _Track:
    """One sound track at its own rate. Not for two threads at once.

    Positions are sample numbers. They come from the file's time stamps where those are fine enough for single samples;
    where they are not (Matroska counts milliseconds), samples are counted from a place that is known.
    """

    def __init__(self, path: Path, number: int) -> None:
        check_readable(path)
        self.path = path
        self._number = number
        self._file: Any = None
        self._decoding: Iterator[Any] = iter(())
        self.picture_rate: Fraction | None = None
        self._window: list[tuple[int, NDArray[Any]]] = []
        self._start_over()
        first = self._decoded()
        if first is None:
            raise self._damaged("it has a sound track without sound")
        self.rate, self.channels = int(first.sample_rate), len(first.layout.channels)
        self._grid = first.samples
        """Where the first packet's samples end, and after it every packet's: a first one may be cut at its start."""
        self._tolerance = ceil(self._stream.time_base * self.rate)
        self._origin = self._start_of_pictures(Fraction((first.pts or 0) * first.time_base))
        self.length = self._measured()
        self._start_over()

    def close(self) -> None:
        self._file.close()

    def read(self, start: int, count: int) -> NDArray[Any]:
        """(channels, count) float32 from sample `start` on, zeros where the file has none."""
        self._forget_before(start)
        if not self._window or start < self._window[0][0] or start > self._reached + _AHEAD * self.rate:
            self._go(start)
        while self._reached < start + count and (decoded := self._next()) is not None:
            self._window.append(decoded)
            self._forget_before(start)
        out = numpy.zeros((self.channels, count), numpy.float32)
        for position, samples in self._window:
            first, last = max(position, start), min(position + samples.shape[1], start + count)
            if first < last:
                out[:, first - start : last - start] = samples[:, first - position : last - position]
        return out

    def _forget_before(self, start: int) -> None:
        """Drop what ends before `start`, but keep the last to know how far decoding is."""
        while len(self._window) > 1 and self._window[0][0] + self._window[0][1].shape[1] <= start:
            self._window.pop(0)

    def _start_over(self) -> None:
        if self._file is not None:
            self._file.close()
        try:
            self._file = av.open(str(self.path))
        except (av.FFmpegError, ValueError):
            raise self._damaged("it is not a whole file of a kind known here") from None
        tracks = self._file.streams.audio
        if not tracks:
            raise ArtifexError(f"read the sound of {self.path}", "it has no sound", "a file with a sound track")
        if self._number > len(tracks):
            because = f"it has {len(tracks)} sound track{'s' if len(tracks) > 1 else ''}"
            raise ArtifexError(f"read sound track {self._number} of {self.path}", because, "a track that it has")
        self._stream = tracks[self._number - 1]
        self._begin()

    def _begin(self) -> None:
        self._decoding = self._file.decode(self._stream)
        self._window = []
        self._reached = 0
        self._placed = False
        self._near = Fraction(0)

    def _start_of_pictures(self, otherwise: Fraction) -> Fraction:
        """The time in seconds at which sample 0 sounds."""
        covers = av.stream.Disposition.attached_pic
        pictures = next((track for track in self._file.streams.video if not track.disposition & covers), None)
        if pictures is None:
            return otherwise
        self.picture_rate = Fraction(pictures.average_rate) if pictures.average_rate else None
        return Fraction((pictures.start_time or 0) * pictures.time_base)

    def _measured(self) -> int:
        """How many samples there are, found at the file's end."""
        stream = self._stream
        about = Fraction(self._file.duration or 0, av.time_base)
        stated = about if len(self._file.streams) == 1 else Fraction(0)
        if stream.duration is not None:
            about = stated = Fraction(stream.duration * stream.time_base)
        if about > 2:
            self._seek(self._origin + about - 2)
        end = 0
        while (frame := self._decoded()) is not None:
            if frame.pts is not None:
                end = round((frame.pts * frame.time_base - self._origin) * self.rate)
            end += frame.samples
        if self._tolerance > 1:
            end += self._tolerance // 2
        if not stated or self._file.format.name not in _STATES_LENGTH:
            return end
        if end < (stated - _SHORT) * self.rate:
            raise self._damaged("its sound ends before what its header says")
        last = Fraction((stream.start_time or 0) * stream.time_base) + stated - self._origin
        return min(end, round(last * self.rate))

    def _go(self, start: int) -> None:
        """Decode next what comes before `start`, early enough for coders that look back."""
        early = start - ceil(_EARLY * self.rate)
        if early <= 0 or not self._can_seek:
            self._start_over()
            return
        self._seek(self._origin + Fraction(early, self.rate))

    @property
    def _can_seek(self) -> bool:
        """Whether a time stamp tells the exact sample, by itself or because all packets are equally long."""
        return self._tolerance <= 1 or self._stream.codec_context.frame_size > 2 * self._tolerance

    def _seek(self, seconds: Fraction) -> None:
        try:
            self._file.seek(int(seconds / self._stream.time_base), stream=self._stream, backward=True)
        except av.FFmpegError:
            raise self._damaged(f"its sound at {float(seconds - self._origin):.1f} s is not there") from None
        self._begin()
        self._near = seconds - self._origin

    def _next(self) -> tuple[int, NDArray[Any]] | None:
        frame = self._decoded()
        if frame is None:
            return None
        if frame.sample_rate != self.rate or len(frame.layout.channels) != self.channels:
            raise ArtifexError(
                f"read the sound of {self.path}",
                "its rate or its number of channels changes on the way",
                "converting it to one rate, for example to WAV",
            )
        position = self._position(frame)
        samples = _floats(frame)
        self._placed = True
        self._reached = position + samples.shape[1]
        self._near = Fraction(self._reached, self.rate)
        return position, samples

    def _position(self, frame: Any) -> int:
        if frame.pts is None:
            if not self._placed:
                raise self._damaged("it does not say when its sound is to be heard")
            return self._reached
        stamped = round((frame.pts * frame.time_base - self._origin) * self.rate)
        if self._placed:
            return self._reached if abs(stamped - self._reached) <= self._tolerance else stamped
        size = self._stream.codec_context.frame_size
        if self._tolerance <= 1 or not size:
            return stamped
        return self._grid + round((stamped + frame.samples - self._grid) / size) * size - frame.samples

    def _decoded(self) -> Any:
        try:
            return next(self._decoding, None)
        except av.FFmpegError:
            raise self._damaged(f"its sound cannot be decoded near {float(self._near):.1f} s") from None

    def _damaged(self, because: str) -> ArtifexError:
        remedy = "copying or making the file again: it may be cut off"
        return ArtifexError(f"read the sound of {self.path}", because, remedy, code="damaged")


def _floats(frame: Any) -> NDArray[Any]:
    """A decoded piece as (channels, count) float32, full scale at 1.0."""
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, len(frame.layout.channels)).T
    if array.dtype.kind == "u":
        return (array.astype(numpy.float32) - 128) / 128
    if array.dtype.kind == "i":
        return array.astype(numpy.float32) / numpy.float32(2.0 ** (8 * array.dtype.itemsize - 1))
    return array.astype(numpy.float32)


def resampled(pieces: Iterable[torch.Tensor], given: int, wanted: int) -> torch.Tensor:
    """One channel in pieces (n,) float32 at `given` samples a second, as a whole at `wanted`."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=wanted)
    count, parts = 0, []
    for piece in pieces:
        frame = av.AudioFrame.from_ndarray(piece.contiguous().numpy()[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = given, count
        frame.time_base = Fraction(1, given)
        count += len(piece)
        parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    if not count:
        return torch.zeros(0)
    parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return torch.from_numpy(numpy.concatenate(parts)[: ceil(count * wanted / given)])


def _resampled(row: NDArray[Any], given: int, wanted: int) -> NDArray[Any]:
    frame = av.AudioFrame.from_ndarray(row[None], format="fltp", layout="mono")
    frame.sample_rate = given
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=wanted)
    parts = [part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))]
    return numpy.concatenate(parts)
