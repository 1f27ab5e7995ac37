"""Costs and times in words, the history's search, the panel without a host, the colours."""

from __future__ import annotations

from typing import Any

import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.jobs import Job
from artifexpro.hosts.panel import cost, history, results
from artifexpro.hosts.panel.alone import Alone, showing
from artifexpro.hosts.panel.choices import PRESETS
from artifexpro.hosts.panel.history import History

PLAN = {"fits": True, "reason": "fits", "seconds": 412.0, "peak_vram_gb": 22.5, "peak_ram_gb": 31.0}


def test_what_ran_here_before_is_told_rather_than_what_was_computed():
    measured = {"seconds": 254.0, "disk_bytes": 598_118_400, "basis": "time: the median of 6 jobs; disk: at most"}
    told = cost.told(PLAN, measured, "")
    assert (told.time, told.memory, told.disk) == ("about 4 min", "22.5 GB", "up to 598 MB")
    assert told.memory_of == "graphics card" and told.basis == "Time: the median of 6 jobs."
    computed = cost.told(PLAN, {"seconds": None, "disk_bytes": None, "basis": ""}, "")
    assert computed.time == "about 7 min" and computed.disk == "unknown"


def test_nothing_is_said_that_is_not_known():
    told = cost.told({**PLAN, "seconds": None, "peak_vram_gb": 0.0}, {"seconds": None, "disk_bytes": None}, "")
    assert told.time == "unknown" and told.memory == "31.0 GB" and told.memory_of == "memory"
    assert "not known before" in told.basis


def test_what_does_not_fit_is_a_warning_and_a_refusal_goes_first():
    crowded = {**PLAN, "fits": False, "reason": "stage decode needs 24.0 GB; the nearest that fits is 832x480"}
    assert cost.told(crowded, None, "").warning.startswith("Does not fit: stage decode needs 24.0 GB")
    refused = cost.told(crowded, None, "Attempted to X. Failed because Y. Try Z.")
    assert refused.refusal and not refused.warning and refused.disk == cost.UNTOLD


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (91, "2 min"), (3700, "62 min"), (7800, "2 h 10 min")]
)
def test_lengths_of_time(seconds, said):
    assert cost.lasting(seconds) == said


@pytest.mark.parametrize(("count", "said"), [(40, "0.1 kB"), (1500, "1.5 kB"), (590_000, "590 kB"), (3.4e10, "34 GB")])
def test_sizes(count, said):
    assert cost.size(count) == said


def test_the_presets_are_those_of_the_daemon():
    from artifexpro.core.wan22.presets import PRESETS as known

    assert {each.name: each.frames for each in PRESETS} == {name: preset.frames for name, preset in known.items()}
    for each in PRESETS:
        assert f"{known[each.name].steps} steps" in each.about


def view(job: str, title: str, **more: Any) -> dict[str, Any]:
    params = {"prompt": title, "model": "ti2v-5B", "preset": "Draft", "seed": 7}
    graph = {"nodes": {"clip": {"type": "TI2VGenerator", "params": params}}}
    told = {"job": job, "key": job, "title": title, "kind": "graph", "state": "finished", "created": 0.0}
    return {**told, "client": {"host": "nuke"}, "result": {"artefacts": [], "recipe": {"graph": graph}}, **more}


class Asked:
    """Answers `job.list` at once with what it has."""

    def __init__(self, views: list[dict[str, Any]]) -> None:
        self.views, self.times = views, 0

    def __call__(self, op: str, body: dict[str, Any], done: Any) -> bool:
        assert op == "job.list"
        self.times += 1
        done({"jobs": self.views}, None)
        return True


