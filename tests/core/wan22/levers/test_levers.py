"""What may be asked of a clip's computation, what is refused, and that recipes keep it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, schedule
from artifexpro.core.wan22.generate import LATENTS, load_latents, save_latents
from artifexpro.core.wan22.levers import Levers, Lora, check
from artifexpro.core.wan22.request import ClipSpec

Small = Callable[..., ClipSpec]
SOME = Levers(
    offload="block",
    quantise="int8",
    tile=128,
    cache=0.1,
    loras=(Lora("look.safetensors", 0.7, "low"), Lora("fast.safetensors")),
    ensemble=2,
    consistency=0.5,
)


def test_a_spec_with_levers_survives_json(small: Small) -> None:
    spec = small(model="smoke-moe", levers=SOME, sigmas=(1.0, 0.5), steps=2)
    assert ClipSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec


def test_levers_are_saved_with_the_latents(small: Small, tmp_path: Path) -> None:
    spec = small(model="smoke-moe", levers=SOME)
    save_latents(tmp_path / LATENTS, torch.zeros(1, 16, 1, 2, 2), spec)
    assert load_latents(tmp_path / LATENTS)[1] == spec


def test_latents_of_a_release_without_levers_are_read(small: Small, tmp_path: Path) -> None:
    data = small().as_json()
    del data["levers"]
    save_file({"latents": torch.zeros(1, 48, 1, 2, 2)}, tmp_path / LATENTS, metadata={"spec": json.dumps(data)})
    assert load_latents(tmp_path / LATENTS)[1] == small()


def test_levers_of_an_unknown_kind_are_not_read_as_none(small: Small, tmp_path: Path) -> None:
    data = small().as_json() | {"levers": {"warp": 9}}
    save_file({"latents": torch.zeros(1, 48, 1, 2, 2)}, tmp_path / LATENTS, metadata={"spec": json.dumps(data)})
    with pytest.raises(ArtifexError, match="not whole latents"):
        load_latents(tmp_path / LATENTS)


def test_only_what_was_pulled_is_told() -> None:
    assert Levers().changed() == {}
    assert Levers(tile=128, ema=True).changed() == {"tile": 128, "ema": True}


@pytest.mark.parametrize(
    ("levers", "because", "remedy"),
    [
        ({"offload": "sequential"}, "no such choice", "none, model, block"),
        ({"quantise": "int4"}, "no such choice", "int8"),
        ({"attention": "magic"}, "no such choice", "native"),
        ({"cache": 1.5}, "goes from 0 to 1", "0.05 to 0.2"),
        ({"cache": float("nan")}, "goes from 0 to 1", "0.05 to 0.2"),
        ({"consistency": -0.1}, "goes from 0 to 1", "0.5"),
        ({"smoothing": 2.0}, "goes from 0 to 1", "0.5"),
        ({"ensemble": 0}, "goes from 1 to 4", "2"),
        ({"parallel": 0}, "goes from 1 to 64", "cards"),
        ({"parallel": 3}, "2 attention heads", "1 or 2"),
        ({"tile": 100}, "whole multiples of 16", "128"),
        ({"tile": 64}, "at least 128", "128"),
        ({"tile": -16}, "at least 128", "128"),
        ({"loras": (Lora(""),)}, "no file is named", "path"),
        ({"loras": (Lora("a.safetensors", 9.0),)}, "goes from -4 to 4", "1"),
        ({"loras": (Lora("a.safetensors", 0.0),)}, "change nothing", "leaving it out"),
        ({"loras": (Lora("a.safetensors", expert="low"),)}, "one network", "both"),
        ({"loras": (Lora("a.safetensors", steps=-1),)}, "goes from 0 to 100", "4"),
        ({"loras": (Lora("a.st", steps=4), Lora("b.st", steps=8))}, "one number of steps", "same number"),
    ],
)
def test_nonsense_is_refused_with_what_would_do(levers: dict[str, Any], because: str, remedy: str) -> None:
    with pytest.raises(ArtifexError) as refused:
        check(Levers(**levers), catalogue.model("smoke"))
    assert because in refused.value.because
    assert remedy in refused.value.remedy
    assert refused.value.code == "settings"


def test_a_clip_is_refused_with_its_levers(small: Small) -> None:
    with pytest.raises(ArtifexError, match="no such choice"):
        small(levers=Levers(attention="magic"))


def test_four_step_weights_settle_the_schedule(small: Small) -> None:
    """Timesteps 1000, 937.5, 833.3, 625 are what Wan2.2-Lightning is trained at."""
    spec = small(model="smoke-moe", steps=0, levers=Levers(loras=(Lora("lightning.safetensors", steps=4),)))
    assert (spec.steps, spec.shift, spec.guidance, spec.scheduler) == (4, 5.0, (1.0, 1.0), "euler")
    made = schedule.make(spec.steps, spec.shift, spec.scheduler, spec.sigmas)
    assert made.timesteps.tolist() == pytest.approx([1000, 937.5, 2500 / 3, 625])
    assert any("distilled to 4 steps" in note for note in spec.notes)


def test_what_is_said_otherwise_stands(small: Small) -> None:
    levers = Levers(loras=(Lora("lightning.safetensors", steps=4),))
    spec = small(model="smoke-moe", steps=8, shift=3.0, guidance=(1.0, 2.0), scheduler="unipc", levers=levers)
    assert (spec.steps, spec.shift, spec.guidance, spec.scheduler) == (8, 3.0, (1.0, 2.0), "unipc")
    assert spec.sigmas is not None and spec.sigmas[1] == 0.875


def test_one_distilled_expert_alone_leaves_the_schedule(small: Small) -> None:
    spec = small(
        model="smoke-moe", steps=0, levers=Levers(loras=(Lora("lightning.safetensors", expert="low", steps=4),))
    )
    assert (spec.steps, spec.sigmas) == (25, None)
