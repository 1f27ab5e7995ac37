from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic import ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import (
    PROTOCOL_VERSION,
    FetchModel,
    FrameRange,
    JobRequest,
    Rate,
    RenderGraph,
    Request,
    check_version,
)

KEY = "a-key-of-a-client"


@pytest.mark.parametrize(("theirs", "who_updates"), [(PROTOCOL_VERSION + 1, "this side"), (0, "the client")])
def test_another_protocol_is_refused_naming_both_versions(theirs: int, who_updates: str):
    with pytest.raises(ArtifexError) as caught:
        check_version(theirs, who="client", release="9.9")
    sentence = str(caught.value)
    assert caught.value.code == "version"
    assert f"protocol {theirs}" in sentence
    assert f"protocol {PROTOCOL_VERSION}" in sentence
    assert f"updating {who_updates}" in sentence


def test_the_same_protocol_passes():
    check_version(PROTOCOL_VERSION, who="daemon", release="0.1.0")


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError, match="colour"):
        Request.model_validate({"v": 1, "id": "1", "op": "hello", "colour": "red"})


def test_work_is_told_apart_by_its_kind():
    graph = JobRequest.model_validate({"key": KEY, "work": {"kind": "graph", "document": {}}})
    fetch = JobRequest.model_validate({"key": KEY, "work": {"kind": "models.get", "model": "ti2v-5B"}})
    assert isinstance(graph.work, RenderGraph)
    assert isinstance(fetch.work, FetchModel)
    with pytest.raises(ValidationError):
        JobRequest.model_validate({"key": KEY, "work": {"kind": "mine.bitcoin"}})


def test_a_request_survives_the_wire():
    request = JobRequest.model_validate(
        {"key": KEY, "work": {"kind": "graph", "document": {"nodes": {}}, "frames": {"first": 1001, "last": 1017}}}
    )
    assert JobRequest.model_validate_json(request.model_dump_json()) == request


def test_a_range_that_runs_backwards_is_refused():
    with pytest.raises(ValidationError, match="comes before"):
        FrameRange(first=10, last=9)


def test_rates_are_exact():
    assert Rate(num=24000, den=1001).fraction() == Fraction(24000, 1001)


def test_an_error_has_the_three_parts():
    error = ArtifexError("open the plate", "the file is gone", "the backup")
    assert str(error) == "Attempted to open the plate. Failed because the file is gone. Try the backup."
    assert error.details()["remedy"] == "the backup"
