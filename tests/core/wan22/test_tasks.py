"""Each task from spec to frames: what is given shows, what is not covered stays, what cannot be is refused early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, encode, loop, schedule
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate, load_latents, prepare
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec, resolve

PICTURE, OTHER = (torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
CLIP, OTHER_CLIP = (torch.rand(9, 64, 64, 3, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4))
MASK = torch.zeros(1, 64, 64, 1)
MASK[:, 16:48, 8:40] = 1
EDIT = {"video": Footage.of(CLIP), "mask": Footage.of(MASK)}


@pytest.fixture
def made(random_models: Path, tmp_path: Path) -> Callable[..., torch.Tensor]:
    """The latents of a clip, as they were saved before decoding."""

    def make(spec: ClipSpec, **given: Any) -> torch.Tensor:
        next(generate(spec, random_models, Silent(), folder=tmp_path, material=Given(**given) if given else NOTHING))
        return load_latents(tmp_path / LATENTS)[0]

    return make


@pytest.mark.parametrize("model", ["smoke", "smoke-moe"])
class TestRestyling:
    def test_at_strength_one_it_is_text_to_video_from_the_same_noise(
        self, model: str, small: Callable[..., ClipSpec], made: Callable[..., torch.Tensor]
    ) -> None:
        styled = made(small(model=model, task="style", strength=1.0), video=Footage.of(CLIP))
        assert torch.equal(styled, made(small(model=model, task="t2v")))

    def test_the_smaller_the_strength_the_nearer_to_the_source(
        self, model: str, small: Callable[..., ClipSpec], made: Callable[..., torch.Tensor], random_models: Path
    ) -> None:
        spec = small(model=model, task="style")
        vae = prepare(spec, catalogue.model(model), random_models, "cpu").vae()
        chunks = (chunk * 2 - 1 for chunk in Footage.of(CLIP).chunks(9, 64, 64))
        source = encode.clip(chunks, vae, "cpu", Silent())
        away = [
            float(
                (
                    made(
                        small(model=model, task="style", steps=10, strength=strength, shift=5.0), video=Footage.of(CLIP)
                    )
                    - source
                )
                .abs()
                .mean()
            )
            for strength in (0.1, 0.5, 1.0)
        ]
        assert away == sorted(away)
        assert away[0] < 0.5 * away[-1]

    def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_source_does_not(
        self, model: str, small: Callable[..., ClipSpec], made: Callable[..., torch.Tensor]
    ) -> None:
        spec = small(model=model, task="style", strength=0.5)
        first = made(spec, video=Footage.of(CLIP))
        torch.manual_seed(5)
        assert torch.equal(first, made(spec, video=Footage.of(CLIP)))
        assert not torch.equal(first, made(spec, video=Footage.of(OTHER_CLIP)))
        other = small(model=model, task="style", strength=0.5, seed=4)
        assert not torch.equal(first, made(other, video=Footage.of(CLIP)))


@pytest.mark.parametrize(("strength", "experts"), [(1.0, ["transformer", "transformer_2"]), (0.3, ["transformer_2"])])
def test_a_clip_asks_only_the_experts_of_the_noise_it_begins_with(
    strength: float,
    experts: list[str],
    small: Callable[..., ClipSpec],
    made: Callable[..., torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []
    load = Loader.transformer

    def remembered(self: Loader, name: str) -> Any:
        loaded.append(name)
        return load(self, name)

    monkeypatch.setattr(Loader, "transformer", remembered)
    made(small(model="smoke-moe", task="style", steps=10, strength=strength), video=Footage.of(CLIP))
    assert loaded == experts


def test_progress_counts_the_steps_that_are_taken(
    random_models: Path, small: Callable[..., ClipSpec], hooks: Any, tmp_path: Path
) -> None:
    spec = small(task="style", steps=10, strength=0.3)
    next(generate(spec, random_models, hooks, folder=tmp_path, material=Given(video=Footage.of(CLIP))))
    assert [told for told in hooks.told if told[0] == "denoise"] == [("denoise", step, 3) for step in (1, 2, 3)]


@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
def test_exact_few_step_levels_are_cut_like_any_schedule(scheduler: str) -> None:
    """Four steps at shift 5 are told 1000, 937.5, 833.3 and 625; half of them begins at the third."""
    half = schedule.make(4, 5.0, scheduler, (1.0, 0.75, 0.5, 0.25)).last(2)
    assert half.timesteps.tolist() == pytest.approx([833.3333, 625.0])
    assert half.sigmas.tolist() == pytest.approx([0.833333, 0.625, 0.0], abs=1e-6)
    progress = loop.Progress(torch.ones(1, 4, 1, 2, 2), half)
    progress.step(torch.ones(1, 4, 1, 2, 2))
    expected = 1 - (half.sigmas[0] - half.sigmas[1])
    torch.testing.assert_close(progress.latents, torch.full((1, 4, 1, 2, 2), float(expected)))


@pytest.mark.parametrize(
    ("task", "model", "given", "changes"),
    [
        ("i2v", "smoke-i2v", {"image": PICTURE}, {"image": OTHER}),
        ("i2v", "smoke-i2v", {"image": PICTURE}, {"last_image": OTHER}),
        ("edit", "smoke-vace", EDIT, {"video": Footage.of(OTHER_CLIP)}),
        ("edit", "smoke-vace", EDIT, {"mask": Footage.of(torch.ones(1, 64, 64, 1))}),
        ("edit", "smoke-vace", EDIT, {"references": (PICTURE,)}),
    ],
    ids=["image", "last image", "video", "mask", "reference"],
)
def test_all_that_is_given_acts(
    task: str,
    model: str,
    given: dict[str, Any],
    changes: dict[str, Any],
    small: Callable[..., ClipSpec],
    made: Callable[..., torch.Tensor],
) -> None:
    spec = small(task=task, model=model, steps=2)
    plain = made(spec, **given)
    assert plain.shape == (1, 16, 3, 8, 8)
    changed = made(spec, **{**given, **changes})
    assert changed.shape == plain.shape
    assert not torch.equal(changed, plain)


def test_a_motion_guide_and_how_firmly_it_is_followed_act(
    small: Callable[..., ClipSpec], made: Callable[..., torch.Tensor]
) -> None:
    def clip(strength: float, **more: Any) -> torch.Tensor:
        return made(small(task="i2v", model="smoke-i2v", steps=10, strength=strength), image=PICTURE, **more)

    guided = clip(0.8, video=Footage.of(CLIP))
    assert not torch.equal(guided, clip(1.0))
    assert not torch.equal(guided, clip(0.8, video=Footage.of(OTHER_CLIP)))
    assert not torch.equal(guided, clip(0.5, video=Footage.of(CLIP)))


@pytest.mark.parametrize("changes", [{"style": "anime"}, {"strength": 0.4}])
def test_each_setting_of_a_style_acts(
    changes: dict[str, Any], small: Callable[..., ClipSpec], made: Callable[..., torch.Tensor]
) -> None:
    plain = made(small(task="style", steps=5), video=Footage.of(CLIP))
    assert not torch.equal(plain, made(small(task="style", steps=5, **changes), video=Footage.of(CLIP)))


@pytest.mark.parametrize("feather", [None, 0, 4])
def test_outside_the_mask_an_edited_clip_is_its_source(
    feather: int | None, random_models: Path, small: Callable[..., ClipSpec], tmp_path: Path
) -> None:
    spec = small(task="edit", model="smoke-vace", steps=2, feather=feather)
    material = Given(**EDIT)
    frames = list(generate(spec, random_models, Silent(), folder=tmp_path, material=material))
    assert [index for index, _ in frames] == list(range(9))
    clip, outside = torch.stack([picture for _, picture in frames]), MASK[0, :, :, 0] == 0
    assert torch.equal(clip[:, outside], CLIP[:, outside]) == (feather is not None)
    assert not torch.equal(clip[:, ~outside], CLIP[:, ~outside])
    again = decode_saved(tmp_path / LATENTS, random_models, Silent(), material=material)
    assert torch.equal(torch.stack([picture for _, picture in again]), clip)


def test_a_clip_to_lie_over_is_asked_for_again(
    random_models: Path, small: Callable[..., ClipSpec], tmp_path: Path
) -> None:
    spec = small(task="edit", model="smoke-vace", steps=1, feather=2)
    next(generate(spec, random_models, Silent(), folder=tmp_path, material=Given(**EDIT)))
    with pytest.raises(ArtifexError, match="there is no clip"):
        next(decode_saved(tmp_path / LATENTS, random_models, Silent()))


def broken(index: int) -> Footage:
    def frame(at: int) -> torch.Tensor:
        return torch.full((64, 64, 3), float("nan")) if at == index else CLIP[at]

    return Footage(9, 64, 64, frame)


@pytest.mark.parametrize(
    ("task", "model", "given", "because"),
    [
        ("edit", "smoke-vace", {**EDIT, "mask": Footage.of(torch.zeros(1, 64, 64, 1))}, "the mask covers nothing"),
        (
            "edit",
            "smoke-vace",
            {**EDIT, "mask": Footage.of(torch.full((9, 64, 64, 1), 0.5))},
            "the mask covers nothing",
        ),
        ("edit", "smoke-vace", {**EDIT, "video": broken(7)}, "no numbers"),
        ("style", "smoke", {"video": broken(3)}, "no numbers"),
        ("style", "smoke", {"video": broken(8)}, "no numbers"),
    ],
)
def test_what_only_frames_can_tell_is_refused_before_the_first_step(
    task: str,
    model: str,
    given: dict[str, Any],
    because: str,
    random_models: Path,
    small: Callable[..., ClipSpec],
    hooks: Any,
    tmp_path: Path,
) -> None:
    with pytest.raises(ArtifexError, match=because):
        next(generate(small(task=task, model=model), random_models, hooks, folder=tmp_path, material=Given(**given)))
    assert "denoise" not in hooks.stages
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("task", "model", "given"),
    [
        ("i2v", "smoke-i2v", {}),
        ("style", "smoke-moe", {}),
        ("style", "smoke", {"video": Footage.of(CLIP[:5])}),
        ("edit", "smoke-vace", {"video": Footage.of(CLIP)}),
        ("edit", "smoke-vace", {**EDIT, "mask": Footage.of(MASK[:, :32])}),
    ],
)
def test_what_is_known_before_any_frame_is_refused_before_any_work(
    task: str, model: str, given: dict[str, Any], random_models: Path, small: Callable[..., ClipSpec], hooks: Any
) -> None:
    with pytest.raises(ArtifexError) as refused:
        next(generate(small(task=task, model=model), random_models, hooks, folder=Path(), material=Given(**given)))
    assert refused.value.remedy
    assert hooks.stages == []


def test_old_latents_have_no_strength_and_are_read(small: Callable[..., ClipSpec], tmp_path: Path) -> None:
    import json

    from safetensors.torch import save_file

    data = small(task="t2v").as_json()
    for later in ("strength", "style", "feather"):
        del data[later]
    save_file({"latents": torch.zeros(1, 48, 3, 4, 4)}, tmp_path / LATENTS, metadata={"spec": json.dumps(data)})
    assert load_latents(tmp_path / LATENTS)[1] == resolve(
        prompt="a red kite", task="t2v", width=64, height=64, frames=9, steps=4, seed=3
    )
