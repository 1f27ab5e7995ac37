"""Movie files by frame number, by PyAV.

Pixels go through swscale with full chroma interpolation and accurate rounding: without them a round trip is off by up
to 16 of 255 and darker on the whole. In 16 bit words swscale has its own white for pictures coded as luma and chroma,
65280, and leaves alpha in the high bits; both are undone here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import WORKING_SPACE
from artifexpro.core.lazy import av, cv2, numpy, torch
from artifexpro.core.media import color
from artifexpro.core.media.files import Stamp, check_readable
from artifexpro.core.media.pixels import from_rows, premultiply, rows, unpremultiply
from artifexpro.core.media.resample import resize

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDINGS = frozenset((".mp4", ".mov", ".mkv", ".m4v", ".avi", ".webm", ".mxf", ".mpg", ".mpeg", ".ts"))
Codec = Literal["h264", "prores4444", "ffv1"]

_RGB, _BT709, _BT601 = 0, 1, 5
_VIDEO_RANGE, _FULL_RANGE = 1, 2
_UNSPECIFIED = 2
_HDR_TRANSFERS = {16: "rec2100_pq_display", 18: "rec2100_hlg_display"}
_BT2020_PRIMARIES = 9
_MATRICES = frozenset({0, 1, 4, 5, 6, 7, 9})
"""RGB, BT.709, FCC, BT.470BG, SMPTE 170M, SMPTE 240M, BT.2020 as ITU-T H.273 numbers them."""
_WIDEST_SD = 1024
_WHITE_16 = 65280
_WINDOW = 48
"""How many frames ahead it is cheaper to decode on than to seek."""


@dataclass(frozen=True, slots=True)
class MovieInfo:
    """Frames are numbered from 0 to `frames` - 1 at the constant `rate`."""

    frames: int
    rate: Fraction
    width: int
    height: int
    deep: bool
    alpha: bool


class _Decoded(NamedTuple):
    """A picture as the decoder gave it, and whether it is, or goes on from, a damaged one."""

    picture: Any
    is_damaged: bool


def _converted(words: NDArray[Any], table: NDArray[Any], matrix: NDArray[Any]) -> torch.Tensor:
    """(H, W, 3) bytes as opaque (1, 4, H, W) float32, through a table and a matrix."""
    return from_rows(cv2.cvtColor(cv2.transform(cv2.LUT(words, table), matrix), cv2.COLOR_RGB2RGBA))


class MovieReader:
    """Frames of a movie's first picture track by number. Not for two threads at once.

    Frame n is the picture on screen at n / rate, so clips of varying rate come out conformed. Raises `ArtifexError`
    where the file is missing, no movie, or damaged.
    """

    def __init__(self, path: Path) -> None:
        check_readable(path)
        self.path = path
        self._stamp = Stamp.of(path)
        try:
            self._file = _opened(path)
        except (av.FFmpegError, ValueError):
            raise self._damaged("it is not a whole movie of a kind known here") from None
        if not self._file.streams.video:
            raise ArtifexError(f"read {path}", "it has no pictures", "a file with a picture track")
        self._track = self._file.streams.video[0]
        if self._track.codec_context is None:
            raise self._damaged("it does not say how its pictures are packed")
        self._track.thread_type = "AUTO"
        self._start = self._track.start_time or 0
        self._decoding: Iterator[Any] = iter(())
        self._ahead: _Decoded | None = None
        self._shown: tuple[int, Any] = (-1, None)
        self._turns = 0
        self.info = self._probe()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> MovieReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frame(self, number: int, size: tuple[int, int] | None = None, space: str = color.DISPLAY) -> torch.Tensor:
        """(1, 4, H, W) float32 in the working space, premultiplied, at `size` (width, height); `space` is the file's.

        Raises `ArtifexError` where the number is not in the clip, the file ends early, or is not the one that was
        opened any more.
        """
        if not 0 <= number < self.info.frames:
            raise ArtifexError(
                f"read frame {number} of {self.path}",
                f"the clip has frames 0 to {self.info.frames - 1}",
                "a frame in that range",
                code="range",
            )
        try:
            picture = self._decoded(number)
        finally:
            self._stamp.check(self.path)
        size = size or (self.info.width, self.info.height)
        conversion = None if self.info.deep or self.info.alpha else color.of_bytes(space, WORKING_SPACE)
        if conversion is not None:
            return resize(_converted(self._upright(picture, size, "rgb24"), *conversion), size)
        return color.transform(self._pixels(picture, size), space, WORKING_SPACE, reuse=True)

    def space(self, asked: str = "auto") -> str:
        """The space to read as: `asked`, and for "auto" sRGB. Raises `ArtifexError` for "auto" on a clip that says that
        it is HDR or wide gamut, whose look would be lost."""
        if asked != "auto":
            return asked
        context = self._track.codec_context
        hdr = _HDR_TRANSFERS.get(context.color_trc)
        if hdr or context.color_primaries == _BT2020_PRIMARIES:
            raise ArtifexError(
                f"read {self.path} with space auto",
                "the clip says that it is HDR or wide gamut, and how it was graded is not in the file",
                f'setting space, for example to "{hdr or "rec2100_pq_display"}"',
                code="color",
            )
        return color.DISPLAY

    def _probe(self) -> MovieInfo:
        track = self._track
        rate = track.average_rate or track.guessed_rate
        layout = track.format
        if not rate or not track.width or not track.height or layout is None:
            raise self._damaged("it does not say its rate, size or kind of pixels")
        info = MovieInfo(
            self._count(Fraction(rate)),
            Fraction(rate),
            track.width,
            track.height,
            any(part.bits > 8 for part in layout.components),
            any(part.is_alpha for part in layout.components),
        )
        self.info = info
        self._turns = round(self._decoded(0).rotation / 90) % 4
        return replace(info, width=info.height, height=info.width) if self._turns % 2 else info

    def _count(self, rate: Fraction) -> int:
        track = self._track
        if track.duration is not None:
            shown = round(track.duration * track.time_base * rate)
            return int(track.frames) if abs(track.frames - shown) <= 1 and track.frames else max(1, shown)
        times = [packet.pts for packet in self._file.demux(track) if packet.pts is not None]
        if not times:
            raise self._damaged("it has no pictures")
        count: int = round((max(times) - self._start) * track.time_base * rate) + 1
        if count < _stated_seconds(track) * rate - 1:
            raise self._damaged(f"it ends after {count} frames, before what its header says")
        return count

    def _decoded(self, number: int) -> Any:
        shown, self._shown = self._shown, (-1, None)
        try:
            picture = self._find(number, *shown)
        except av.FFmpegError:
            raise self._damaged(f"frame {number} cannot be decoded") from None
        self._shown = (number, picture)
        return picture

    def _find(self, number: int, shown: int, picture: Any) -> Any:
        """The picture at `number`, decoding on from `picture`, which is shown at `shown`, where that is near."""
        if number == shown:
            return picture
        if not shown < number <= shown + _WINDOW or picture is None:
            self._seek(number)
            picture = None
        found = None if picture is None else _Decoded(picture, False)
        deadline = self._start + (number + Fraction(1, 2)) / self.info.rate / self._track.time_base
        while True:
            following = self._next(found)
            if following is None:
                break
            pts = following.picture.pts
            if pts is not None and pts >= deadline and found is not None:
                self._ahead = following
                break
            found = following
            if pts is not None and pts >= deadline:
                break
        if found is None or self._ends_before(found.picture, number):
            raise self._damaged(f"it ends before frame {number}")
        if found.is_damaged:
            raise self._damaged(f"frame {number}, or one that it goes on from, is damaged")
        return found.picture

    def _ends_before(self, last: Any, number: int) -> bool:
        """Whether decoding stopped at `last` because the file is cut off. A last picture may stand longer than one
        frame only if the file has pictures of varying length."""
        if last.pts is None:
            return False
        missing = number - round((last.pts - self._start) * self._track.time_base * self.info.rate)
        return self._ahead is None and missing >= 1 and self._track.frames in (0, self.info.frames)

    def _next(self, before: _Decoded | None) -> _Decoded | None:
        """The picture after `before`. From a damaged one on, all are, up to the next that stands by itself."""
        if self._ahead is not None:
            following, self._ahead = self._ahead, None
            return following
        picture = next(self._decoding, None)
        if picture is None:
            return None
        goes_on = before is not None and before.is_damaged and not picture.key_frame
        return _Decoded(picture, picture.is_corrupt or goes_on)

    def _seek(self, number: int) -> None:
        target = self._start + int(number / self.info.rate / self._track.time_base)
        self._file.seek(max(target, self._start), stream=self._track, backward=True)
        self._decoding = iter(self._file.decode(self._track))
        self._ahead = None

    def _pixels(self, picture: Any, size: tuple[int, int]) -> torch.Tensor:
        upright = self._upright(picture, size, "rgba64le" if self.info.deep else "rgba")
        pixels = from_rows(torch.from_numpy(upright).to(torch.float32).div_(self._white()).numpy())
        return resize(premultiply(pixels) if self.info.alpha else pixels, size)

    def _upright(self, picture: Any, size: tuple[int, int], layout: str) -> NDArray[Any]:
        """(H, W, C) words of a picture as it is meant to be seen, near `size` where it can be shrunk on the way."""
        shrinks = size[0] < self.info.width and size[1] < self.info.height
        direct = shrinks and not self.info.alpha and not (self.info.deep and self._track.format.is_rgb)
        width, height = size if direct else (self.info.width, self.info.height)
        if self._turns % 2:
            width, height = height, width
        array = picture.reformat(
            width,
            height,
            layout,
            src_colorspace=self._matrix(picture),
            dst_color_range=_FULL_RANGE,
            interpolation=_kernel("AREA" if direct else "BICUBIC"),
        ).to_ndarray()
        return numpy.ascontiguousarray(numpy.rot90(array, self._turns))

    def _white(self) -> torch.Tensor:
        """What stands for 1.0 in red, green, blue and alpha of the words that swscale makes of this clip."""
        if not self.info.deep:
            return torch.tensor([255.0] * 4)
        if self._track.format.is_rgb:
            return torch.tensor([65535.0] * 4)
        bits = self._track.format.components[0].bits
        alpha = ((1 << bits) - 1) << (16 - bits) if self.info.alpha else 65535
        return torch.tensor([_WHITE_16, _WHITE_16, _WHITE_16, alpha], dtype=torch.float32)

    def _matrix(self, picture: Any) -> int:
        matrix = int(picture.colorspace)
        if matrix == _UNSPECIFIED:
            return _BT709 if self.info.width > _WIDEST_SD else _BT601
        if matrix not in _MATRICES:
            raise ArtifexError(
                f"read {self.path}",
                "its pixels are coded in a way that is not known here",
                "converting it to ProRes or H.264 in BT.709",
            )
        return matrix

    def _damaged(self, because: str) -> ArtifexError:
        return ArtifexError(
            f"read {self.path}", because, "copying or rendering the movie again: it may be cut off", code="damaged"
        )


@dataclass(frozen=True, slots=True)
class _Encoding:
    codec: str
    layout: str
    source: str
    options: tuple[tuple[str, str], ...]
    even: bool = False

    @property
    def coded(self) -> bool:
        """Whether pixels are luma and chroma, not red, green and blue."""
        return self.layout.startswith("yuv")


_SAME_AGAIN = ("x264-params", "mbtree=0")
"""Its macroblock tree makes other bytes of the same pictures from one run to the next."""
_ENCODINGS: dict[Codec, _Encoding] = {
    "h264": _Encoding("libx264", "yuv420p", "rgb24", (("preset", "medium"), ("g", "12"), _SAME_AGAIN), even=True),
    "prores4444": _Encoding("prores_ks", "yuva444p10le", "rgba64le", (("profile", "4444"),)),
    "ffv1": _Encoding("ffv1", "gbrap16le", "rgba64le", (("level", "3"),)),
}
CONTAINERS: dict[str, tuple[Codec, ...]] = {
    ".mp4": ("h264",),
    ".mov": ("h264", "prores4444"),
    ".mkv": ("h264", "ffv1"),
}
"""For each file ending, what can be in it; the first is used where nothing is said."""
_SOUND_CODECS: dict[Codec, str] = {"h264": "aac", "prores4444": "pcm_s16le", "ffv1": "flac"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
"""Names of loudspeaker layouts by number of channels."""


class MovieWriter:
    """Encodes pictures one after the other. Leave it by `with`: the file is finished there, or given up on an error.

    "h264" is 8 bit without alpha: pictures lie on black; "prores4444" is 10 bit with alpha not multiplied in; "ffv1" is
    16 bit lossless with alpha. Where `tagged`, primaries and curve are said to be BT.709; the matrix always is. `crf`
    is x264's quality, 0 (lossless) to 51. Equal pictures give equal bytes. `sound` is (samples a second, channels) of
    what `hear` is given: AAC beside H.264, lossless beside the others. Raises `ArtifexError` where a codec cannot take
    the size or the channels; write inside `files.appearing`, which tells of full disks.
    """

    def __init__(
        self,
        path: Path,
        codec: Codec,
        rate: Fraction,
        size: tuple[int, int],
        crf: int = 16,
        *,
        tagged: bool = True,
        sound: tuple[int, int] | None = None,
    ) -> None:
        self._encoding = _ENCODINGS[codec]
        if self._encoding.even and (size[0] % 2 or size[1] % 2):
            raise ArtifexError(
                f"write a movie of {size[0]} x {size[1]} pixels",
                "H.264 takes even sizes only",
                "an even width and height, or codec prores4444",
            )
        options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if path.suffix != ".mkv" else {})
        self._file = _opened(path, "w", options=options)
        self._track = self._file.add_stream(self._encoding.codec, rate=rate, options=self._options(codec, crf))
        self._track.width, self._track.height = size
        self._track.pix_fmt = self._encoding.layout
        context = self._track.codec_context
        context.time_base = 1 / rate
        context.color_primaries = context.color_trc = _BT709 if tagged else _UNSPECIFIED
        context.colorspace = _BT709 if self._encoding.coded else _RGB
        context.color_range = _VIDEO_RANGE if self._encoding.coded else _FULL_RANGE
        self._count = 0
        self._sound: Any = None if sound is None else self._sound_track(codec, *sound)
        self._heard = 0

    def _sound_track(self, codec: Codec, rate: int, channels: int) -> Any:
        if channels not in _LAYOUTS:
            raise ArtifexError(
                f"write a movie with {channels} channels of sound",
                f"there are places for {', '.join(map(str, _LAYOUTS))} channels",
                "mixing it down to two",
            )
        return self._file.add_stream(_SOUND_CODECS[codec], rate=rate, layout=_LAYOUTS[channels])

    def hear(self, samples: torch.Tensor) -> None:
        """Append sound: (channels, n) float32, full scale at 1.0; what lies outside is cut."""
        track = self._sound
        layout = _LAYOUTS[len(samples)]
        array = numpy.ascontiguousarray(samples.clamp(-1, 1).numpy())
        frame = av.AudioFrame.from_ndarray(array, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = (
            track.codec_context.sample_rate,
            Fraction(1, track.codec_context.sample_rate),
        )
        frame.pts = self._heard
        self._heard += array.shape[1]
        self._file.mux(track.encode(frame))

    def _options(self, codec: Codec, crf: int) -> dict[str, str]:
        return dict(self._encoding.options) | ({"crf": str(crf)} if codec == "h264" else {})

    def add(self, pixels: torch.Tensor) -> None:
        """Append a picture: (1, 4, H, W), premultiplied, display-referred; what lies outside 0..1 is cut."""
        frame = av.VideoFrame.from_ndarray(self._rows(pixels), format=self._encoding.source)
        if self._encoding.coded:
            frame = frame.reformat(
                format=self._encoding.layout,
                dst_colorspace=_BT709,
                dst_color_range=_VIDEO_RANGE,
                interpolation=_kernel("BICUBIC"),
            )
        else:
            frame = frame.reformat(format=self._encoding.layout)
        frame.pts, frame.time_base = self._count, self._track.codec_context.time_base
        self._file.mux(self._track.encode(frame))
        self._count += 1

    def _rows(self, pixels: torch.Tensor) -> NDArray[Any]:
        if self._encoding.source == "rgb24":
            array = rows(pixels)[..., :3]
            return numpy.ascontiguousarray(numpy.rint(array.clip(0, 1) * 255).astype(numpy.uint8))
        white = _WHITE_16 if self._encoding.coded else 65535
        full = numpy.array([white, white, white, 65535], numpy.float32)
        words: NDArray[Any] = numpy.rint(rows(unpremultiply(pixels)).clip(0, 1) * full).astype(numpy.uint16)
        return words

    def __enter__(self) -> MovieWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.mux(self._track.encode())
                if self._sound is not None:
                    self._file.mux(self._sound.encode())
            self._file.close()
        except OSError:
            if kind is None:
                raise


def _opened(path: Path, mode: Literal["r", "w"] = "r", **options: Any) -> Any:
    return av.open(str(path), mode, **options)


def _stated_seconds(track: Any) -> Fraction:
    """How long a Matroska track says that it is; 0 where it says nothing."""
    hours, _, rest = track.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return Fraction(0)


def _kernel(name: str) -> Any:
    kernels = av.video.reformatter.Interpolation
    return kernels[name] | kernels.FULL_CHR_H_INT | kernels.FULL_CHR_H_INP | kernels.ACCURATE_RND
