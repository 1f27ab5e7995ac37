"""Sound nodes: sound from files, on the graph's frames."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import ValueNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import AudioInfo, AudioStream, SocketType
from artifexpro.core.media import sound
from artifexpro.core.media.files import check_readable, identity, sha256
from artifexpro.core.media.sequence import parse_rate
from artifexpro.core.media.sound import SoundReader


class AudioInput(ValueNode):
    """The sound of a movie or a sound file.

    Sample 0 sounds at the start of `first_frame`: it is the one that is heard as a movie's first picture is shown, or
    the first of a sound file. Before and after its sound a file is silent.
    """

    category: ClassVar[str] = "audio"
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.AUDIO),)
    example: ClassVar[Mapping[str, Any]] = {"path": "/shots/sh010/dialogue.wav", "frame_rate": "24", "offset": 0.5}

    path: str = parameter("", "The file: its whole path.", unit="path")
    first_frame: int = parameter(
        1001, "Number of the frame at which it begins.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )
    frame_rate: str = parameter(
        "auto",
        'Frames a second of the graph, such as 24 or 24000/1001; "auto" is the rate of the file\'s own pictures.',
        unit="1/s",
    )
    offset: float = parameter(
        0.0,
        "Seconds by which the sound comes later; below 0 it comes earlier.",
        minimum=-86_400,
        maximum=86_400,
        unit="s",
    )
    track: int = parameter(1, "Which of the file's sound tracks, from 1.", minimum=1, maximum=64)
    rate: int = parameter(
        sound.RATE, "Samples a second to which the sound is brought.", minimum=8_000, maximum=384_000, unit="Hz"
    )

    def preflight(self, context: Preflight) -> None:
        if not self.path:
            raise ArtifexError("read the sound of a file", "none is chosen", "choosing one")
        ending = Path(self.path).suffix.lower()
        if ending not in sound.ENDINGS:
            because = f'files ending in "{ending}" are not known here' if ending else "its name has no ending"
            raise ArtifexError(f"read the sound of {self.path}", because, f"one of {', '.join(sorted(sound.ENDINGS))}")
        check_readable(Path(self.path))
        if self.frame_rate != "auto":
            parse_rate(self.frame_rate)

    def fingerprint(self, context: Preflight) -> str:
        try:
            return identity(Path(self.path))
        except ArtifexError:
            return ""

    def provenance(self, models: Path) -> Mapping[str, Any]:
        return {"path": self.path, "sha256": sha256(Path(self.path))}

    def evaluate(self) -> AudioStream:
        reader = SoundReader(Path(self.path), self.rate, self.track)
        later = round(Fraction(self.offset) * self.rate)
        info = reader.info
        told = AudioInfo(
            info.rate, info.channels, info.length + later, self.first_frame, self._frames(info.picture_rate)
        )
        return AudioStream(told, partial(_later, reader, later))

    def _frames(self, pictures: Fraction | None) -> Fraction:
        if self.frame_rate != "auto":
            return parse_rate(self.frame_rate)
        if pictures is None:
            raise ArtifexError(
                f"lay {self.path} along frames",
                "it has no pictures that say how many frames go to a second",
                "setting frame_rate, for example to 24",
            )
        return pictures


def _later(reader: SoundReader, later: int, start: int, count: int) -> Any:
    return reader.samples(start - later, count)
