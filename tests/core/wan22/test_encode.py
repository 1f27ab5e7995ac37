"""Encoding chunk by chunk: the same latents as the whole clip at once, however long it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, encode, loading
from artifexpro.core.wan22.loading import Loader


@pytest.fixture(params=["smoke", "smoke-moe"])
def vae(request: Any, random_models: Path) -> Any:
    model = catalogue.model(request.param)
    formats = loading.Formats(torch.float32, torch.float32, torch.float32)
    return Loader(random_models / model.name, model, torch.device("cpu"), formats).vae()


def chunks(clip: torch.Tensor) -> list[torch.Tensor]:
    return [clip[:, :, span.start : span.stop] for span in encode.spans(clip.shape[2])]


@pytest.mark.parametrize("frames", [1, 5, 13])
def test_a_clip_in_chunks_is_the_clip_at_once(frames: int, vae: Any, hooks: Any) -> None:
    clip = torch.rand(1, 3, frames, 32, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        whole = encode.normalised(vae.encode(clip).latent_dist.mode(), vae)
    made = encode.clip(chunks(clip), vae, "cpu", hooks)
    assert made.shape[2] == (frames - 1) // 4 + 1
    torch.testing.assert_close(made, whole, rtol=0, atol=1e-5)


def test_no_more_than_one_chunk_of_pixels_is_alive(vae: Any, hooks: Any) -> None:
    alive: list[int] = []

    class Watched(encode.Encoder):
        def push(self, pixels: torch.Tensor) -> torch.Tensor:
            alive.append(pixels.shape[2])
            return super().push(pixels)

    encoder = Watched(vae)
    for span in encode.spans(17):
        encoder.push(torch.zeros(1, 3, len(span), 32, 32))
    assert alive == [1, 4, 4, 4, 4]


def test_encoding_stops_when_nobody_wants_it_any_more(vae: Any, hooks: Any) -> None:
    pulled: list[int] = []

    def endless() -> Any:
        for span in encode.spans(10_000):
            pulled.append(span.start)
            yield torch.zeros(1, 3, len(span), 32, 32)

    hooks.cancel_when = lambda _: len(pulled) == 3
    with pytest.raises(Cancelled):
        encode.clip(endless(), vae, "cpu", hooks)
    assert pulled == [0, 1, 5]


@pytest.mark.parametrize(("frames", "expected"), [(1, [1]), (5, [1, 4]), (9, [1, 4, 4]), (7, [1, 4, 2])])
def test_spans_cover_a_clip(frames: int, expected: list[int]) -> None:
    spans = list(encode.spans(frames))
    assert [len(span) for span in spans] == expected
    assert [index for span in spans for index in span] == list(range(frames))


def test_a_vae_that_answers_with_no_numbers_is_an_error_in_words(vae: Any, hooks: Any) -> None:
    with torch.no_grad():
        vae.quant_conv.bias[0] = float("nan")
    with pytest.raises(ArtifexError, match="values that are no numbers") as failed:
        encode.still(torch.zeros(1, 3, 32, 32), vae, "cpu")
    assert failed.value.code == "numbers"
