"""The network against the reference implementation, part by part and whole: under 1e-5 in float32 everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.s2v import keys, published
from artifexpro.core.wan22.s2v.block import Span
from artifexpro.core.wan22.s2v.model import WanS2VTransformer3DModel

CLOSE = 1e-5
Tensors = dict[str, torch.Tensor]


def difference(first: torch.Tensor, second: torch.Tensor) -> float:
    assert first.shape == second.shape
    return float((first - second).abs().max())


def answer(network: Any, shown: dict[str, Any], **changes: Any) -> torch.Tensor:
    with torch.no_grad():
        velocity: torch.Tensor = network(**{**shown, **changes})[0]
    return velocity


def heard(network: Any, shown: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        return network._heard(shown["audio"], shown["hidden_states"].shape[2])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("whole", {}),
        ("first clip", {"past_latents": None}),
        ("no pose", {"pose_latents": 0.0}),
        ("no sound", {"audio": 0.0}),
    ],
)
def test_the_whole_network_answers_as_the_reference(
    name: str, changes: dict[str, Any], network: Any, shown: dict[str, Any], reference: Tensors
) -> None:
    zeroed = {key: None if value is None else shown[key] * value for key, value in changes.items()}
    found = answer(network, shown, **zeroed)
    assert difference(found[0], reference[name]) < CLOSE
    others = [other for other in ("whole", "first clip", "no pose", "no sound") if other != name]
    assert all(difference(reference[name], reference[other]) > 0.1 for other in others)


def test_the_speech_encoder_hears_as_the_reference(network: Any, shown: dict[str, Any], reference: Tensors) -> None:
    sound, style = heard(network, shown)
    assert difference(sound, reference["sound tokens"]) < CLOSE
    assert difference(style, reference["sound style"]) < CLOSE


def test_the_past_is_packed_as_the_reference_packs_it(network: Any, shown: dict[str, Any], reference: Tensors) -> None:
    with torch.no_grad():
        whole = network.past_packer(shown["past_latents"])
        short = network.past_packer(shown["past_latents"][:, :, -5:])
    assert difference(whole, reference["past tokens"]) < CLOSE
    assert difference(short, reference["short past tokens"]) < CLOSE


def test_every_token_stands_where_the_reference_puts_it(
    network: Any, shown: dict[str, Any], reference: Tensors
) -> None:
    cosine, sine = network.rope(shown["hidden_states"], True)
    assert difference(cosine[0, :, 0, ::2], reference["rotations"][..., 0]) < CLOSE
    assert difference(sine[0, :, 0, 1::2], reference["rotations"][..., 1]) < CLOSE
    first = network.rope(shown["hidden_states"], False)[0]
    assert torch.equal(first, cosine[:, : first.shape[1]])


@pytest.mark.parametrize(("noisy", "before"), [(96, 0), (61, 0), (50, 20), (40, 56), (7, 33)])
def test_sound_comes_in_as_in_the_reference_whatever_part_of_the_clip_is_here(
    noisy: int, before: int, network: Any, shown: dict[str, Any], reference: Tensors
) -> None:
    """Parts are what the ranks of a parallel run work on; they end within latent frames."""
    sound, style = heard(network, shown)
    part = slice(before, before + noisy)
    with torch.no_grad():
        added = network.blocks[0].sound(reference["before sound"][:, part], sound, style, Span(noisy, before, 32))
    expected = reference["after sound"][:, part] - reference["before sound"][:, part]
    assert difference(added, expected) < CLOSE


def test_every_published_tensor_has_a_place_and_every_place_a_tensor(network: Any, published: Tensors) -> None:
    named = [keys.ours(name, network.config.audio_blocks) for name in published]
    assert len(set(named)) == len(named)
    assert set(named) == set(network.state_dict())


@pytest.mark.parametrize(
    "name",
    [
        "blocks.0.self_attn.extra.weight",
        "motioner.blocks.0.norm.weight",
        "audio_injector.injector.2.q.weight",
        "audio_injector.injector.0.weight",
        "token_freqs",
        "",
    ],
)
def test_a_tensor_without_a_place_is_refused(name: str) -> None:
    with pytest.raises(ArtifexError, match="no place for"):
        keys.ours(name, (0, 2))


def test_the_network_comes_back_from_disk_as_it_was(network: Any, shown: dict[str, Any], tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    again = WanS2VTransformer3DModel.from_pretrained(str(tmp_path))
    assert torch.equal(answer(again, shown), answer(network, shown))


def test_the_real_size_has_as_many_parameters_as_the_catalogue_says() -> None:
    """16,295,755,609 is also what the reference's own class counts with the settings of wan_s2v_14B.py."""
    model = catalogue.model("s2v-14B")
    speech = Wav2Vec2Config(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
    )
    with torch.device("meta"):
        real: Any = WanS2VTransformer3DModel.from_config(published.network_config(model))
        ears: Any = Wav2Vec2Model(speech)
    counted = {name: sum(each.numel() for each in part.parameters()) for name, part in (("n", real), ("e", ears))}
    stated = {part.name: part.parameters for part in model.components}
    assert counted["n"] == stated["transformer"] == 16_295_755_609
    assert counted["e"] == stated["audio_encoder"]
