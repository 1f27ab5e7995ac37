"""Wherever weights lie, the clip is the same clip."""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, loading, placement
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve


def loader(models: Path, levers: Levers, device: str = "cpu") -> loading.Loader:
    model = catalogue.model("smoke-moe")
    where = torch.device(device)
    formats = loading.formats(resolve(prompt="x", model="smoke-moe", frames=1), model, where)
    return loading.Loader(models / "smoke-moe", model, where, formats, levers)


@pytest.mark.parametrize("offload", ["model", "block"])
def test_an_offloaded_clip_is_the_same_clip(offload: Any, make: Any, plain: Any) -> None:
    assert torch.equal(make(Levers(offload=offload)), plain())


@pytest.mark.parametrize(("offload", "reads"), [("none", 2), ("model", 1)])
def test_what_stays_in_memory_is_read_once(
    offload: Any, reads: int, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    read = AutoencoderKLWan.from_pretrained.__func__

    def counting(kind: Any, *where: Any, **how: Any) -> Any:
        asked["vae"] += 1
        return read(kind, *where, **how)

    monkeypatch.setattr(AutoencoderKLWan, "from_pretrained", classmethod(counting))
    make(Levers(offload=offload), frames=1)
    assert asked["vae"] == reads


def test_what_stays_in_memory_leaves_the_card_when_another_is_asked_for(random_models: Path) -> None:
    """Noted by a stand-in for a component: where it was told to go."""

    class Component:
        def __init__(self) -> None:
            self.places: list[str] = []

        def to(self, place: Any) -> None:
            self.places.append(str(place))

    held = loader(random_models, Levers(offload="model"))
    held.kept["vae"] = component = Component()
    held.text_encoder()
    assert component.places == ["cpu"]
    assert held.vae() is component
    assert component.places == ["cpu", str(held.device)]
    assert set(held.kept) == {"vae", "text_encoder"}


def test_two_experts_in_blocks_on_disk_stay_two_and_clean_up(random_models: Path) -> None:
    """diffusers names the files by layer alone: in one folder the second expert would read the first one's."""
    held = loader(random_models, Levers(offload="block"))
    bare = loader(random_models, Levers())
    asked = {
        "hidden_states": torch.randn(1, 16, 1, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, 512, 32),
    }
    networks = {name: held.transformer(name) for name in ("transformer", "transformer_2")}
    folders = {Path(network.blocks_on_disk.name) for network in networks.values()}
    assert len(folders) == 2
    assert all(list(folder.glob("*.safetensors")) for folder in folders)
    with torch.no_grad():
        for name, network in networks.items():
            assert torch.equal(network(**asked)[0], bare.transformer(name)(**asked)[0])
    del network, networks
    gc.collect()
    assert not any(folder.exists() for folder in folders)


def test_blocks_without_room_on_disk_are_refused(
    random_models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(placement.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ArtifexError, match="are free") as refused:
        loader(random_models, Levers(offload="block")).transformer("transformer")
    assert refused.value.code == "disk"


def test_the_text_encoder_stays_on_the_processor_when_told_to(random_models: Path) -> None:
    assert loader(random_models, Levers(text_on_cpu=True), "meta").text_encoder().device.type == "cpu"
    assert loader(random_models, Levers(), "meta").text_encoder().device.type == "meta"


@pytest.mark.parametrize(
    ("levers", "because"),
    [
        (Levers(text_on_cpu=True), "there is no card"),
        (Levers(offload="block", quantise="int8"), "full number format only"),
    ],
)
def test_what_cannot_act_without_a_card_is_refused(levers: Levers, because: str, make: Any, hooks: Any) -> None:
    with pytest.raises(ArtifexError, match=because):
        make(levers, hooks)
    assert hooks.stages == ["load"]
