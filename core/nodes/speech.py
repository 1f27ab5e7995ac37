"""A generator of films in which somebody speaks: a sound moves the picture of who is to be seen."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import AudioInfo, SocketType
from artifexpro.core.nodes import material
from artifexpro.core.nodes.material import Inputs
from artifexpro.core.nodes.restyling import _FromClip
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.prompting.defaults import SPEECH_NEGATIVE_PROMPT
from artifexpro.core.wan22.request import LONGEST_FILM
from artifexpro.core.wan22.s2v import speech
from artifexpro.core.wan22.sources import Source


class S2VGenerator(_FromClip):
    """Films who is seen in a picture speaking, or singing, what is heard in a sound.

    The film has the sound's length and begins with its first sample. It is made in clips of five seconds, each going
    on from the one before. A pose clip (figures on black) says how who speaks moves; it is seen at the film's pace.
    """

    task: ClassVar[str] = "s2v"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("audio", SocketType.AUDIO),
        Socket("reference_image", SocketType.IMAGE),
        Socket("pose_video", SocketType.VIDEO, optional=True),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": "a woman at a window tells a story, soft morning light",
        "preset": "Draft",
        "seed": 7,
    }

    negative_prompt: str = parameter(SPEECH_NEGATIVE_PROMPT, "What should not be seen; empty is nothing.")
    model: str = parameter("smoke-s2v", 'The model, as "artifexpro models list" names it.')
    width: int = parameter(
        0,
        "Width of the film; 0 follows the picture's shape and the preset's size.",
        minimum=0,
        maximum=32768,
        unit="px",
    )
    height: int = parameter(
        0,
        "Height of the film; 0 follows the picture's shape and the preset's size.",
        minimum=0,
        maximum=32768,
        unit="px",
    )
    frames: int = parameter(0, "Length of the film; 0 is the sound's.", minimum=0, maximum=LONGEST_FILM, unit="frames")
    begin_with_picture: bool = parameter(
        False, "Let the film go on from the picture itself, which otherwise only says who is seen."
    )
    first_frame: int = parameter(
        1001, "Number of the film's first frame in this graph.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )

    def more(self, infos: Mapping[str, Any]) -> Mapping[str, Any]:
        stated: dict[str, Any] = {"from_picture": self.begin_with_picture}
        audio, picture = infos.get("audio"), infos.get("reference_image")
        if isinstance(audio, AudioInfo) and picture is not None:
            seconds = Fraction(audio.length, audio.rate)
            speech.check_length(float(seconds))
            rate = self.rate(infos)
            stated["source"] = Source(picture.width, picture.height, -int(-seconds * rate // 1), rate)
        return stated

    def given(self, inputs: Inputs) -> Given:
        return Given(
            image=material.picture(inputs, "reference_image"),
            sound=material.sound(inputs["audio"], speech.RATE),
            poses=material.paced(inputs.get("pose_video"), self.rate({})),
        )

    def first(self, infos: Mapping[str, Any]) -> int:
        return self.first_frame

    def rate(self, infos: Mapping[str, Any]) -> Fraction:
        return catalogue.model(self.model).rate