def test_the_history_finds_every_word_wherever_it_stands():
    views = [
        view("aaaa1111", "a red fox in snow"),
        view("bbbb2222", "a fox", state="failed", result=None),
        view("cccc3333", "the harbour", client={"host": "resolve"}),
        view("dddd4444", "weights", kind="models.get"),
    ]
    past = History(Asked(views), lambda: None)
    past.seen = True
    past.pump(True)

    def found(words: str) -> list[str]:
        return [each["job"] for each in past.found(words)]

    assert found("") == ["aaaa1111", "bbbb2222", "cccc3333"]
    assert found("FOX red") == ["aaaa1111"] and found("fox failed") == ["bbbb2222"]
    assert found("resolve") == ["cccc3333"] and found("ti2v 7") == ["aaaa1111", "cccc3333"]
    assert found("cccc33") == ["cccc3333"] and found("3") == []


def test_the_history_is_asked_for_only_while_it_is_looked_at():
    now, asked = [100.0], Asked([view("a", "fox")])
    past = History(asked, lambda: None, lambda: now[0])
    past.pump(True)
    assert asked.times == 0
    past.seen = True
    past.pump(False)
    assert asked.times == 0
    past.pump(True)
    past.pump(True)
    assert asked.times == 1
    now[0] += history.EVERY_SECONDS
    past.pump(True)
    assert asked.times == 2
    past.outdated()
    past.pump(True)
    assert asked.times == 3


def test_a_line_about_a_clip_breaks_between_its_parts_only():
    said = history.about(view("a", "fox", created=0.0), 7200.0)
    assert [part.replace("\u00a0", " ") for part in said.split(" ")] == [
        "2 hours ago ·",
        "nuke ·",
        "ti2v-5B ·",
        "Draft ·",
        "seed 7",
    ]
    assert history.about(view("a", "fox", state="failed"), 30.0).endswith("failed")


def made(path: str) -> Job:
    return Job("key", "a fox", {}, {}, result={"artefacts": [{"role": "clip", "path": path}]})


def test_alone_clips_stay_where_the_daemon_wrote_them(tmp_path):
    host = Alone(tmp_path / "clips")
    assert host.place() == {"output": str(tmp_path / "clips"), "target": {"host": "panel"}}
    clip = tmp_path / "clips" / "clip.mp4"
    clip.write_bytes(b"")
    assert host.deliver(made(str(clip))) == f"In {clip.parent}" == host.deliver(made(str(clip)))
    clip.unlink()
    with pytest.raises(BridgeError, match="moved or deleted"):
        host.deliver(made(str(clip)))


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_queued(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BridgeError, match="that folder cannot be made"):
        Alone(tmp_path / "file" / "clips").place()


def test_files_are_shown_by_the_systems_own_program(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    assert showing("darwin", clip) == ["open", "-R", str(clip)]
    assert showing("win32", clip) == ["explorer", f"/select,{clip}"]
    assert showing("linux", clip) == ["xdg-open", str(tmp_path)]

    def missing(command):
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(BridgeError, match="cannot be run"):
        Alone(tmp_path, missing).reveal(made(str(clip)))


def test_frames_are_found_by_their_folder(tmp_path):
    job = Job("key", "a fox", {}, {}, result={"artefacts": [{"role": "frames", "path": str(tmp_path / "f.%04d.exr")}]})
    assert results.main_file(job) == tmp_path
    with pytest.raises(BridgeError, match="it has made none"):
        results.main_file(Job("key", "a fox", {}, {}))


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2, from #rrggbb."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["DARK", "LIGHT"])
def test_texts_are_legible_on_what_they_stand_on(name):
    """4.5 to 1, as WCAG 2.2 asks for texts of this size."""
    from artifexpro.hosts.panel import theme

    look = getattr(theme, name)
    for ground in (look.window, look.surface, look.field):
        for ink in (look.text, look.muted, look.accent, look.warning, look.error, look.good):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    for ground in (look.added, look.removed, look.raised):
        assert contrast(look.text, ground) >= 4.5
    assert contrast(look.on_accent, look.accent) >= 4.5 and contrast(look.on_accent, look.pressed) >= 4.5
    for grey in (look.window, look.surface, look.field, look.edge, look.text):
        assert len({grey[1:3], grey[3:5], grey[5:7]}) == 1, f"{grey} would tint what is judged beside it"
