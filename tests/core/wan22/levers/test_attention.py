"""A back end is refused where it cannot run, and belongs to one network where it can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.models.attention_dispatch import _AttentionBackendRegistry

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import attention
from artifexpro.core.wan22.attention import BackEnd
from artifexpro.core.wan22.levers import ATTENTIONS, Levers

CARD = torch.device("cuda", 0)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says which card torch reports, and which packages are installed."""

    def put(capability: tuple[int, int], **packages: str) -> None:
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "test card")
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)

        def version(package: str) -> str:
            if package in packages:
                return packages[package]
            raise attention.PackageNotFoundError(package)

        monkeypatch.setattr(attention, "version", version)

    return put


def test_every_name_is_known_to_diffusers() -> None:
    assert tuple(attention.BACK_ENDS) == ATTENTIONS
    known = {backend.value for backend in _AttentionBackendRegistry.list_backends()}
    assert {backend.name for backend in attention.BACK_ENDS.values()} <= known


@pytest.mark.parametrize("name", [name for name in ATTENTIONS if name != "native"])
def test_a_processor_has_only_torchs_own(name: str, make: Any, hooks: Any) -> None:
    with pytest.raises(ArtifexError, match="on NVIDIA cards only"):
        make(Levers(attention=name), hooks)
    assert hooks.stages == ["load"]


@pytest.mark.parametrize(
    ("name", "capability", "packages", "dtype", "because"),
    [
        ("xformers", (8, 9), {"xformers": "0.0.35"}, torch.bfloat16, "slower than torch's own"),
        ("flash", (7, 5), {"flash-attn": "2.8.3"}, torch.float16, "capability 7.5, and it needs at least 8.0"),
        ("flash3", (8, 9), {}, torch.bfloat16, "at least 9.0 and less than 10.0"),
        ("flash3", (12, 0), {}, torch.bfloat16, "at least 9.0 and less than 10.0"),
        ("sage", (8, 9), {}, torch.bfloat16, "sageattention is not installed"),
        ("sage", (8, 9), {"sageattention": "1.0.6"}, torch.bfloat16, "is 1.0.6 and at least 2.1.1 is needed"),
        ("flash", (8, 9), {"flash-attn": "2.8.3"}, torch.float32, "not float32"),
    ],
)
def test_what_a_card_cannot_run_or_runs_slower_is_refused(
    name: str, capability: tuple[int, int], packages: dict[str, str], dtype: torch.dtype, because: str, card: Any
) -> None:
    card(capability, **packages)
    with pytest.raises(ArtifexError) as refused:
        attention.check(name, CARD, dtype)
    assert because in refused.value.because
    assert "native" in refused.value.remedy or refused.value.remedy == "bfloat16"


@pytest.mark.parametrize(
    ("name", "capability", "packages"),
    [
        ("native", (7, 0), {}),
        ("cudnn", (9, 0), {}),
        ("flash", (8, 0), {"flash-attn": "2.8.3"}),
        ("flash3", (9, 0), {"flash-attn-3": "3.0.0"}),
        ("sage", (8, 9), {"sageattention": "2.2.0"}),
        ("xformers", (7, 5), {"xformers": "0.0.35"}),
    ],
)
def test_what_a_card_can_run_is_not_refused(
    name: str, capability: tuple[int, int], packages: dict[str, str], card: Any
) -> None:
    card(capability, **packages)
    attention.check(name, CARD, torch.float16)


def test_a_choice_stays_with_its_network(random_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(attention.BACK_ENDS, "math", BackEnd("_native_math"))
    folder = str(random_models / "smoke-moe" / "transformer")
    chosen, other = (WanTransformer3DModel.from_pretrained(folder).eval() for _ in range(2))
    attention.choose(chosen, "math")
    assert _AttentionBackendRegistry.get_active_backend()[0].value == "native"
    assert chosen.blocks[0].attn1.processor._attention_backend.value == "_native_math"
    assert other.blocks[0].attn1.processor._attention_backend is None
    asked = {
        "hidden_states": torch.randn(1, 16, 1, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, 512, 32),
    }
    with torch.no_grad():
        assert torch.allclose(chosen(**asked)[0], other(**asked)[0], atol=1e-5)
