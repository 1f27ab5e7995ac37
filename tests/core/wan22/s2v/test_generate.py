"""Films of the smoke model from spec to frames: every input acts, nothing is lost, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanDecoder3d

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, loop
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.generate import generate, load_latents
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.s2v import speech
from artifexpro.core.wan22.s2v.film import parts
from artifexpro.core.wan22.s2v.generate import _Place
from artifexpro.core.wan22.s2v.hearing import SpeechEncoder
from artifexpro.core.wan22.s2v.speech import RATE

SPEC: dict[str, Any] = {"prompt": "a man speaks", "model": "smoke-s2v", "task": "s2v", "width": 64, "height": 64}


def spec(**changes: Any) -> ClipSpec:
    """Three clips, of 13, 16 and 3 frames."""
    return resolve(**{**SPEC, "frames": 32, "steps": 2, "seed": 3, **changes})


def spoken(seconds: float, pitch: float = 140.0) -> torch.Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    hum = sum(torch.sin(2 * torch.pi * pitch * number * time) / number for number in range(1, 6))
    return 0.2 * hum * (0.55 + 0.45 * torch.sin(2 * torch.pi * 4 * time))


PICTURE = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1))
MATERIAL = Given(image=PICTURE, sound=spoken(2.0))


def film(wanted: ClipSpec, models: Path, folder: Path, material: Given = MATERIAL, hooks: Any = None) -> torch.Tensor:
    made = list(generate(wanted, models, hooks or Silent(), folder=folder, material=material))
    assert [index for index, _ in made] == list(range(wanted.frames))
    return torch.stack([picture for _, picture in made])


@pytest.fixture(scope="module")
def plain(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.Tensor, Path]:
    """A film of three clips, and the folder of its latents."""
    folder = tmp_path_factory.mktemp("plain")
    return film(spec(), random_models, folder), folder


def latents(folder: Path) -> list[torch.Tensor]:
    return [load_latents(path)[0] for path in sorted(folder.glob("clip.*.safetensors"))]


def test_a_film_is_pictures_that_move_over_three_clips(plain: tuple[torch.Tensor, Path]) -> None:
    made, folder = plain
    assert made.shape == (32, 64, 64, 3)
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    assert float(made.std()) > 0.05
    assert [tuple(each.shape) for each in latents(folder)] == [(1, 16, 4, 8, 8)] * 3
    assert all(float((first - second).abs().mean()) > 1e-3 for first, second in pairwise(made))


def first_clip(changed: ClipSpec, material: Given, models: Path, folder: Path) -> torch.Tensor:
    """The latents of a film's first clip alone."""
    next(generate(changed, models, Silent(), folder=folder, material=material))
    return latents(folder)[0]


@pytest.mark.parametrize(
    ("changes", "material"),
    [
        ({"prompt": "a woman sings"}, MATERIAL),
        ({"negative_prompt": "water"}, MATERIAL),
        ({"guidance": 6.0}, MATERIAL),
        ({"guidance": 1.0}, MATERIAL),
        ({"seed": 4}, MATERIAL),
        ({"from_picture": True}, MATERIAL),
        ({}, Given(image=1 - PICTURE, sound=MATERIAL.sound)),
        ({}, Given(image=PICTURE, sound=spoken(2.0, pitch=220.0))),
        ({}, Given(image=PICTURE, sound=MATERIAL.sound, poses=Footage.of(torch.rand(32, 48, 48, 3)))),
    ],
)
def test_each_setting_and_each_input_acts(
    changes: dict[str, Any], material: Given, plain: tuple[torch.Tensor, Path], random_models: Path, tmp_path: Path
) -> None:
    changed = first_clip(spec(frames=13, **changes), material, random_models, tmp_path)
    assert float((changed - latents(plain[1])[0]).abs().max()) > 1e-4


def test_the_same_film_twice_is_the_same_bytes(
    plain: tuple[torch.Tensor, Path], random_models: Path, tmp_path: Path
) -> None:
    made, folder = plain
    torch.manual_seed(99)
    assert torch.equal(film(spec(), random_models, tmp_path), made)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_clips_have_seeds_of_their_own_and_go_on_from_one_another(
    plain: tuple[torch.Tensor, Path], random_models: Path, tmp_path: Path
) -> None:
    """With the sound of the second clip told to the first, the first is another one, and so is all that goes on from
    it, though the second clip's own sound and noise are the same."""
    first, second, third = latents(plain[1])
    assert float((second - third).abs().max()) > 0.1
    swapped = torch.cat([spoken(0.8, pitch=300.0), MATERIAL.sound[round(0.8 * RATE) :]])  # type: ignore[index]
    film(spec(), random_models, tmp_path, Given(image=PICTURE, sound=swapped))
    changed = latents(tmp_path)
    assert all(float((new - old).abs().max()) > 1e-4 for new, old in zip(changed, (first, second, third), strict=True))


