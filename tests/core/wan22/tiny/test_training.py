"""A training gets better, goes on where it stopped as if it had not, and makes a model like any other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, decode, encode, loading, text, weights
from artifexpro.core.wan22.generate import LATENTS, generate, load_latents, prepare
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.tiny import (
    captions,
    denoising,
    drawing,
    log,
    model,
    scenes,
    shipped,
    whole,
)
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny.course import Course, chance, take
from artifexpro.core.wan22.tiny.plan import plan
from artifexpro.core.wan22.tiny.train import train
from tests.core.wan22.conftest import Remembering
from tests.core.wan22.tiny.conftest import SHORT, Stopping

PROMPT = "a large red circle moving left over a black background"


@pytest.fixture
def embedded(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder where the embedded model is in the package, as after a long training."""
    monkeypatch.setattr(catalogue, "WEIGHTS", trained)
    monkeypatch.setattr(catalogue, "CATALOGUE", catalogue.listed(trained))
    return tmp_path / "models"


def made(spec: ClipSpec, models: Path, folder: Path, material: Given = NOTHING) -> list[torch.Tensor]:
    clip = generate(spec, models, Silent(), folder=folder, material=material, device="cpu")
    return [frame for _, frame in clip]


def lines(folder: Path) -> list[dict[str, Any]]:
    return log.Log(folder / log.NAME).lines()


def losses(folder: Path, stage: str) -> list[float]:
    return [line["loss"] for line in lines(folder) if line.get("stage") == stage and "loss" in line]


def test_the_loss_of_each_stage_falls(trained: Path) -> None:
    pictures, small = losses(trained, "pictures"), losses(trained, "small")
    assert sum(pictures[-3:]) < 0.6 * sum(pictures[:3])
    assert sum(small[-3:]) < 0.9 * sum(small[:3])


def test_the_log_says_on_what_how_long_and_how_good(trained: Path) -> None:
    begun, *rest = lines(trained)
    assert begun["began"] == "anew"
    assert {"seed", "plan", "versions", "threads", "processor", "device", "compute", "recipe"} <= begun.keys()
    assert begun["plan"]["pictures"] == SHORT.pictures
    stages = {line["stage"]: line for line in rest}
    assert set(stages) == {"pictures", "clips", "words", "places", "heeds", "vae", "small", "large", "whole"}
    assert 3 < stages["vae"]["db"] < 60
    assert {"one_colour", "one_motion", "two_everything", "first_db", "first_motion"} <= stages["whole"].keys()


def test_the_text_encoder_has_learned_all_before_the_first_clip(trained: Path) -> None:
    state = torch.load(trained.parent / f"{trained.name}.work/checkpoints/words.pt", weights_only=True)
    weights_now = load_file(trained / "text_encoder/model.safetensors")
    assert torch.equal(state["average"][0].to(torch.float16), weights_now["shared.weight"])


