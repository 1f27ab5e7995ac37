"""A clip's quality in a graph: measured once, held against limits, and nothing made is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import DataPayload, ImageBuffer, StreamInfo, VideoStream
from artifexpro.core.media import color
from artifexpro.core.media.metrics import networks, scores
from artifexpro.core.media.metrics.scores import SCORES
from artifexpro.core.nodes.quality import _LIMITS, ClipQuality, QualityGate
from artifexpro.core.project.render import render_graph
from artifexpro.core.protocol import JobRequest

INFO = StreamInfo(1001, 1012, Fraction(24), 96, 64)
Soft = Callable[..., torch.Tensor]


@pytest.fixture
def clip(soft_picture: Soft) -> Callable[..., VideoStream]:
    """A soft clip of 96 x 64, of twelve frames unless `info` says otherwise, whose frames `change` alters."""

    def make(change: Callable[[int, torch.Tensor], torch.Tensor] = lambda frame, pixels: pixels, info: Any = INFO):
        def pull(request: Any) -> ImageBuffer:
            return ImageBuffer(change(request.frame, soft_picture(96, 64, phase=0.05 * (request.frame - 1001))))

        return VideoStream(info, pull)

    return make


def values(data: DataPayload) -> dict[str, float]:
    return {name: found["value"] for name, found in data.content["scores"].items()}


def test_a_clip_is_measured_as_it_looks_with_its_own_frame_numbers(
    job: QuietContext, clip: Callable[..., VideoStream]
) -> None:
    told: list[tuple[str, int, int]] = []
    job.progress = lambda *said: told.append(said)  # type: ignore[method-assign]
    data = ClipQuality().analyse(job, video=clip(lambda frame, pixels: pixels * (1.1 if frame == 1007 else 1.0)))
    assert data.kind == "quality"
    assert (data.content["first"], data.content["frames"]) == (1001, 12)
    assert data.content["scores"]["brightness_flicker"]["worst"] == 1007
    assert set(data.content["scores"]) | set(data.content["missing"]) >= set(SCORES)
    assert json.loads(json.dumps(data.content, allow_nan=False)) == data.content
    assert told == [("analysis", done, 12) for done in range(1, 13)]
    shown = color.transform(clip().frame(1001).pixels, "ACEScg", "srgb_tx")[0, :3].clamp(0, 1)
    grey = (shown * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)
    one = ClipQuality().analyse(job, video=clip(info=replace(INFO, last=1001)))
    assert values(one)["contrast (luma deviation)"] == pytest.approx(float(grey.std(correction=0)) * 255, rel=1e-3)


def test_the_picture_is_fitted_as_the_generators_fit_it(job: QuietContext, clip: Callable[..., VideoStream]) -> None:
    video = clip(info=replace(INFO, last=1003))
    still = replace(INFO, first=1, last=1, still=True)
    same = VideoStream(still, lambda request: video.frame(1001))
    assert values(ClipQuality().analyse(job, video=video, image=same))[scores.FIRST_FRAME_PSNR] == 100

    def taller(request: Any) -> ImageBuffer:
        bars = torch.zeros(1, 4, 128, 96)
        bars[:, :, 32:96] = video.frame(1001).pixels
        bars[:, 3] = 1
        return ImageBuffer(bars)

    wider = ClipQuality().analyse(job, video=video, image=VideoStream(replace(still, height=128), taller))
    assert values(wider)[scores.FIRST_FRAME_PSNR] > 60
    other = VideoStream(still, lambda request: video.frame(1001).with_pixels(video.frame(1001).pixels * 0.5))
    assert values(ClipQuality().analyse(job, video=video, image=other))[scores.FIRST_FRAME_PSNR] < 25
    assert scores.FIRST_FRAME_PSNR in ClipQuality().analyse(job, video=video).content["missing"]


def test_a_still_is_a_clip_of_one_frame_and_what_has_no_end_is_refused(
    job: QuietContext, clip: Callable[..., VideoStream]
) -> None:
    data = ClipQuality().analyse(job, video=clip(info=replace(INFO, still=True)))
    assert data.content["frames"] == 1
    assert data.content["missing"]["motion_smoothness (flow proxy)"] == "a clip of one frame has no movement"
    with pytest.raises(ArtifexError, match="has no end"):
        ClipQuality().analyse(job, video=clip(info=replace(INFO, endless=True)))


def test_pixels_that_are_no_numbers_are_refused_with_their_frame(
    job: QuietContext, clip: Callable[..., VideoStream]
) -> None:
    def hole(frame: int, pixels: torch.Tensor) -> torch.Tensor:
        out = pixels.clone()
        if frame == 1005:
            out[0, 1, 3, 4] = float("nan")
        return out

    with pytest.raises(ArtifexError, match=r"measure frame 1005.*no numbers.*Repair"):
        ClipQuality().analyse(job, video=clip(hole))
    with pytest.raises(ArtifexError, match=r"compare the first frame.*no numbers"):
        still = replace(INFO, first=1005, last=1005, still=True)
        ClipQuality().analyse(job, video=clip(), image=clip(hole, still))


def test_measuring_is_cancelled_between_frames(job: QuietContext, clip: Callable[..., VideoStream]) -> None:
    seen: list[int] = []

    def check() -> None:
        if len(seen) == 3:
            raise Cancelled

    def look(frame: int, pixels: torch.Tensor) -> torch.Tensor:
        seen.append(frame)
        return pixels

    job.check = check  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        ClipQuality().analyse(job, video=clip(look))
    assert seen == [1001, 1002, 1003]


def test_networks_on_disk_are_part_of_the_key_and_can_be_left_out(tmp_path: Path) -> None:
    context = Preflight(frozenset({"video"}), tmp_path)
    without = ClipQuality().fingerprint(context)
    place = networks.DINO.place(tmp_path)
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    assert ClipQuality().fingerprint(context) != without
    assert ClipQuality(networks=False).fingerprint(context) == ""


def test_a_broken_network_is_told_and_not_passed_over(job: QuietContext, clip: Callable[..., VideoStream]) -> None:
    place = networks.CLIP.place(job.models)
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    with pytest.raises(ArtifexError, match="CLIP ViT-B/32"):
        ClipQuality().analyse(job, video=clip())
    assert "background_consistency" in ClipQuality(networks=False).analyse(job, video=clip()).content["missing"]


def gated(graph: Callable[..., Any], footage: Path, **params: Any) -> Any:
    return graph(
        movie=("MediaInput", {"path": str(footage / "clip.mp4")}, {}),
        quality=("ClipQuality", {}, {"video": "movie", "image": "movie"}),
        gate=("QualityGate", params, {"quality": "quality"}),
    )


def test_figures_go_to_a_file_and_into_the_notes(graph: Callable[..., Any], footage: Path, job: QuietContext) -> None:
    (report,) = gated(graph, footage, path="told/clip.json", least_smoothness=0.1).write("gate")
    assert (report.role, report.path) == ("report", str(job.output / "told" / "clip.json"))
    said = json.loads(Path(report.path).read_text(encoding="utf-8"))
    assert said["limits"] == {"least_smoothness": 0.1}
    assert said["missed"] == []
    assert said["scores"][scores.FIRST_FRAME_PSNR]["value"] == 100
    (note,) = job.notes
    assert note.startswith("Quality: temporal_flickering 0.")
    assert "motion_smoothness (flow proxy)" in note


def test_a_clip_is_measured_once_for_all_jobs(graph: Callable[..., Any], footage: Path) -> None:
    gated(graph, footage).write("gate")
    again = gated(graph, footage, least_smoothness=0.5)
    again.write("gate")
    assert again.evaluator.runs[again.plan.index["movie"]] == 0


def test_a_missed_limit_is_told_with_its_figures_and_the_figures_stay(
    graph: Callable[..., Any], footage: Path, job: QuietContext
) -> None:
    with pytest.raises(NodeError) as caught:
        gated(graph, footage, least_smoothness=1.0, most_noise=0.0).write("gate")
    error = caught.value
    assert (error.node, error.code) == ("gate", "quality")
    assert error.attempted == "let the clip pass"
    assert "motion_smoothness (flow proxy) is 0." in error.because and "at least 1 was asked for" in error.because
    assert "noise (Immerkaer) is" in error.because and "at most 0 was asked for" in error.because
    assert str(job.output / "quality.json") in error.remedy
    assert len(json.loads((job.output / "quality.json").read_text())["missed"]) == 2


def test_telling_goes_on(graph: Callable[..., Any], footage: Path, job: QuietContext) -> None:
    (report,) = gated(graph, footage, least_smoothness=1.0, when_missed="tell").write("gate")
    assert len(json.loads(Path(report.path).read_text())["missed"]) == 1
    assert any(note.startswith("A limit is missed: motion_smoothness (flow proxy) is 0.") for note in job.notes)


def test_a_job_whose_gate_refuses_keeps_the_generated_clip_and_writes_its_other_outputs(job: QuietContext) -> None:
    settings = {"prompt": "a paper boat", "width": 64, "height": 64, "frames": 5, "steps": 1, "seed": 7}
    nodes = {
        "made": {"type": "TI2VGenerator", "params": settings},
        "quality": {"type": "ClipQuality", "inputs": {"video": ["made"]}},
        "gate": {"type": "QualityGate", "params": {"most_noise": 0.0}, "inputs": {"quality": ["quality"]}},
        "file": {"type": "FileOutput", "params": {"path": "clip.%04d.exr"}, "inputs": {"video": ["made"]}},
    }
    document = {"format": "artifexpro.graph", "version": 1, "nodes": nodes}
    asked = {"key": "key-of-a-test", "work": {"kind": "graph", "document": document}}
    with pytest.raises(NodeError, match=r"let the clip pass.*noise \(Immerkaer\) is"):
        render_graph(JobRequest.model_validate(asked), job)
    assert len(list(job.output.glob("clip.*.exr"))) == 5
    assert (job.output / "quality.json").exists()
    assert len(list(job.store.glob("*/clip.json"))) == 1
    nodes["gate"]["params"] = {"most_noise": 255.0}
    written = {path: path.stat().st_mtime_ns for path in job.store.glob("*/frames/*.exr")}
    result = render_graph(JobRequest.model_validate(asked), job)
    assert {artefact.role for artefact in result.artefacts} == {"frames", "report"}
    assert {path: path.stat().st_mtime_ns for path in job.store.glob("*/frames/*.exr")} == written


def test_every_limit_can_be_kept_and_missed(job: QuietContext) -> None:
    assert set(_LIMITS.values()) == set(SCORES)
    for name, score in _LIMITS.items():
        least = name.startswith("least_")
        assert SCORES[score].better == ("higher" if least else "lower") or score == scores.DYNAMIC_DEGREE
        found = {"first": 1, "frames": 9, "scores": {score: {"value": 0.5, "worst": None}}, "missing": {}}
        data = DataPayload("quality", found)
        for limit, kept in ((0.4, least), (0.6, not least), (0.5, True)):
            gate = QualityGate(**{name: limit})
            if kept:
                gate.write(job, quality=data)
            else:
                with pytest.raises(ArtifexError, match="let the clip pass"):
                    gate.write(job, quality=data)


def test_what_the_gate_cannot_use_is_refused(job: QuietContext, tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match='the data is of kind "luminance"'):
        QualityGate().write(job, quality=DataPayload("luminance", {}))
    with pytest.raises(ArtifexError, match=r"ends in \.json"):
        QualityGate(path="figures.txt").preflight(Preflight(frozenset({"quality"}), tmp_path))


def test_a_limit_of_a_network_that_is_not_there_is_refused_before_any_work(
    graph: Callable[..., Any], footage: Path, job: QuietContext
) -> None:
    with pytest.raises(GraphError, match=r"DINO ViT-B/16 is not on disk"):
        gated(graph, footage, least_subject_consistency=0.5)
    place = networks.DINO.place(job.models)
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    gated(graph, footage, least_subject_consistency=0.5)


def test_a_limit_of_what_was_not_measured_is_missed(job: QuietContext, clip: Callable[..., VideoStream]) -> None:
    data = ClipQuality(networks=False).analyse(job, video=clip(info=replace(INFO, last=1001)))
    with pytest.raises(ArtifexError) as caught:
        QualityGate(least_smoothness=0.9, least_first_frame_psnr=20).write(job, quality=data)
    assert "motion_smoothness (flow proxy) has no number (a clip of one frame has no movement)" in caught.value.because
    assert "first_frame_psnr has no number (no picture was given" in caught.value.because


def test_the_graph_of_the_documentation_measures_a_movie(footage: Path, job: QuietContext, tree: Path) -> None:
    document = json.loads((tree / "docs" / "quality.json").read_text(encoding="utf-8"))
    document["nodes"]["movie"]["params"]["path"] = str(footage / "clip.mp4")
    asked = {"key": "key-of-a-test", "work": {"kind": "graph", "document": document}}
    (report,) = render_graph(JobRequest.model_validate(asked), job).artefacts
    assert json.loads(Path(report.path).read_text())["frames"] == 6


def test_the_documentation_lists_every_score_as_it_is(tree: Path) -> None:
    page = (tree / "docs" / "quality.md").read_text(encoding="utf-8")
    for score in SCORES.values():
        assert f"| `{score.name}` | {score.better or ''} | {score.unit} | {score.says} | {score.source} |" in page