@pytest.mark.parametrize("from_picture", [False, True])
def test_a_frame_shows_what_is_heard_while_it_is_seen(
    from_picture: bool, random_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features that are the number of their frame: what each clip's network hears for a frame that is shown is that
    frame's number, whatever the clip and its lead; after the sound it hears nothing."""

    def numbered(sound: Any, extractor: Any, model: Any, frames: int, lead: int, check: Any) -> torch.Tensor:
        numbers = torch.arange(-lead, frames).clamp_min(0).float() + 1
        return numbers.expand(3, 16, -1)

    heard: list[torch.Tensor] = []
    forward = SpeechEncoder.forward

    def listening(self: Any, features: torch.Tensor) -> Any:
        heard.append(features[0, 0, 0, 13:].round().long())
        return forward(self, features)

    monkeypatch.setattr(speech, "features", numbered)
    monkeypatch.setattr(SpeechEncoder, "forward", listening)
    wanted = spec(steps=1, guidance=1.0, from_picture=from_picture)
    film(wanted, random_models, tmp_path)
    about = catalogue.model("smoke-s2v").speech
    assert about is not None
    lead = 0 if from_picture else about.lead
    made = parts(32, about, from_picture)
    assert len(heard) == len(made)
    for part, numbers in zip(made, heard, strict=True):
        begin = part.number * about.clip_frames - lead
        shown = [int(numbers[frame - begin]) for frame in range(part.first, part.last + 1)]
        assert shown == [frame + 1 for frame in range(part.first, part.last + 1)]
    assert not heard[-1][made[-1].last + 1 - (made[-1].number * about.clip_frames - lead) :].any()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each clip that is denoised."""
    calls: list[int] = []
    denoise = loop.denoise

    def counting(*given: Any, **named: Any) -> Any:
        calls.append(1)
        return denoise(*given, **named)

    monkeypatch.setattr(loop, "denoise", counting)
    return calls


def test_latents_of_a_clip_are_on_disk_before_its_frames(
    random_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = generate(spec(), random_models, Silent(), folder=tmp_path, material=MATERIAL)
    there = []
    for index, _ in frames:
        there.append((index, len(list(tmp_path.glob("clip.*")))))
        if index == 13:
            break
    assert there[0] == (0, 1) and there[12] == (12, 1) and there[13] == (13, 2)


@pytest.mark.parametrize("after", [3, 4, 5])
def test_a_cancelled_film_stops_between_steps_and_goes_on_at_its_clip(
    after: int,
    plain: tuple[torch.Tensor, Path],
    counted: list[int],
    random_models: Path,
    hooks: Any,
    tmp_path: Path,
) -> None:
    hooks.cancel_when = lambda heard: heard.done("denoise") >= after
    with pytest.raises(Cancelled):
        film(spec(), random_models, tmp_path, hooks=hooks)
    assert hooks.done("denoise") == after
    finished = len(list(tmp_path.iterdir()))
    assert finished == after // 2
    counted.clear()
    assert torch.equal(film(spec(), random_models, tmp_path), plain[0])
    assert len(counted) == 3 - finished


def test_a_film_that_could_not_be_decoded_is_not_denoised_again(
    plain: tuple[torch.Tensor, Path],
    counted: list[int],
    random_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def out_of_memory(*_: Any, **__: Any) -> Any:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as broken:
        broken.setattr(WanDecoder3d, "forward", out_of_memory)
        with pytest.raises(RuntimeError, match="out of memory"):
            film(spec(frames=13), random_models, tmp_path)
    film(spec(frames=13), random_models, tmp_path)
    assert counted == [1]


@pytest.mark.parametrize(
    ("changes", "material"),
    [
        ({"seed": 4}, MATERIAL),
        ({}, Given(image=1 - PICTURE, sound=MATERIAL.sound)),
        ({}, Given(image=PICTURE, sound=spoken(2.0, pitch=220.0))),
        ({}, Given(image=PICTURE, sound=MATERIAL.sound, poses=Footage.of(torch.rand(13, 64, 64, 3)))),
    ],
)
def test_latents_of_another_film_in_the_folder_are_not_taken(
    changes: dict[str, Any], material: Given, random_models: Path, tmp_path: Path, counted: list[int]
) -> None:
    film(spec(frames=13), random_models, tmp_path)
    film(spec(frames=13, **changes), random_models, tmp_path, material)
    assert len(counted) == 2


@pytest.mark.parametrize(
    ("material", "because", "code"),
    [
        (Given(image=PICTURE), "there is no sound", "image"),
        (Given(sound=MATERIAL.sound), "there is no picture", "image"),
        (Given(image=PICTURE, sound=torch.zeros(RATE)), "silent", "sound"),
        (Given(image=PICTURE, sound=spoken(0.1)), "0.10 s long", "sound"),
        (Given(image=PICTURE[..., 0], sound=MATERIAL.sound), "shape 64 x 64", "image"),
        (Given(image=PICTURE, sound=MATERIAL.sound, last_image=PICTURE), "no picture to end with", "image"),
    ],
)
def test_what_cannot_become_a_film_is_refused_before_any_work(
    material: Given, because: str, code: str, random_models: Path, hooks: Any, tmp_path: Path
) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        film(spec(), random_models, tmp_path, material, hooks)
    assert refused.value.code == code
    assert hooks.stages == [] and list(tmp_path.iterdir()) == []


def test_sound_for_a_task_without_any_is_refused(
    random_models: Path, small: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(ArtifexError, match="this task has no sound"):
        film(small(), random_models, tmp_path, Given(sound=MATERIAL.sound))


def test_what_happens_is_told(random_models: Path, hooks: Any, tmp_path: Path) -> None:
    material = Given(image=torch.rand(100, 80, 3), sound=spoken(1.0), poses=Footage.of(torch.rand(5, 64, 64, 3)))
    film(spec(frames=20), random_models, tmp_path, material, hooks)
    order = list(dict.fromkeys(stage for stage in hooks.stages if stage != "load"))
    assert order == ["text", "sound", "encode", "denoise", "decode"]
    assert [done for stage, done, total in hooks.told if stage == "denoise" and total == 4] == [1, 2, 3, 4]
    assert [done for stage, done, total in hooks.told if stage == "decode" and total == 20][-1] == 20
    assert [tuple(picture.shape) for picture in hooks.previews] == [(8, 8, 3)] * 4
    for said in ("80 x 100 to cover 64 x 64", "sound ends after frame 16 of 20", "pose clip ends after frame 5 of 20"):
        assert any(said in note for note in hooks.notes), said


def test_guidance_1_needs_no_unconditional_pass(
    random_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from artifexpro.core.wan22.s2v.model import WanS2VTransformer3DModel

    calls: list[bool] = []
    forward = WanS2VTransformer3DModel.forward

    def counting(self: Any, *given: Any, **named: Any) -> Any:
        calls.append(bool(named["audio"].any()))
        return forward(self, *given, **named)

    monkeypatch.setattr(WanS2VTransformer3DModel, "forward", counting)
    film(spec(frames=13, guidance=1.0), random_models, tmp_path / "1")
    assert calls == [True, True]
    calls.clear()
    film(spec(frames=13), random_models, tmp_path / "2")
    assert calls == [True, False, True, False]


@pytest.mark.parametrize(
    ("levers", "moves"),
    [
        (Levers(), ["vae to card", "vae to cpu", "network read", "vae to card", "network to cpu"]),
        (Levers(offload="block"), ["network read"]),
        (Levers(parallel=2), ["network read"]),
    ],
)
def test_network_and_vae_take_turns_on_the_card(levers: Levers, moves: list[str]) -> None:
    told: list[str] = []

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name

        def to(self, place: str) -> None:
            told.append(f"{self.name} to {place}")

    def network(name: str) -> Part:
        told.append("network read")
        return Part("network")

    loader = SimpleNamespace(levers=levers, device="card", vae=lambda: Part("vae"), transformer=network)
    place = _Place(SimpleNamespace(loader=loader), Silent())  # type: ignore[arg-type]
    first = place.vae()
    assert place.vae() is first
    found = place.network("transformer")
    assert place.vae() is first
    assert told == moves
    assert place.network("transformer") is found
