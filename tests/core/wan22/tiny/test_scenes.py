"""What is drawn is what the words say, the same for the same seed; what is held out is never trained on."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.tiny import captions, drawing, scenes
from artifexpro.core.wan22.tiny.scenes import BACKGROUNDS, COLOURS, MOTIONS, SHAPES, Scene, Thing


def one(motion: str = "still", shape: str = "square", camera: str = "still", size: str = "large") -> Scene:
    return Scene("black", (Thing("red", shape, motion, size, "" if motion == "still" else "fast"),), camera)


def test_no_scene_of_a_training_has_a_held_out_combination_and_every_held_out_scene_has_nothing_else() -> None:
    kept = set(scenes.combinations(True))
    for seed in range(3000):
        for thing in scenes.scene(Random(seed)).things:
            assert (thing.colour, thing.shape, thing.motion) not in kept
        for thing in scenes.scene(Random(seed), held_out=True).things:
            assert (thing.colour, thing.shape, thing.motion) in kept


def test_one_in_eight_combinations_is_held_out_and_every_pair_of_words_is_trained_on() -> None:
    kept, trained = set(scenes.combinations(True)), set(scenes.combinations(False))
    assert not kept & trained
    assert len(kept | trained) == 8 * 4 * 8 - 8
    assert 0.11 < len(kept) / len(kept | trained) < 0.14
    for colour, motion in product(COLOURS, MOTIONS):
        assert any((colour, shape, motion) in trained for shape in SHAPES)
    assert {colour for colour, *_ in kept} == set(COLOURS)
    assert {motion for *_, motion in kept} == set(MOTIONS)


def test_scenes_show_everything_there_is() -> None:
    drawn = [scenes.scene(Random(seed)) for seed in range(2000)]
    assert {scene.background for scene in drawn} == set(BACKGROUNDS)
    assert {scene.camera for scene in drawn} == set(scenes.CAMERAS)
    assert {len(scene.things) for scene in drawn} == {1, 2}
    assert {thing.size for scene in drawn for thing in scene.things} == set(scenes.SIZES)
    assert all(scene.things[0].colour != scene.things[-1].colour for scene in drawn if len(scene.things) == 2)


def test_the_same_seed_draws_the_same_clip_and_another_does_not() -> None:
    scene = one("left")
    first = drawing.clip(scene, 3, 96, 64, 9)
    assert torch.equal(first, drawing.clip(scene, 3, 96, 64, 9))
    assert not torch.equal(first, drawing.clip(scene, 4, 96, 64, 9))


@pytest.mark.parametrize("size", [(32, 32, 1), (96, 160, 2), (192, 128, 33), (501, 243, 5)])
def test_clips_have_any_size_and_length(size: tuple[int, int, int]) -> None:
    width, height, frames = size
    clip = drawing.clip(scenes.scene(Random(5)), 5, *size)
    assert clip.shape == (frames, height, width, 3)
    assert float(clip.min()) >= 0 and float(clip.max()) <= 1


def test_edges_are_soft_and_cover_adds_up_to_the_area_of_the_shape() -> None:
    for shape in SHAPES:
        clip = drawing.clip(one(shape=shape), 1, 192, 128, 1)[0]
        cover = (clip[..., 0] - 0.03) / (COLOURS["red"][0] - 0.03)
        low, high = drawing.RADIUS["large"]
        assert (low * 128) ** 2 * 0.97 < float(cover.sum()) / torch.pi < (high * 128) ** 2 * 1.03
        assert int(((cover > 0.02) & (cover < 0.98)).sum()) > 20


def test_things_are_near_the_middle_of_their_places_unless_anywhere_is_as_good() -> None:
    def columns(anywhere: bool) -> torch.Tensor:
        drawn = [drawing.clip(one(size="small"), seed, 192, 128, 1, anywhere=anywhere)[0] for seed in range(40)]
        red = (torch.stack(drawn)[..., 0] > 0.5).float()
        return (red.sum(1) * torch.arange(192.0)).sum(1) / red.sum((1, 2))

    near, anywhere = columns(False), columns(True)
    assert float((near - 96).abs().max()) < 96 * drawing.NEAR
    assert float(anywhere.min()) < 48 and float(anywhere.max()) > 144


@pytest.mark.parametrize(("camera", "right"), [("pans left", 1), ("pans right", -1)])
def test_what_a_panning_camera_sees_goes_the_other_way(camera: str, right: int) -> None:
    clip = drawing.clip(one(camera=camera, size="small"), 2, 192, 128, 9)
    columns = torch.arange(192.0)
    red = (clip[..., 0] - clip[..., 2] > 0.3).float()
    centres = (red.sum(1) * columns).sum(1) / red.sum((1, 2))
    assert float(centres[-1] - centres[0]) * right > 10


@pytest.mark.parametrize(("camera", "larger"), [("zooms in", True), ("zooms out", False)])
def test_a_zooming_camera_changes_the_size_of_things(camera: str, larger: bool) -> None:
    clip = drawing.clip(one(camera=camera, size="small"), 2, 192, 128, 9)
    red = (clip[..., 0] - clip[..., 2] > 0.3).sum((1, 2))
    assert bool(red[-1] > 1.3 * red[0]) is larger
    assert bool(red[0] > 1.3 * red[-1]) is not larger


def test_a_clip_too_small_to_show_anything_is_refused() -> None:
    with pytest.raises(ArtifexError, match="32 pixels"):
        drawing.clip(one(), 0, 16, 16)
    with pytest.raises(ArtifexError, match="0 frames"):
        drawing.clip(one(), 0, 64, 64, 0)


def test_captions_always_say_colour_shape_and_motion_in_many_ways() -> None:
    scene = Scene("dark blue", (Thing("red", "circle", "left", "small", "slowly"),))
    said = {captions.caption(scene, Random(seed)) for seed in range(500)}
    assert len(said) > 300
    for words in said:
        assert "red" in words
        assert any(name in words for name in captions._SHAPES["circle"])
        assert any(name in words for name in (*captions._DOING["left"], *captions._DOES["left"]))
    assert captions.plain(scene) == "a small red circle moving left slowly over a dark blue background"


def test_no_two_words_of_the_vocabulary_mean_different_things() -> None:
    for table in (captions._SHAPES, captions._SIZES, captions._SPEEDS, captions._DOING, captions._DOES):
        words = [word for name in table for word in set(table[name])]
        assert len(words) == len(set(words))
