"""Sound into what the network hears: all layers of a speech model (wav2vec 2.0), brought to the film's frames.

The speech model answers 50 times a second. As in the reference its answers are first brought to 30 a second by linear
interpolation over the whole sound, then the nearest of them is taken for each of the film's 16 frames a second; frames
after the sound's end get zeros. Long sound goes through the model in minutes with their surroundings, so what the model
takes does not grow with its length (its answers do: 0.3 GB a minute in main memory); a sound of up to a minute is heard
whole. Source: Wan-Video/Wan2.2,
wan/modules/s2v/audio_encoder.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

RATE = 16_000
"""Samples a second that the speech model was trained on."""
SHORTEST = 0.25
"""Seconds: one latent frame."""
SILENCE = 1e-3
"""Full scale is 1: no sample above -60 dB is silence."""
_HOP = 320
"""Samples between two answers of the speech model: 50 a second."""
_LISTENED = 60 * RATE
_AROUND = 5 * RATE
_ANSWERS, _BETWEEN, _FRAMES = 50, 30, 16


def check_length(seconds: float) -> None:
    """Refuse a sound that is too short to be seen. Raises `ArtifexError` (code "sound")."""
    if seconds < SHORTEST:
        raise ArtifexError(
            "make a film that speaks",
            f"its sound is {seconds:.2f} s long, less than four frames of the film",
            f"a sound of {SHORTEST} s or more, best of a few seconds",
            code="sound",
        )


def check_sound(samples: Tensor) -> None:
    """Refuse what is not (samples,) at 16 kHz with something to be heard. Raises `ArtifexError` (code "sound")."""
    attempted = "make a film that speaks"
    if samples.ndim != 1:
        shape = " x ".join(str(side) for side in samples.shape)
        raise ArtifexError(attempted, f"its sound has the shape {shape}", "one channel", code="sound")
    check_length(len(samples) / RATE)
    if not bool(torch.isfinite(samples).all()):
        raise ArtifexError(
            attempted, "its sound contains values that are no numbers", "making the sound file again", code="sound"
        )
    peak = float(samples.abs().max())
    if peak <= SILENCE:
        raise ArtifexError(
            attempted,
            "its sound is silent: nothing in it is louder than -60 dB",
            "another sound track, or the task i2v for a film without speech",
            code="sound",
        )


def frames_of(samples: Tensor, rate: int = _FRAMES) -> int:
    """How many frames of a film begin while the sound is heard."""
    return -(-len(samples) * rate // RATE)


def features(samples: Tensor, extractor: Any, model: Any, frames: int, lead: int, check: Callable[[], None]) -> Tensor:
    """(layers, width, lead + frames) float32 on the processor, from (samples,) at 16 kHz.

    `extractor` and `model` are transformers' Wav2Vec2FeatureExtractor and Wav2Vec2Model. The first `lead` frames hear
    what the first one of the film hears. `check` is asked before each minute.
    """
    values = extractor(samples.numpy(), sampling_rate=RATE, return_tensors="pt").input_values[0]
    answers = torch.cat(list(_answers(values, model, check)), dim=1)
    heard = at_frames(answers, frames)
    return torch.cat([heard[..., :1].expand(-1, -1, lead), heard], dim=-1)


def _answers(values: Tensor, model: Any, check: Callable[[], None]) -> Iterator[Tensor]:
    """(layers, n, width) for one minute after the other."""
    total = len(values)
    for begin in range(0, total, _LISTENED):
        check()
        early = max(0, begin - _AROUND)
        piece = values[early : begin + _LISTENED + _AROUND].to(model.device, model.dtype)
        with torch.no_grad():
            states = model(piece[None], output_hidden_states=True).hidden_states
        skipped = (begin - early) // _HOP
        yield torch.cat(states)[:, skipped : skipped + _LISTENED // _HOP].float().cpu()


def at_frames(answers: Tensor, frames: int) -> Tensor:
    """(layers, width, frames) from answers (layers, n, width) at 50 a second."""
    count = int(answers.shape[1] / _ANSWERS * _BETWEEN)
    between = torch.nn.functional.interpolate(answers.transpose(1, 2), size=count, mode="linear", align_corners=True)
    chosen = [round(frame * _BETWEEN / _FRAMES) for frame in range(frames)]
    heard = between.new_zeros(*between.shape[:2], frames)
    inside = [index for index in chosen if index < count]
    heard[..., : len(inside)] = between[..., inside]
    return heard
