"""A graph on each clip of a track: what is made where, what is told, what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio
import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.media import still
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import MovieWriter
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header
from artifexpro.core.project import clips, render
from artifexpro.core.protocol import JobRequest, JobResult, Target

schema, time = opentimelineio.schema, opentimelineio.opentime


def grey(value: float) -> torch.Tensor:
    pixels = torch.full((1, 4, 4, 8), value).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = 1
    return pixels


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """s.1001.exr to s.1020.exr, whose pixels are 1 to 20; a.mkv with 20 frames; torn.mkv, cut off."""
    folder = tmp_path_factory.mktemp("media")
    for frame in range(1001, 1021):
        write_frame(folder / f"s.{frame}.exr", grey(frame - 1000), "exr", Header("ACEScg", Fraction(24), frame))
    with appearing(folder / "a.mkv") as part, MovieWriter(part, "ffv1", Fraction(24), (8, 4)) as movie:
        for frame in range(20):
            movie.add(grey(frame / 20))
    (folder / "torn.mkv").write_bytes((folder / "a.mkv").read_bytes()[:600])
    return folder


def span(first: int, count: int) -> Any:
    return time.TimeRange(time.RationalTime(first, 24), time.RationalTime(count, 24))


def sequence(media: Path, name: str, first: int, count: int) -> Any:
    reference = schema.ImageSequenceReference(str(media), "s.", ".exr", 1001, 1, 24, 4, available_range=span(0, 20))
    return schema.Clip(name=name, source_range=span(first, count), media_reference=reference)


def movie(path: Path, first: int, count: int) -> Any:
    reference = schema.ExternalReference(target_url=str(path), available_range=span(0, 20))
    return schema.Clip(name=path.name, source_range=span(first, count), media_reference=reference)


def saved(path: Path, *tracks: list[Any]) -> Path:
    timeline = schema.Timeline(name="cut", global_start_time=time.RationalTime(100, 24))
    for number, children in enumerate(tracks, 1):
        timeline.tracks.append(schema.Track(name=f"V{number}", kind="Video", children=children))
    opentimelineio.adapters.write_to_file(timeline, str(path))
    return path


@pytest.fixture
def cut(media: Path, tmp_path: Path) -> Path:
    """V1: frames 3 to 5 of the sequence as "sh/010", the movie, an offline clip, frames 10 and 11 as "sh/010" again, a
    movie that is cut off. V2: the sequence's first frame."""
    return saved(
        tmp_path / "cut.otio",
        [
            sequence(media, "sh/010", 3, 3),
            movie(media / "a.mkv", 5, 4),
            schema.Clip(name="offline", source_range=span(0, 2)),
            sequence(media, "sh/010", 10, 2),
            movie(media / "torn.mkv", 2, 3),
        ],
        [sequence(media, "title", 0, 1)],
    )


GRAPH = {
    "plate": {"type": "MediaInput", "params": {"path": "/nowhere/old.mov"}},
    "out": {"type": "FileOutput", "params": {"path": "look/f.%04d.exr"}, "inputs": {"video": ["plate"]}},
}


def request(timeline: Path, nodes: dict[str, Any] | None = None, **more: Any) -> JobRequest:
    each = {"timeline": str(timeline), "node": more.pop("node", "plate"), **more.pop("each", {})}
    document = {"format": "artifexpro.graph", "version": 1, "nodes": GRAPH if nodes is None else nodes}
    work = {"kind": "graph", "document": document, "each": each, **more.pop("work", {})}
    return JobRequest.model_validate({"key": "key-of-a-test", "work": work, **more})


class Job(QuietContext):
    """Keeps what it was told of progress; is cancelled at the first stage that has `stop` in it."""

    def __init__(self, folder: Path, stop: str | None = None) -> None:
        super().__init__(folder / "out", folder / "store", folder / "models")
        self.told: list[str] = []
        self.stop = stop

    def progress(self, stage: str, done: int, total: int) -> None:
        self.told.append(stage)

    def check(self) -> None:
        if self.stop and any(self.stop in stage for stage in self.told):
            raise Cancelled


def run(job: Job, asked: JobRequest) -> JobResult:
    render.check_graph(asked, job.models)
    return render.render_graph(asked, job)


def made(folder: Path) -> dict[str, list[str]]:
    return {each.name: sorted(path.name for path in (each / "look").iterdir()) for each in sorted(folder.iterdir())}


def test_each_clip_goes_to_its_own_folder_and_the_others_are_told(cut: Path, tmp_path: Path) -> None:
    job = Job(tmp_path)
    result = run(job, request(cut))
    assert made(job.output) == {
        "a_mkv-103": ["f.0103.exr", "f.0104.exr", "f.0105.exr", "f.0106.exr"],
        "sh_010-100": ["f.1004.exr", "f.1005.exr", "f.1006.exr"],
        "sh_010-109": ["f.1011.exr", "f.1012.exr"],
    }
    assert [(one.clip.name, one.clip.track, one.clip.first, one.clip.last) for one in result.artefacts if one.clip] == [
        ("sh/010", "V1", 100, 102),
        ("a.mkv", "V1", 103, 106),
        ("sh/010", "V1", 109, 110),
    ]
    assert {(one.role, one.node) for one in result.artefacts} == {("frames", "out")}
    assert float(still.read(job.output / "sh_010-109" / "look" / "f.1012.exr")[0, 0, 0, 0]) == 12
    offline, torn = result.notes
    assert offline.startswith("offline at frame 107 was passed over:")
    assert torn.startswith("torn.mkv at frame 111 failed:") and "torn.mkv" in torn
    assert any(stage.startswith("clip 4 of 5, ") for stage in job.told)