def test_an_interrupted_training_ends_with_the_same_weights(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    stops = 0
    for checks in (5, 14, 22, 10_000):
        try:
            train(folder, SHORT, seed=1, compute="float32", hooks=Stopping(checks))
        except Cancelled:
            stops += 1
    assert stops >= 2
    assert [line["began"] for line in lines(folder) if "began" in line] == ["anew"] + ["again"] * stops
    for name in ("transformer/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"):
        once, twice = (load_file(place / f"{name}.safetensors") for place in (trained, folder))
        for tensor in once:
            torch.testing.assert_close(once[tensor].float(), twice[tensor].float(), rtol=2e-3, atol=2e-4)
    assert (trained / "vae/config.json").read_text() == (folder / "vae/config.json").read_text()


def test_work_of_another_seed_is_not_gone_on_with(trained: Path) -> None:
    with pytest.raises(ArtifexError, match="another plan, seed or device"):
        train(trained, SHORT, seed=2, compute="float32")


def test_a_checkpoint_cut_short_is_never_left_behind(tmp_path: Path) -> None:
    layer = torch.nn.Linear(2, 1)

    def loss(step: int, _: Any) -> torch.Tensor:
        return layer(torch.ones(1, 2)).square().sum()

    course = Course("line", {"layer": layer}, loss, 9, 0.1, torch.device("cpu"))
    with pytest.raises(Cancelled):
        take(course, 0, tmp_path, log.Log(tmp_path / log.NAME), Stopping(4), lambda done: None)
    assert [path.name for path in tmp_path.glob("line*")] == ["line.pt"]
    assert torch.load(tmp_path / "line.pt", weights_only=True)["done"] == 4


def test_the_folder_is_below_25_MB_and_whole(trained: Path) -> None:
    manifest = weights.Manifest.read(trained)
    assert manifest is not None
    assert (manifest.model, manifest.size < 25e6) == ("wan22-tiny", True)
    for name, record in manifest.files.items():
        assert hashlib.sha256((trained / name).read_bytes()).hexdigest() == record.sha256
    loading.inspect(trained, catalogue.TINY)


def test_the_catalogue_counts_its_parameters() -> None:
    with torch.device("meta"):
        counted = {
            name: sum(weight.numel() for weight in part.parameters())
            for name, part in (
                ("text_encoder", model.text_encoder()),
                ("transformer", model.transformer()),
                ("vae", model.vae()),
            )
        }
    assert counted == {part.name: part.parameters for part in catalogue.TINY.components}


def test_nobody_hears_of_the_model_where_its_weights_are_not(tmp_path: Path) -> None:
    assert "wan22-tiny" not in catalogue.listed(tmp_path)
    (tmp_path / "model_index.json").write_text("{}")
    assert catalogue.listed(tmp_path)["wan22-tiny"] is catalogue.TINY


def test_what_made_a_clip_is_told_alike_before_and_after_its_first_use(embedded: Path) -> None:
    before = weights.provenance(embedded, catalogue.TINY, "float32")
    shipped.ensure(embedded, catalogue.TINY)
    assert before == weights.provenance(embedded, catalogue.TINY, "float32")
    assert before["files"] and before["revision"]


def test_it_is_copied_from_the_package_once_and_again_when_the_package_has_another(
    embedded: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shipped.ensure(embedded, catalogue.TINY)
    (folder / "mark").touch()
    assert (shipped.ensure(embedded, catalogue.TINY) / "mark").is_file()
    other = tmp_path / "other"
    other.mkdir()
    about = json.loads((trained / weights.MANIFEST).read_text())
    (other / weights.MANIFEST).write_text(json.dumps(about | {"revision": "another"}))
    monkeypatch.setattr(catalogue, "WEIGHTS", other)
    assert not (shipped.ensure(embedded, catalogue.TINY) / "mark").exists()


def test_it_makes_clips_by_the_code_of_all_models(embedded: Path, tmp_path: Path) -> None:
    spec = resolve(prompt=PROMPT, model="wan22-tiny", width=96, height=64, frames=5, steps=3, seed=4)
    assert (spec.task, spec.shift, spec.negative_prompt, spec.dtype) == ("ti2v", catalogue.TINY.shift, "", "float32")
    frames = made(spec, embedded, tmp_path)
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 5
    assert all(bool(torch.isfinite(frame).all()) for frame in frames)
    again = made(spec, embedded, tmp_path)
    assert all(torch.equal(one, other) for one, other in zip(frames, again, strict=True))
    other = replace(spec, prompt="a small blue star turning over a grey background")
    changed = made(other, embedded, tmp_path)
    assert not torch.equal(frames[0], changed[0])


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (PROMPT, None),
        ("A kite over the beach, moving left", "It does not know: kite, beach."),
        ("", "knows coloured circles"),
        ("ein roter Kreis", "ein, roter, kreis"),
        ("wind sea sun sky cloud bird tree", "wind, sea, sun, sky, cloud, bird and more"),
    ],
)
def test_what_the_small_model_does_not_know_is_said(prompt: str, said: str | None, hooks: Remembering) -> None:
    shipped.say(catalogue.TINY, prompt, hooks)
    assert [said in note for note in hooks.notes] == ([] if said is None else [True])


def test_it_knows_every_word_of_its_captions() -> None:
    for seed in range(1000):
        assert not captions.unknown(captions.caption(scenes.scene(Random(seed)), Random(seed)))


def test_a_clip_keeps_to_its_first_frame(embedded: Path, tmp_path: Path) -> None:
    picture = drawing.clip(scenes.scene(Random(7), things=1, camera=False), 7, 96, 64, 1)[0]
    spec = resolve(prompt=PROMPT, model="wan22-tiny", task="ti2v", width=96, height=64, frames=5, steps=3, seed=4)
    firsts = []
    for given in (Given(image=picture), NOTHING):
        made(spec, embedded, tmp_path, given)
        firsts.append(load_latents(tmp_path / LATENTS)[0][:, :, :1])
    vae = prepare(spec, catalogue.TINY, embedded, "cpu").vae()
    wanted = encode.still(picture.permute(2, 0, 1).unsqueeze(0), vae, "cpu")
    assert torch.equal(firsts[0], wanted)
    assert float((firsts[1] - wanted).abs().mean()) > 0.1


@pytest.mark.parametrize("prompt", [PROMPT, "", "Ein Haus am See, 家, 🏠, zażółć", "x" * 3000])
def test_any_text_has_tokens_and_none_of_them_is_unknown(trained: Path, prompt: str) -> None:
    tokenizer = model.tokenizer(training._captions(1)[:500])
    ids = tokenizer(prompt).input_ids
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == prompt
    assert len(tokenizer) <= model.WORDS


