"""Keys that do not fit, protocols that do not match."""

from __future__ import annotations

import pytest
import zmq

from artifexpro.core.protocol import PROTOCOL_VERSION
from artifexpro.hosts.bridge import link, wire
from artifexpro.hosts.bridge.errors import BridgeError


def test_a_key_the_daemon_does_not_know(home, double, make_client):
    (home / "keys" / "clients" / "local.key").unlink()
    double.stop()
    double.start(double.endpoint)
    with pytest.raises(BridgeError, match="does not know this user's key") as caught:
        make_client().connect(start=False)
    assert caught.value.code == "key"
    assert double.heard == []


def test_something_else_that_answers_at_the_daemons_address(monkeypatch, double, make_client):
    monkeypatch.setattr("artifexpro.hosts.bridge.client._PATIENCE_SECONDS", 1.5)
    other, _ = zmq.curve_keypair()
    double.publish(public_key=other.decode())
    client = make_client()
    with pytest.raises(BridgeError) as caught:
        client.connect(start=False)
    assert caught.value.code == "other-daemon", caught.value
    assert double.endpoint in caught.value.sentence()
    assert double.heard == []


def test_a_damaged_key_file_is_named(home, double, make_client):
    (home / "keys" / "client.key_secret").write_text('curve\n    public-key = "short"\n    secret-key = "short"\n')
    with pytest.raises(BridgeError, match="it is damaged") as caught:
        make_client().connect(start=False, timeout=1.0)
    assert "client.key_secret" in caught.value.sentence()


def test_both_sides_speak_the_same_protocol_in_one_release():
    assert wire.PROTOCOL == PROTOCOL_VERSION


@pytest.mark.parametrize("theirs", [0, 2])
def test_a_daemon_of_another_protocol_is_named_with_this_side(double, make_client, theirs):
    double.says = {"v": theirs}
    double.publish(version="7.0.0", protocol=theirs)
    with pytest.raises(BridgeError) as caught:
        make_client().connect(start=False)
    sentence = caught.value.sentence()
    assert caught.value.code == "version"
    assert f"release 7.0.0 with protocol {theirs}" in sentence
    assert "release 1.2.3 with protocol 1" in sentence


def test_the_daemon_home_refuses_another_protocol_by_both_names(monkeypatch, daemon_home, make_client):
    client = make_client(home=daemon_home)
    monkeypatch.setattr(wire, "PROTOCOL", 2)
    with pytest.raises(BridgeError) as caught:
        client.request("daemon.status")
    assert caught.value.code == "version"
    assert "protocol 1" in caught.value.sentence() and "protocol 2" in caught.value.sentence()
    monkeypatch.undo()
    assert link.PROTOCOL == 1
    assert client.request("daemon.status")[0]["protocol"] == 1
