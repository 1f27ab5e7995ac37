"""Prompts into embeddings, as diffusers does it, in any language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanPipeline

from artifexpro.core.wan22 import text


@pytest.fixture(scope="module")
def pipeline(random_models: Path) -> Any:
    return WanPipeline.from_pretrained(random_models / "smoke", local_files_only=True)


@pytest.mark.parametrize(
    "prompt",
    [
        "a red kite",
        "  Café &amp;amp; sea,\n\tat dusk  ",
        "schÃ¶n — “quoted”",
        "色调艳丽，过曝",  # noqa: RUF001
        "سماء زرقاء",
        "🪁 kite",
        "kite " * 400,
    ],
)
def test_embeddings_are_those_of_wan_pipeline(prompt: str, pipeline: Any) -> None:
    with torch.no_grad():
        expected, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False, max_sequence_length=512)
    made = text.encode(prompt, pipeline.tokenizer, pipeline.text_encoder)
    assert made.states.shape == (1, 512, 32)
    assert torch.equal(made.states, expected)
    assert made.cut == (len(prompt) > 1000)


def test_nothing_stands_where_the_text_has_ended(pipeline: Any) -> None:
    made = text.encode("kite", pipeline.tokenizer, pipeline.text_encoder)
    assert not made.states[:, made.tokens :].any()
    assert bool(made.states[:, : made.tokens].any(dim=-1).all())


def test_an_empty_negative_prompt_is_an_end_mark(pipeline: Any) -> None:
    assert text.encode("", pipeline.tokenizer, pipeline.text_encoder).tokens >= 1
