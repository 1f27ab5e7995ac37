"""VBench's networks: used where they are on disk, refused where they are broken, never fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.metrics import networks, scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.networks import CLIP, DINO, seen

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of the real classes, tiny and with random weights."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection, ViTConfig, ViTModel

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    dino = ViTModel(ViTConfig(**SMALL, image_size=224, patch_size=16), add_pooling_layer=False)
    dino.save_pretrained(DINO.place(folder))
    clip = CLIPVisionConfig(**SMALL, image_size=224, patch_size=32, projection_dim=8)
    CLIPVisionModelWithProjection(clip).save_pretrained(CLIP.place(folder))
    return folder


def frames(count: int = 3) -> Iterator[np.ndarray]:
    random = np.random.default_rng(1)
    return (random.random((48, 80, 3)).astype(np.float32) for _ in range(count))


def test_without_networks_nothing_is_used_and_the_report_says_so(tmp_path: Path) -> None:
    assert networks.load(tmp_path) == {}
    report = measure(frames(), 24)
    for network in networks.NETWORKS:
        assert report.missing[network.score] == network.missing()
        assert network.title in network.missing()
        assert network.identity(tmp_path) == ""


def test_both_scores_are_vbenchs_formula_over_the_networks_features(models: Path) -> None:
    from transformers import CLIPVisionModelWithProjection, ViTModel

    report = measure(frames(), 24, features=networks.load(models))
    dino = ViTModel.from_pretrained(DINO.place(models), add_pooling_layer=False).eval()
    clip = CLIPVisionModelWithProjection.from_pretrained(CLIP.place(models)).eval()
    with torch.no_grad():
        of_dino = [
            dino(torch.from_numpy(seen(each, DINO)), interpolate_pos_encoding=True).last_hidden_state[0, 0]
            for each in frames()
        ]
        of_clip = [clip(torch.from_numpy(seen(each, CLIP))).image_embeds[0] for each in frames()]
    for score, features in ((scores.SUBJECT_CONSISTENCY, of_dino), (scores.BACKGROUND_CONSISTENCY, of_clip)):
        unit = [each / each.norm() for each in features]
        pairs = [(max(0, float(unit[t] @ unit[t - 1])) + max(0, float(unit[t] @ unit[0]))) / 2 for t in (1, 2)]
        assert report.scores[score].value == pytest.approx(sum(pairs) / 2, abs=1e-5)
    assert scores.CONSISTENCY in report.scores


def test_pictures_are_shown_as_vbench_shows_them() -> None:
    wide = np.zeros((448, 896, 3), np.float32)
    wide[:, 224:672] = 1
    assert seen(wide, DINO).shape == (1, 3, 224, 448)
    square = seen(wide, CLIP)
    assert square.shape == (1, 3, 224, 224)
    for channel in range(3):
        expected = (1 - CLIP.mean[channel]) / CLIP.deviation[channel]
        assert square[0, channel, 100, 100] == pytest.approx(expected, rel=1e-5)
    assert seen(np.zeros((30, 20, 3), np.float32), CLIP).shape == (1, 3, 224, 224)


def test_a_network_that_is_not_whole_is_refused(models: Path, tmp_path: Path) -> None:
    place = DINO.place(tmp_path)
    place.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (place / name).write_bytes((DINO.place(models) / name).read_bytes())
    assert list(networks.load(tmp_path)) == [scores.SUBJECT_CONSISTENCY]
    before = DINO.identity(tmp_path)
    weights = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    assert DINO.identity(tmp_path) != before
    with pytest.raises(ArtifexError, match=r"load DINO ViT-B/16.*cannot be read") as caught:
        networks.load(tmp_path)
    assert caught.value.code == "damaged"
    (place / "model.safetensors").unlink()
    with pytest.raises(ArtifexError, match="cannot be read"):
        networks.load(tmp_path)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    (place / "model.safetensors").write_bytes(weights)
    with pytest.raises(ArtifexError, match="missing or misshapen"):
        networks.load(tmp_path)
