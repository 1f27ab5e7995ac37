"""Who gets in, and who gets whose messages."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
import zmq
from zmq import auth


def new_client(daemon, name):
    """A key pair whose public half the daemon knows as `name`."""
    public, secret = zmq.curve_keypair()
    text = f'curve\n    public-key = "{public.decode()}"\n'
    (daemon.root / "keys" / "clients" / f"{name}.key").write_text(text)
    return public, secret


def test_a_known_key_is_answered_by_name(daemon):
    anna = daemon.client(keys=new_client(daemon, "anna"))
    assert anna.ask("hello", {"client": {"name": "test"}})["user"] == "anna"
    assert daemon.client().ask("hello")["user"] == "local"


@pytest.mark.parametrize("endpoint", ["tcp", "ipc"])
def test_an_unknown_key_gets_nothing(serve, tmp_path, endpoint):
    daemon = serve(endpoint=f"ipc://{tmp_path}/d" if endpoint == "ipc" else None)
    stranger = daemon.client(keys=zmq.curve_keypair())
    stranger.send("hello")
    assert stranger.silent()
    assert daemon.client().ask("daemon.status")["connections"] == 1


def test_a_client_without_encryption_gets_nothing(daemon):
    plain = daemon.client(plain=True)
    plain.send("hello")
    assert plain.silent()
    assert daemon.client().ask("daemon.status")["connections"] == 1


def test_a_client_that_expects_another_daemon_tells_this_one_nothing(daemon):
    public, _ = zmq.curve_keypair()
    deceived = daemon.client(server_key=public)
    deceived.send("job.submit", {"secret": "prompt"})
    assert deceived.silent()
    assert daemon.client().ask("daemon.status")["connections"] == 1


def test_revocation_takes_effect_on_the_next_message_of_an_open_connection(daemon):
    anna = daemon.client(keys=new_client(daemon, "anna"))
    job = anna.submit(steps=40, seconds=0.05)
    anna.wait_for(job, "progress")
    (daemon.root / "keys" / "clients" / "anna.key").unlink()
    error = anna.refused("job.list")
    assert error["code"] == "forbidden" and "key" in error["because"]
    heard = len(anna.events)
    other = daemon.client()
    other.ask("job.watch", {"jobs": [job]})
    other.wait_for(job, "finished")
    while (said := anna.receive(0.3)) is not None:
        assert said["event"] == "progress" and len(anna.events) <= heard + 1, f"after revocation came {said}"
    assert anna.refused("job.submit", {"key": "k" * 8})["code"] == "forbidden"


def test_a_key_marked_as_revoked_by_renaming_is_revoked(daemon):
    anna = daemon.client(keys=new_client(daemon, "anna"))
    anna.ask("job.list")
    file = daemon.root / "keys" / "clients" / "anna.key"
    file.rename(file.with_suffix(".revoked"))
    assert anna.refused("job.list")["code"] == "forbidden"
    file.with_suffix(".revoked").rename(file)
    anna.ask("job.list")


def test_a_revoked_key_cannot_connect_again(daemon):
    keys = new_client(daemon, "anna")
    daemon.client(keys=keys).ask("hello")
    (daemon.root / "keys" / "clients" / "anna.key").unlink()
    again = daemon.client(keys=keys)
    again.send("hello")
    assert again.silent()


def test_a_damaged_file_among_the_keys_shuts_nobody_out(daemon):
    (daemon.root / "keys" / "clients" / "broken.key").write_bytes(b"\xff\x00 no key")
    assert daemon.client().ask("hello")["user"] == "local"


def test_an_impostor_with_a_connected_clients_routing_id_hears_nothing(daemon):
    alice = daemon.client(keys=new_client(daemon, "alice"), routing=b"alice")
    job = alice.submit(steps=10, seconds=0.05)
    impostor = daemon.client(keys=new_client(daemon, "mallory"), routing=b"alice")
    impostor.send("hello")
    alice.wait_for(job, "finished")
    assert impostor.silent(0.2)


def test_an_impostor_who_waits_for_a_routing_id_to_be_free_inherits_nothing(daemon):
    """What was meant for the client that left must not reach the one that took its place."""
    mallory = new_client(daemon, "mallory")
    watcher = daemon.client()
    for _ in range(10):
        alice = daemon.client(keys=new_client(daemon, "alice"), routing=b"alice")
        job = alice.submit(steps=6, seconds=0.02)
        alice.wait_for(job, "started")
        impostor = daemon.client(keys=mallory, routing=b"alice")
        alice.socket.close(0)
        names = []
        until = time.monotonic() + 0.25
        while time.monotonic() < until:
            names.append(impostor.send("hello"))
            said = impostor.receive(0.002)
            assert said is None or said.get("id") in names, f"the impostor heard {said}"
        watcher.ask("job.watch", {"jobs": [job]})
        watcher.wait_for(job, "finished")
        while (said := impostor.receive(0.02)) is not None:
            assert said.get("id") in names, f"the impostor heard {said}"
        impostor.socket.close(0)
        while watcher.ask("daemon.status")["connections"] > 1:
            time.sleep(0.01)


def test_two_clients_with_one_key_hear_their_own_jobs(daemon):
    first, second = daemon.client(), daemon.client()
    mine = first.submit()
    theirs = second.submit()
    first.wait_for(mine, "finished")
    second.wait_for(theirs, "finished")
    assert {event["job"] for event in first.events} == {mine}
    assert {event["job"] for event in second.events} == {theirs}


def test_secrets_are_for_their_user_only(daemon):
    secrets = list((daemon.root / "keys").glob("*.key_secret"))
    assert {file.name for file in secrets} == {"daemon.key_secret", "client.key_secret"}
    for file in secrets:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((daemon.root / "keys").stat().st_mode) == 0o700


def test_keys_are_made_once(serve, tmp_path):
    serve()
    before = (tmp_path / "home" / "keys" / "daemon.key_secret").read_bytes()
    public = auth.load_certificate(tmp_path / "home" / "keys" / "daemon.key_secret")[0]
    other = tmp_path / "copy"
    (tmp_path / "home" / "keys").rename(tmp_path / "kept")
    other.mkdir()
    (tmp_path / "kept").rename(other / "keys")
    daemon = serve(root=other)
    assert Path(daemon.root / "keys" / "daemon.key_secret").read_bytes() == before
    assert daemon.client(server_key=public).ask("hello")["user"] == "local"
