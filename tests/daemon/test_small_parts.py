"""Parts of the daemon by themselves: estimates, comparisons, hashes, previews, home."""

from __future__ import annotations

from hashlib import sha256

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.protocol import Artefact, FrameRange, JobRequest, JobResult, RenderGraph
from artifexpro.daemon import previews, reproduce
from artifexpro.daemon.estimate import estimate, likeness
from artifexpro.daemon.hashes import with_hashes
from artifexpro.daemon.home import Home, HomeLock, default_home
from artifexpro.daemon.working import Job, WorkerContext


def wan(**params):
    return RenderGraph(document={"nodes": {"wan": {"type": "T2VGenerator", "params": params}}})


def test_what_changes_no_cost_makes_no_other_work():
    assert likeness(wan(prompt="a cat", seed=1, frames=9)) == likeness(wan(prompt="a dog", seed=2, frames=9))
    assert likeness(wan(prompt="a cat", frames=9)) != likeness(wan(prompt="a cat", frames=13))
    assert likeness(wan()) != likeness(wan().model_copy(update={"scale": 0.25}))
    shifted = wan().model_copy(update={"frames": FrameRange(first=11, last=20)})
    assert likeness(shifted) == likeness(wan().model_copy(update={"frames": FrameRange(first=1, last=10)}))


@pytest.mark.parametrize("document", [{}, {"nodes": 3}, {"nodes": {"a": 7}}, {"nodes": {"a": {"params": []}}}])
def test_the_likeness_of_nonsense_is_no_failure(document):
    assert likeness(RenderGraph(document=document))


def test_an_estimate_says_nothing_it_does_not_know():
    assert estimate([], None).model_dump() == {"seconds": None, "disk_bytes": None, "vram_bytes": None, "basis": ""}
    known = estimate([1.0, 100.0, 3.0], 5)
    assert known.seconds == 3.0 and known.disk_bytes == 5 and "3 earlier jobs" in known.basis


def result(*artefacts, **recipe):
    return JobResult(artefacts=artefacts, recipe=recipe)


def still(digest, node="a"):
    return Artefact(path="x.png", role="still", node=node, sha256=digest)


A, B = "a" * 64, "b" * 64


def test_a_comparison_says_equal_only_of_what_was_compared():
    assert reproduce.compare("j", result(still(A)), result(still(A))).equal is True
    assert reproduce.compare("j", result(still(A)), result(still(B))).equal is False
    assert reproduce.compare("j", result(still(None)), result(still(A))).equal is None
    assert reproduce.compare("j", result(), result()).equal is None
    fewer = reproduce.compare("j", result(still(A), still(A, "b")), result(still(A)))
    assert fewer.equal is False and fewer.differs == ("still of node b was made only the first time",)


def test_a_comparison_names_the_versions_that_changed():
    found = reproduce.compare(
        "j", result(still(A), versions={"torch": "2.13"}), result(still(B), versions={"torch": "2.14"})
    )
    assert "torch was 2.13 then and is 2.14 now" in found.differs


def test_what_was_written_to_fixed_places_is_not_written_there_again(tmp_path):
    inside, outside = str(tmp_path / "out" / "clip.mp4"), str(tmp_path / "elsewhere.mp4")
    kept = JobResult(artefacts=(Artefact(path=inside, role="clip"),))
    reproduce.refuse_overwriting("j", kept, tmp_path / "out")
    loose = JobResult(artefacts=(Artefact(path=outside, role="clip"),))
    with pytest.raises(ArtifexError, match="elsewhere"):
        reproduce.refuse_overwriting("j", loose, tmp_path / "out")


def test_only_graphs_are_reproduced():
    request = JobRequest.model_validate({"key": "k" * 8, "work": {"kind": "models.verify", "model": "smoke"}})
    with pytest.raises(ArtifexError, match="no pictures"):
        reproduce.again(request, "another-key")


def test_artefacts_are_hashed_by_content(tmp_path):
    for number in (1, 2):
        (tmp_path / f"f.{number:04}.exr").write_bytes(b"%d" % number)
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    frames = Artefact(path=str(tmp_path / "f.%04d.exr"), role="frames", frames=FrameRange(first=1, last=2))
    clip = Artefact(path=str(tmp_path / "clip.mp4"), role="clip", frames=FrameRange(first=1, last=2))
    done = with_hashes(JobResult(artefacts=(frames, clip)), lambda: None).artefacts
    digests = [sha256(b"1").digest(), sha256(b"2").digest()]
    assert done[0].sha256 == sha256(b"".join(digests)).hexdigest()
    assert done[1].sha256 == sha256(b"clip").hexdigest()


