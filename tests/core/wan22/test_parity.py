"""Our loop against diffusers' pipelines on equal settings: the same latents, the same frames, to 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanVACEPipeline,
    WanVideoToVideoPipeline,
)
from diffusers.image_processor import VaeImageProcessor

from artifexpro.core.wan22 import begin, catalogue, decode, loop, schedule, text
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec

BOUND = 1e-5


def ours(spec: ClipSpec, loader: Loader, given: Given = NOTHING) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and frames (T, H, W, 3) at diffusers' noise levels."""
    tokenizer, encoder, vae = loader.tokenizer(), loader.text_encoder(), loader.vae()
    beginning = begin.begin(spec, given, vae, loader.device, Silent(), [], spacing="diffusers")
    latents = loop.denoise(
        beginning.progress,
        loop.Guidance(
            text.encode(spec.words, tokenizer, encoder).states,
            text.encode(spec.negative_prompt, tokenizer, encoder).states,
            spec.guidance,
        ),
        loader.transformer,
        Silent(),
        boundary=loader.model.boundary,
        condition=beginning.condition,
    )
    return latents, torch.cat(list(decode.chunks(latents, vae)))


def theirs(
    pipeline: Any, spec: ClipSpec, without: tuple[str, ...] = (), **more: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    pipeline.scheduler = UniPCMultistepScheduler.from_config(pipeline.scheduler.config, flow_shift=spec.shift)
    pipeline.set_progress_bar_config(disable=True)
    settings: dict[str, Any] = {
        "prompt": spec.prompt,
        "negative_prompt": spec.negative_prompt,
        "width": spec.width,
        "height": spec.height,
        "num_frames": spec.frames,
        "num_inference_steps": spec.steps,
        "guidance_scale": spec.guidance[1],
        "guidance_scale_2": spec.guidance[0] if catalogue.model(spec.model).experts == 2 else None,
        **more,
    }
    for name in without:
        del settings[name]
    results = [
        pipeline(**settings, generator=torch.Generator().manual_seed(spec.seed), output_type=kind).frames
        for kind in ("latent", "pt")
    ]
    return results[0], results[1][0].permute(0, 2, 3, 1)


def difference(first: torch.Tensor, second: torch.Tensor) -> float:
    assert first.shape == second.shape
    return float((first.float() - second.float()).abs().max())


@pytest.mark.parametrize(("model", "steps"), [("smoke", 6), ("smoke-moe", 8)])
def test_text_to_video_is_what_wan_pipeline_makes(
    model: str, steps: int, random_models: Path, small: Callable[..., ClipSpec]
) -> None:
    guidance = (3.0, 4.0) if model == "smoke-moe" else 5.0
    spec = small(model=model, steps=steps, guidance=guidance, task="t2v", prompt="Café &amp;  sea,\n dusk")
    loader = prepare(spec, catalogue.model(model), random_models, "cpu")
    pipeline = WanPipeline.from_pretrained(random_models / model, local_files_only=True)
    expected = theirs(pipeline, spec)
    made = ours(spec, loader)
    assert difference(made[0], expected[0]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND


def test_both_experts_work_in_the_case_above(small: Callable[..., ClipSpec]) -> None:
    spec = small(model="smoke-moe", steps=8)
    timesteps = schedule.make(spec.steps, spec.shift, spacing="diffusers").timesteps
    assert {loop.expert_of(float(timestep), 0.875) for timestep in timesteps} == {loop.HIGH_NOISE, loop.LOW_NOISE}


def test_a_clip_from_a_picture_is_what_wan_image_to_video_pipeline_makes(
    random_models: Path, small: Callable[..., ClipSpec]
) -> None:
    spec = small(model="smoke", steps=6, guidance=5.0)
    loader = prepare(spec, catalogue.model("smoke"), random_models, "cpu")
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1))
    pipeline = WanImageToVideoPipeline(
        tokenizer=loader.tokenizer(),
        text_encoder=loader.text_encoder(),
        vae=loader.vae(),
        transformer=loader.transformer("transformer"),
        scheduler=UniPCMultistepScheduler.from_pretrained(random_models / "smoke" / "scheduler"),
        expand_timesteps=True,
    )
    expected = theirs(pipeline, spec, image=image.permute(2, 0, 1).unsqueeze(0))
    made = ours(spec, loader, Given(image=image))
    assert difference(made[0], expected[0]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND
    assert difference(made[0], ours(spec, loader)[0]) > 0.1


def soft(*shape: int, seed: int = 1) -> torch.Tensor:
    """A clip (T, H, W, C) or picture (H, W, C) of 8 bit values in 0..1."""
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)) / 255


