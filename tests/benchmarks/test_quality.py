"""Every planted defect is told from every good clip, by its margin; the table says what was measured."""

from __future__ import annotations

import json

import pytest

from artifexpro.benchmarks import quality
from artifexpro.benchmarks.defects import SMALL, WRONG_FIRST, Canvas, asked_for
from artifexpro.benchmarks.quality import CLAIMS, GOOD, PLAIN, WAYS, WIDE_CLAIMS, Claim, Table
from artifexpro.core.media.metrics import scores


@pytest.fixture(scope="module")
def table() -> Table:
    return quality.measured(on=Canvas(frames=17))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.defect)
def test_every_defect_is_found_by_its_margin(claim: Claim, table: Table) -> None:
    assert claim.margin(table) >= claim.least


def test_the_defects_of_the_issue_are_claimed() -> None:
    claimed = {claim.defect for claim in CLAIMS}
    assert claimed >= {"jitter 1 px", "jitter 2 px", "flicker 4 %", "colour drift", "freeze", *WRONG_FIRST}
    assert claimed <= set(WAYS)


def test_defects_leave_alone_what_they_do_not_touch(table: Table) -> None:
    """A score that finds one defect is not moved as far by the others that have nothing to do with it."""
    for claim, untouched in (
        (Claim("jitter 1 px", scores.MOTION_JERK, times=3), ("flicker 4 %", "colour drift", "freeze")),
        (Claim("flicker 4 %", scores.BRIGHTNESS_FLICKER, apart=0.2), ("jitter 2 px", "colour drift", "stutter")),
        (Claim("colour drift", scores.COLOUR_DRIFT, apart=2), ("jitter 2 px", "freeze", "stutter")),
        (Claim("freeze", scores.FROZEN_FRAMES, apart=0.3), ("jitter 2 px", "flicker 4 %", "colour drift", "blur")),
    ):
        for other in untouched:
            swapped = {PLAIN: table[PLAIN], claim.defect: table[other]}
            assert claim.margin(swapped) < claim.least, (claim.score, other)


def test_blur_is_seen_beside_the_same_clip(table: Table) -> None:
    for clip in GOOD:
        assert table["blur"][clip][scores.SHARPNESS] < 0.7 * table[PLAIN][clip][scores.SHARPNESS]


def test_smoothness_and_warp_error_say_the_same_of_each_clip(table: Table) -> None:
    for clip in GOOD:
        for defect in ("jitter 1 px", "jitter 2 px", "flicker 4 %"):
            assert table[defect][clip][scores.MOTION_SMOOTHNESS] < table[PLAIN][clip][scores.MOTION_SMOOTHNESS]
        assert table["flicker 4 %"][clip][scores.WARP_ERROR] > 1.5 * table[PLAIN][clip][scores.WARP_ERROR]


@pytest.mark.nightly
@pytest.mark.parametrize("claim", WIDE_CLAIMS, ids=lambda claim: claim.defect)
def test_jitter_is_found_in_large_frames(claim: Claim) -> None:
    wide = quality.measured((PLAIN, claim.defect), quality.WIDE)
    assert claim.margin(wide) >= claim.least


def test_clips_are_the_same_every_time() -> None:
    for moment in GOOD.values():
        assert (asked_for(moment) == asked_for(moment)).all()
        first, again = next(iter(WAYS["jitter 1 px"](moment, SMALL))), next(iter(WAYS["jitter 1 px"](moment, SMALL)))
        assert (first == again).all()


def test_the_command_prints_what_it_measured_and_fails_where_a_margin_is_not_kept(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "measured", lambda *_: table)
    monkeypatch.setattr(quality, "frames_a_second", lambda: 12.5)
    assert quality.main([]) == 0
    said = capsys.readouterr().out
    assert all(claim.defect in said and claim.score in said for claim in CLAIMS)
    assert "full HD: 12.5 frames/s" in said
    assert quality.main(["--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in printed["figures"]} >= {"quality.flicker_4_%", "quality.full_hd_fps"}
    assert all(each["target"] for each in printed["figures"])
    monkeypatch.setattr(quality, "measured", lambda *_: {**table, "freeze": table[PLAIN]})
    assert quality.main([]) == 1