def test_captions_are_few_tokens() -> None:
    tokenizer = model.tokenizer(training._captions(0))
    longest = 0
    for seed in range(2000):
        words = captions.caption(scenes.scene(Random(seed)), Random(seed))
        longest = max(longest, len(tokenizer(words).input_ids))
    assert longest < denoising.SEEN


def test_short_captions_are_attended_to_as_if_they_were_padded_to_512() -> None:
    torch.manual_seed(0)
    network, encoder = model.transformer().eval(), model.text_encoder().eval()
    tokenizer = model.tokenizer(training._captions(0)[:500])
    latents, timestep = torch.randn(2, model.CHANNELS, 2, 4, 4), torch.tensor([300.0, 800.0])
    prompts = [PROMPT, "a star"]
    with torch.no_grad():
        whole = torch.cat([text.encode(prompt, tokenizer, encoder).states for prompt in prompts])
        expected = network(latents, timestep, whole, return_dict=False)[0]
        denoising.shorten(network, True)
        short = denoising.states(prompts, tokenizer, encoder)
        found = network(latents, timestep, short, return_dict=False)[0]
        unlike = network(latents, timestep, short.flip(0), return_dict=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert float((unlike - expected).abs().max()) > 1e-4


def test_pixels_are_encoded_and_decoded_as_they_will_be() -> None:
    torch.manual_seed(0)
    vae = model.vae().eval()
    pixels = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    with torch.no_grad(), whole.at_once(vae) as clips:
        for weight in vae.parameters():
            weight.add_(0.05 * torch.randn(weight.shape))
        ours = clips.encoded(pixels)
        chunks = (pixels[:, :, span.start : span.stop] for span in encode.spans(9))
        torch.testing.assert_close(ours, encode.clip(chunks, vae, "cpu", Silent()), rtol=0, atol=1e-5)
        shown = torch.cat(list(decode.chunks(ours, vae)))
        torch.testing.assert_close(decode.pictures(clips.decoded(ours)), shown, rtol=0, atol=1e-5)


def test_a_vae_that_knows_no_time_shows_every_frame_as_a_picture() -> None:
    torch.manual_seed(0)
    vae = model.vae().eval()
    picture = torch.rand(1, 3, 1, 32, 32) * 2 - 1
    with torch.no_grad(), whole.at_once(vae) as clips:
        alone, still = (clips.decoded(clips.encoded(picture.repeat(1, 1, frames, 1, 1))) for frames in (1, 9))
    assert still.shape[2] == 9
    torch.testing.assert_close(still[:, :, 4:5], still[:, :, 8:9], rtol=0, atol=1e-5)
    assert alone.shape[2] == 1


def test_a_step_draws_the_same_whatever_came_before() -> None:
    once = torch.rand(3, generator=chance(0, "clips", 7))
    torch.rand(9)
    assert torch.equal(once, torch.rand(3, generator=chance(0, "clips", 7)))
    for other in (chance(1, "clips", 7), chance(0, "small", 7), chance(0, "clips", 8)):
        assert not torch.equal(once, torch.rand(3, generator=other))


def test_minutes_become_steps_that_take_about_as_long() -> None:
    short, long, card = plan(5, "cpu"), plan(50, "cpu"), plan(5, "cuda")
    assert 9.9 < long.pictures / short.pictures < 10.1
    assert 9.9 < long.small / short.small < 10.1
    assert card.large > short.large
    assert plan(0.1, "cpu").clips >= 2


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_that_are_none_are_refused(minutes: float) -> None:
    with pytest.raises(ArtifexError, match="minutes"):
        plan(minutes, "cpu")


def test_the_command_trains_and_says_why_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(training, "train", lambda out, steps, **more: taken.append((out, steps, more["seed"])))
    assert training.main(["--out", str(tmp_path / "x"), "--minutes", "2", "--seed", "5"]) == 0
    assert taken == [(tmp_path / "x", plan(2, "cpu"), 5)]
    assert training.main(["--out", str(tmp_path / "x"), "--minutes", "0"]) == 1
    assert "Try" in capsys.readouterr().err


@pytest.mark.nightly
def test_five_minutes_improve_its_own_score(tmp_path: Path) -> None:
    train(tmp_path / "tiny", plan(5, "cpu"))
    found = lines(tmp_path / "tiny")
    vae = next(line for line in found if line.get("stage") == "vae")
    assert vae["db"] > 14
    assert sum(losses(tmp_path / "tiny", "small")[-5:]) < 0.6 * sum(losses(tmp_path / "tiny", "small")[:5])
