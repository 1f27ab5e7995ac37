"""A client that reads slowly gets every stored event, late, and holds up nobody."""

from __future__ import annotations

from pathlib import Path

from artifexpro.daemon.gate import Gate
from artifexpro.daemon.home import Home
from artifexpro.daemon.keys import KnownClients, make_keys

BULKY = "x" * 200_000


def test_a_full_line_says_so_instead_of_dropping(tmp_path, wire_at):
    """ROUTER without ROUTER_MANDATORY drops here, silently."""
    home = Home(tmp_path)
    gate = Gate(make_keys(home), KnownClients(home.clients), waiting_messages=5)
    endpoint = gate.bind("tcp://127.0.0.1:*")
    home.publish(endpoint, make_keys(home).public.decode(), serving=True)
    try:
        client = wire_at(tmp_path, hwm=1)
        client.send("hello")
        while (arrived := gate.receive()) is None:
            gate.socket.poll(1000)
        accepted = 0
        while gate.send(arrived.sender, [b'{"number": %d}' % accepted, b"x" * 200_000]):
            accepted += 1
            assert accepted < 1000, "nothing ever filled"
        received = [client.receive(5) for _ in range(accepted)]
        assert [said["number"] for said in received] == list(range(accepted))
        assert client.silent(0.1)
    finally:
        client.close()
        gate.close()


def test_every_stored_event_reaches_a_client_that_did_not_read(serve):
    daemon = serve(waiting_messages=5)
    sleeper = daemon.client(hwm=1)
    sleeper.ask("job.watch", {"after": 0})
    busy = daemon.client()
    jobs = [busy.submit(text=BULKY) for _ in range(60)]
    busy.wait_for(jobs[-1], "finished")
    peers = [peer for peer in daemon.server._peers.values() if peer.watched is None]
    behind = busy.ask("job.watch", {"after": 10**9, "jobs": []})["head"] - peers[0].position
    assert behind > 0, "the line never filled, so this test shows nothing"
    sleeper.wait_for(jobs[-1], "finished")
    numbers = [event["seq"] for event in sleeper.events if event["seq"]]
    assert numbers == list(range(1, 3 * len(jobs) + 1))


def test_progress_waits_as_its_latest_only(serve):
    daemon = serve(waiting_messages=5)
    sleeper = daemon.client(hwm=1)
    sleeper.ask("job.watch", {"after": 0})
    busy = daemon.client()
    for _ in range(40):
        last = busy.submit(text=BULKY)
    busy.wait_for(last, "finished")
    job = busy.submit(steps=30, seconds=0.06)
    busy.wait_for(job, "finished")
    told = [event for event in busy.events if event["job"] == job and event["event"] == "progress"]
    sleeper.wait_for(job, "finished")
    heard = [event for event in sleeper.events if event["job"] == job and event["event"] == "progress"]
    assert len(told) > 10 and len(heard) <= 1, "a finished job's old progress is of no use"


def test_a_client_that_reads_no_replies_is_not_kept_in_memory(serve):
    daemon = serve(waiting_messages=5)
    rude = daemon.client(hwm=1)
    for _ in range(3000):
        rude.send("catalogue.nothing" + "x" * 5000)
    polite = daemon.client()
    polite.ask("daemon.status")
    waiting = [len(peer._replies) for peer in daemon.server._peers.values()]
    assert max(waiting) <= 1000
    polite.ask("daemon.status")


def test_a_departed_client_is_forgotten(daemon):
    staying = daemon.client()
    leaving = daemon.client()
    leaving.submit(steps=5, seconds=0.02)
    assert staying.ask("daemon.status")["connections"] == 2
    leaving.socket.close(0)
    for _ in range(100):
        if staying.ask("daemon.status")["connections"] == 1:
            return
    raise AssertionError("it is still remembered")


def test_a_preview_comes_as_pixels_or_as_a_token(serve, tmp_path):
    worker = Path(__file__).with_name("double_worker.py")
    assert worker.exists()
    daemon = serve()
    near, far = daemon.client(), daemon.client()
    near.ask("hello", {"shared_memory": True})
    far.ask("job.watch", {"after": 0})
    job = near.submit(picture=[6, 4], steps=3, seconds=0.25)
    token = near.wait_for(job, "preview")
    pixels = far.wait_for(job, "preview")
    assert token["body"]["frame"]["segment"] and not token["parts"]
    frame = pixels["body"]["frame"]
    assert frame["segment"] is None and frame["part"] == 0 and frame["dtype"] == "uint8"
    assert (frame["width"], frame["height"]) == (6, 4)
    assert len(pixels["parts"][frame["part"]]) == 6 * 4 * 4
    assert pixels["parts"][0][:4] == bytes((255, 128, 0, 255))
    near.wait_for(job, "finished")
