"""Nothing is allowed that is not declared."""

from __future__ import annotations

import pytest

from artifexpro.core.protocol import Operation
from artifexpro.daemon import rights
from artifexpro.daemon.operations import TABLE
from artifexpro.daemon.rights import NEEDS, ROLES, Right


def test_every_operation_declares_its_right_and_has_an_answer():
    assert set(NEEDS) == set(Operation) == set(TABLE)


@pytest.mark.parametrize("operation", list(Operation))
def test_every_operation_is_refused_without_its_right(serve, operation):
    without = frozenset(Right) - {NEEDS[operation]}
    daemon = serve(roles={"owner": without})
    wire = daemon.client()
    before = sorted(daemon.root.rglob("*"))
    error = wire.refused(operation.value, {"anything": 1})
    assert error["code"] == "forbidden" and NEEDS[operation].value in error["because"]
    assert daemon.client().refused("nothing.such")["code"] == "unknown-operation", "the daemon still serves"
    assert sorted(daemon.root.rglob("*")) == before


def test_an_operation_that_forgot_its_right_is_refused_to_everybody(daemon, monkeypatch):
    monkeypatch.setattr(rights, "NEEDS", {op: right for op, right in NEEDS.items() if op is not Operation.LIST})
    wire = daemon.client()
    assert wire.refused("job.list")["code"] == "forbidden"
    wire.ask("daemon.status")


def test_a_role_nobody_wrote_down_has_no_rights(serve):
    assert serve(roles={}).client().refused("hello")["code"] == "forbidden"


def test_owners_have_every_right():
    assert ROLES["owner"] == frozenset(Right)
