"""Sound into features: the reference's frames, any length in bounded pieces, and what cannot be heard is refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, smoke
from artifexpro.core.wan22.s2v import speech
from artifexpro.core.wan22.s2v.speech import RATE, at_frames, check_sound, features, frames_of


def nothing() -> None:
    """Nobody cancels."""


@pytest.fixture(scope="module")
def listener() -> tuple[Any, Any]:
    """The smoke model's feature extractor and speech model."""
    torch.manual_seed(1)
    parts = smoke._audio_encoder(catalogue.model("smoke-s2v"))
    return parts["feature_extractor"], parts["audio_encoder"]


def spoken(seconds: float) -> torch.Tensor:
    """A hum of harmonics that swells like syllables, four a second."""
    time = torch.arange(round(seconds * RATE)) / RATE
    hum = sum(torch.sin(2 * torch.pi * 140 * number * time) / number for number in range(1, 6))
    return 0.2 * hum * (0.55 + 0.45 * torch.sin(2 * torch.pi * 4 * time))


@pytest.mark.parametrize("which", range(5))
def test_features_are_brought_to_frames_as_by_the_reference(
    which: int, recipe: ModuleType, reference: dict[str, torch.Tensor]
) -> None:
    length = recipe.LENGTHS[which]
    answers = recipe.values(f"speech {length}", (3, length, 2))
    expected = reference[f"buckets {length}"]
    assert len(expected) == 80 * int(reference[f"clips {length}"])
    found = at_frames(answers, len(expected)).permute(2, 0, 1)
    assert float((found - expected).abs().max()) < 1e-6


def test_all_layers_of_the_speech_model_are_heard(listener: tuple[Any, Any]) -> None:
    extractor, model = listener
    sound = spoken(1.0)
    heard = features(sound, extractor, model, 16, 0, nothing)
    assert heard.shape == (3, 16, 16)
    values = Wav2Vec2FeatureExtractor()(sound.numpy(), sampling_rate=RATE, return_tensors="pt").input_values
    with torch.no_grad():
        states = model(values, output_hidden_states=True).hidden_states
    assert isinstance(model, Wav2Vec2Model) and len(states) == 3
    assert torch.allclose(heard, at_frames(torch.cat(states), 16))
    assert float(heard.std()) > 0.1


def test_the_lead_hears_what_the_first_frame_hears(listener: tuple[Any, Any]) -> None:
    plain = features(spoken(1.0), *listener, 16, 0, nothing)
    led = features(spoken(1.0), *listener, 16, 3, nothing)
    assert torch.equal(led[..., 3:], plain)
    assert torch.equal(led[..., :3], plain[..., :1].expand(-1, -1, 3))


def test_long_sound_is_heard_in_pieces_that_fit_without_a_seam(
    listener: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This speech model looks 8 answers to both sides and attends to all it is given: with its attention silenced,
    pieces with half a second around them are the whole."""
    extractor, model = listener
    for layer in model.encoder.layers:
        monkeypatch.setattr(layer.attention.out_proj, "forward", torch.zeros_like)
    whole = features(spoken(3.3), extractor, model, 53, 0, nothing)
    monkeypatch.setattr(speech, "_LISTENED", RATE)
    monkeypatch.setattr(speech, "_AROUND", RATE // 2)
    heard: list[int] = []
    forward = model.forward

    def counted(values: torch.Tensor, **more: Any) -> Any:
        heard.append(values.shape[1])
        return forward(values, **more)

    monkeypatch.setattr(model, "forward", counted)
    pieces = features(spoken(3.3), extractor, model, 53, 0, nothing)
    assert len(heard) == 4 and max(heard) == 2 * RATE
    assert torch.allclose(pieces, whole, atol=1e-5)


def test_listening_can_be_cancelled(listener: tuple[Any, Any]) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        features(spoken(1.0), *listener, 16, 0, stop)


@pytest.mark.parametrize(
    ("sound", "because"),
    [
        (torch.zeros(RATE), "silent"),
        (torch.full((RATE,), 0.0009), "silent"),
        (torch.rand(RATE // 5), "0.20 s long"),
        (torch.zeros(0), "0.00 s long"),
        (torch.rand(2, RATE), "shape 2 x 16000"),
        (torch.full((RATE,), float("nan")), "no numbers"),
    ],
)
def test_what_cannot_be_heard_is_refused(sound: torch.Tensor, because: str) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        check_sound(sound)
    assert refused.value.code == "sound"


@pytest.mark.parametrize(("samples", "frames"), [(RATE, 16), (RATE + 1, 17), (RATE * 5, 80), (4000, 4)])
def test_a_film_has_a_frame_for_every_sixteenth_of_a_second(samples: int, frames: int) -> None:
    check_sound(spoken(samples / RATE))
    assert frames_of(torch.zeros(samples)) == frames