def pictures(clip: torch.Tensor) -> list[Any]:
    """As the pipelines take clips: 8 bit pictures."""
    made: list[Any] = VaeImageProcessor.numpy_to_pil(clip.numpy())
    return made


@pytest.mark.parametrize("last", [False, True], ids=["first", "first and last"])
@pytest.mark.parametrize("frames", [9, 13])
def test_pictures_with_two_experts_are_what_wan_image_to_video_pipeline_makes(
    last: bool, frames: int, random_models: Path, small: Callable[..., ClipSpec]
) -> None:
    spec = small(model="smoke-i2v", steps=6, guidance=(3.0, 4.0), frames=frames)
    loader = prepare(spec, catalogue.model("smoke-i2v"), random_models, "cpu")
    first, end = soft(64, 64, 3), soft(64, 64, 3, seed=2)
    pipeline = WanImageToVideoPipeline.from_pretrained(random_models / "smoke-i2v", local_files_only=True)
    shown = {"last_image": end.permute(2, 0, 1).unsqueeze(0)} if last else {}
    expected = theirs(pipeline, spec, image=first.permute(2, 0, 1).unsqueeze(0), **shown)
    made = ours(spec, loader, Given(image=first, last_image=end if last else None))
    assert difference(made[0], expected[0]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND
    assert difference(made[0], ours(spec, loader, Given(image=end))[0]) > 1e-3


@pytest.mark.parametrize("strength", [0.9, 0.7, 0.34])
def test_a_clip_from_a_clip_is_what_wan_video_to_video_pipeline_makes(
    strength: float, random_models: Path, small: Callable[..., ClipSpec]
) -> None:
    """In the form of Wan2.1: diffusers knows it with one network only, here the high noise one."""
    spec = small(model="smoke-moe", task="style", steps=6, guidance=4.0, strength=strength)
    loader = prepare(spec, catalogue.model("smoke-moe"), random_models, "cpu")
    loader = replace(loader, model=replace(loader.model, boundary=None))
    clip = soft(9, 64, 64, 3)
    pipeline = WanVideoToVideoPipeline(
        tokenizer=loader.tokenizer(),
        text_encoder=loader.text_encoder(),
        vae=loader.vae(),
        transformer=loader.transformer("transformer"),
        scheduler=UniPCMultistepScheduler.from_pretrained(random_models / "smoke-moe" / "scheduler"),
    )
    expected = theirs(
        pipeline, spec, without=("num_frames", "guidance_scale_2"), video=pictures(clip), strength=strength
    )
    made = ours(spec, loader, Given(video=Footage.of(clip)))
    assert difference(made[0], expected[0]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND


@pytest.mark.parametrize("references", [0, 1, 2])
def test_an_edited_clip_is_what_wan_vace_pipeline_makes(
    references: int, random_models: Path, small: Callable[..., ClipSpec]
) -> None:
    spec = small(model="smoke-vace", steps=6, guidance=(3.0, 4.0), width=80, height=64)
    loader = prepare(spec, catalogue.model("smoke-vace"), random_models, "cpu")
    clip, shown = soft(9, 64, 80, 3), [soft(32, 80, 3, seed=4), soft(64, 48, 3, seed=5)][:references]
    mask = torch.zeros(9, 64, 80, 1)
    for index in range(9):
        mask[index, 8 : 40 + index, 16 + index : 60] = 1
        mask[index, 40 + index] = 64 / 255
    pipeline = WanVACEPipeline.from_pretrained(random_models / "smoke-vace", local_files_only=True)
    expected = theirs(
        pipeline,
        spec,
        video=pictures(clip),
        mask=pictures(mask.expand(-1, -1, -1, 3)),
        reference_images=pictures_of_many_sizes(shown) if shown else None,
    )
    made = ours(spec, loader, Given(video=Footage.of(clip), mask=Footage.of(mask), references=tuple(shown)))
    assert made[0].shape[2] == 3
    assert difference(made[0], expected[0][:, :, references:]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND
    other = ours(spec, loader, Given(video=Footage.of(1 - clip), mask=Footage.of(mask), references=tuple(shown)))
    assert difference(made[0], other[0]) > 1e-3


def pictures_of_many_sizes(shown: list[torch.Tensor]) -> list[Any]:
    return [picture for each in shown for picture in pictures(each.unsqueeze(0))]