def test_hashing_stops_when_the_job_is_cancelled(tmp_path):
    def check():
        raise Cancelled

    (tmp_path / "clip.mp4").write_bytes(b"clip")
    with pytest.raises(Cancelled):
        with_hashes(JobResult(artefacts=(Artefact(path=str(tmp_path / "clip.mp4"), role="clip"),)), check)


@pytest.fixture
def shown():
    made = previews.Previews()
    yield made
    made.close()


def test_a_preview_is_read_back_as_it_was_drawn(shown):
    picture = torch.rand(5, 7, 3) * 1.4 - 0.2
    token = shown.share(picture)
    pixels = torch.frombuffer(bytearray(previews.read(token)), dtype=torch.uint8).reshape(5, 7, 4)
    assert torch.equal(pixels[..., :3], (picture.clamp(0, 1) * 255).round().to(torch.uint8))
    assert (pixels[..., 3] == 255).all()


def test_a_preview_overwritten_by_newer_ones_is_not_shown_torn(shown):
    old = shown.share(torch.zeros(4, 4, 3))
    newer = [shown.share(torch.ones(4, 4, 3)) for _ in range(4)]
    assert previews.read(old) is None
    assert previews.read(newer[-1]) is not None


def test_a_larger_preview_gets_a_larger_ring_and_the_old_one_goes(shown):
    small = shown.share(torch.zeros(4, 4, 3))
    large = shown.share(torch.zeros(400, 400, 3))
    assert previews.read(small) is None
    assert len(previews.read(large)) == 400 * 400 * 4


@pytest.mark.parametrize("segment", ["../../etc/passwd", "/etc/passwd", "no-such.ring"])
def test_a_token_cannot_name_any_other_file(shown, segment):
    token = shown.share(torch.zeros(4, 4, 3)).model_copy(update={"segment": segment})
    assert previews.read(token) is None


def test_previews_that_cannot_be_shared_are_a_note_not_the_end_of_the_job(tmp_path):
    class NoMemory(previews.Previews):
        def share(self, pixels):
            raise ArtifexError("set aside memory", "there is none", "more")

    told = []
    context = WorkerContext(
        tmp_path,
        tmp_path,
        tmp_path,
        job=Job("j", 1, tmp_path),
        tell=lambda what, **rest: told.append(what),
        is_cancelled=lambda: False,
        previews=NoMemory(),
    )
    context.preview(torch.zeros(2, 2, 3))
    assert not told and context.notes == ["There were no previews: there is none."]


def test_progress_is_told_sparingly_but_the_end_always(tmp_path):
    told = []
    context = WorkerContext(
        tmp_path,
        tmp_path,
        tmp_path,
        job=Job("j", 1, tmp_path),
        tell=lambda what, **rest: told.append((rest["stage"], rest["done"])),
        is_cancelled=lambda: False,
        previews=previews.Previews(),
    )
    for done in range(1001):
        context.progress("write", done, 1000)
    context.progress("next", 0, 5)
    assert told[0] == ("write", 0) and told[-2:] == [("write", 1000), ("next", 0)] and len(told) < 500


def test_a_worker_context_is_a_job_context():
    quiet = {name for name in dir(QuietContext) if not name.startswith("_")}
    assert quiet <= set(dir(WorkerContext))


def test_half_written_files_of_a_killed_attempt_go_at_the_next(tmp_path):
    home = Home(tmp_path)
    job = Job("j", 2, home.jobs / "j")
    left = job.folder / "frames" / ".frame.0001.abcdef.part.exr"
    whole = job.folder / "frames" / "frame.0001.exr"
    for file in (left, whole):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    request = JobRequest(key="k" * 8, work=wan())
    WorkerContext.for_job(
        request, job, job.folder, home, lambda what, **rest: None, lambda: False, previews.Previews(), {}
    )
    assert whole.exists() and not left.exists()


def test_the_home_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("ARTIFEXPRO_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("ARTIFEXPRO_HOME")
    assert default_home().name == "artifexpro"


def test_a_lock_is_free_again_once_released(tmp_path):
    home = Home(tmp_path)
    home.prepare()
    first, second = HomeLock(home), HomeLock(home)
    first.acquire()
    with pytest.raises(ArtifexError) as refused:
        second.acquire()
    assert refused.value.code == "second-daemon"
    first.release()
    second.acquire()
    second.release()