def test_the_recipe_has_what_the_clips_share_and_what_they_do_not(cut: Path, tmp_path: Path) -> None:
    result = run(Job(tmp_path), request(cut))
    recipe = result.recipe
    assert recipe["graph"]["nodes"]["plate"]["params"] == {"path": "/nowhere/old.mov"}
    assert recipe["each"]["node"] == "plate"
    assert set(recipe["clips"]) == {"sh_010-100", "a_mkv-103", "sh_010-109"}
    assert recipe["clips"]["a_mkv-103"]["plate"]["path"].endswith("a.mkv")
    written = still.probe(tmp_path / "out" / "sh_010-100" / "look" / "f.1004.exr").recipe
    assert written is not None and "SequenceInput" in written and "a.mkv" not in written


def test_handles_and_another_track(cut: Path, tmp_path: Path) -> None:
    job = Job(tmp_path)
    result = run(job, request(cut, each={"track": "V2", "handles": 2}))
    assert made(job.output) == {"title-100": ["f.1001.exr", "f.1002.exr", "f.1003.exr"]}
    assert result.notes == ("title has handles of 0 and 2 frames where 2 were asked for.",)


def test_a_timeline_of_each_clip_has_it_at_its_place(media: Path, tmp_path: Path) -> None:
    place = {"type": "TimelineOutput", "params": {"media": "look/f.%04d.exr"}, "inputs": {"video": ["plate"]}}
    cut = saved(tmp_path / "cut.otio", [sequence(media, "a", 1, 3), sequence(media, "b", 8, 2)])
    job = Job(tmp_path)
    result = run(job, request(cut, {**GRAPH, "edit": place}, each={"handles": 2}))
    edits = [one for one in result.artefacts if one.role == "timeline"]
    assert [(one.frames.first, one.frames.last) for one in edits if one.frames] == [(100, 103), (103, 104)]


def test_a_job_that_is_cancelled_keeps_the_clips_that_are_done(cut: Path, tmp_path: Path) -> None:
    job = Job(tmp_path, stop="clip 2 of 5, write")
    with pytest.raises(Cancelled):
        render.render_graph(request(cut), job)
    assert set(made(job.output)) >= {"sh_010-100"}
    assert "sh_010-109" not in made(job.output)


def test_clips_that_all_fail_fail_the_job_with_the_first_reason(media: Path, tmp_path: Path) -> None:
    cut = saved(tmp_path / "cut.otio", [movie(media / "torn.mkv", 2, 3), schema.Clip(source_range=span(0, 2))])
    with pytest.raises(ArtifexError, match=r"torn\.mkv"):
        run(Job(tmp_path), request(cut))
    offline = saved(tmp_path / "offline.otio", [schema.Clip(name="gone", source_range=span(0, 2))])
    with pytest.raises(ArtifexError, match="on the clip gone"):
        render.check_graph(request(offline), tmp_path)
    with pytest.raises(ArtifexError, match="V1 has no clip"):
        render.check_graph(request(saved(tmp_path / "none.otio", [])), tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"work": {"frames": {"first": 1, "last": 2}}}, "frames 1 to 2 were asked for"),
        ({"target": Target(host="blender", frame=10).model_dump()}, "a place and handles for one result"),
        ({"node": "plates"}, 'no node "plates"'),
        ({"node": "out"}, "reads no files"),
        ({"each": {"track": "V9"}}, "no such video track"),
        ({"each": {"timeline": "/nowhere/cut.otio"}}, "no such file"),
        ({"each": {"timeline": "cut.otio"}}, "from which folder"),
        (
            {"nodes": {**GRAPH, "plate": {"type": "Solid"}, "other": GRAPH["plate"]}, "node": "other"},
            "comes from node other",
        ),
        ({"nodes": {**GRAPH, "out": {**GRAPH["out"], "params": {"path": "/out/f.%04d.exr"}}}}, "one place for all"),
        ({"nodes": {**GRAPH, "out": {**GRAPH["out"], "params": {"path": "../f.%04d.exr"}}}}, "one place for all"),
        ({"nodes": {**GRAPH, "out": {**GRAPH["out"], "params": {"path": "f.gif"}}}}, "gif"),
    ],
)
def test_what_could_not_work_is_refused_before_it_is_accepted(cut: Path, tmp_path: Path, change: Any, why: str) -> None:
    each = change.pop("each", {})
    asked = request(cut, change.pop("nodes", None), each=each, **change)
    with pytest.raises(ArtifexError, match=why):
        render.check_graph(asked, tmp_path)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("sh010", "sh010--3"),
        ("../../etc", "etc--3"),
        ("CON.exr", "CON_exr--3"),
        ("Früh/stück %04d #", "Früh_stück_04d--3"),
        ("", "clip--3"),
        ("x" * 500, "x" * 60 + "--3"),
    ],
)
def test_folders_have_names_that_any_disk_takes(name: str, folder: str) -> None:
    assert clips.folder_name(name, -3) == folder
