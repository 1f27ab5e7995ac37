"""Our loop against diffusers' pipelines on equal settings: the same latents, the same frames, to 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline

from artifexpro.core.wan22 import catalogue, decode, encode, loop, picture, schedule, text
from artifexpro.core.wan22.condition import FirstFrame
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec

BOUND = 1e-5


def ours(spec: ClipSpec, loader: Loader, image: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and frames (T, H, W, 3) at diffusers' noise levels."""
    model, tokenizer, encoder, vae = loader.model, loader.tokenizer(), loader.text_encoder(), loader.vae()
    first = None
    if image is not None:
        first = FirstFrame(encode.still(picture.fitted(image, spec.width, spec.height), vae, loader.device))
    noise = loop.noise(model.latent_shape(spec.width, spec.height, spec.frames), spec.seed, loader.device)
    latents = loop.denoise(
        loop.Progress(noise, schedule.make(spec.steps, spec.shift, spacing="diffusers")),
        loop.Guidance(
            text.encode(spec.prompt, tokenizer, encoder).states,
            text.encode(spec.negative_prompt, tokenizer, encoder).states,
            spec.guidance,
        ),
        loader.transformer,
        Silent(),
        boundary=model.boundary,
        condition=first,
    )
    return latents, torch.cat(list(decode.chunks(latents, vae)))


def theirs(pipeline: Any, spec: ClipSpec, **more: Any) -> tuple[torch.Tensor, torch.Tensor]:
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
    made = ours(spec, loader, image)
    assert difference(made[0], expected[0]) <= BOUND
    assert difference(made[1], expected[1]) <= BOUND
    assert difference(made[0], ours(spec, loader)[0]) > 0.1
