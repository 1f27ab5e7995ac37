"""Where the daemon is looked for: the same place where it keeps itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from artifexpro.daemon import gate
from artifexpro.daemon.home import default_home
from artifexpro.hosts.bridge import wire
from artifexpro.hosts.bridge.home import Home, data_folder


@pytest.mark.parametrize("xdg", ["", "  ", "data", "~/data", "/data"])
def test_the_folder_is_the_one_platformdirs_names(monkeypatch, xdg):
    monkeypatch.setenv("XDG_DATA_HOME", xdg)
    environ = {"XDG_DATA_HOME": xdg, "LOCALAPPDATA": str(Path.home() / "AppData" / "Local")}
    monkeypatch.setenv("LOCALAPPDATA", environ["LOCALAPPDATA"])
    for system, kind in (("linux", Unix), ("darwin", MacOS)):
        assert str(data_folder(system, environ, Path.home())) == kind("artifexpro", appauthor=False).user_data_dir


def test_windows_keeps_it_with_local_application_data():
    environ = {"LOCALAPPDATA": "/users/ada/AppData/Local"}
    assert data_folder("win32", environ, Path("/users/ada")).as_posix() == "/users/ada/AppData/Local/artifexpro"
    assert data_folder("win32", {}, Path("/users/ada")).as_posix() == "/users/ada/AppData/Local/artifexpro"
    assert Windows("artifexpro", appauthor=False)._append_parts("base").endswith("artifexpro")


def test_hosts_and_daemon_mean_the_same_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ARTIFEXPRO_HOME", str(tmp_path / "stated"))
    assert Home.find().root == default_home() == tmp_path / "stated"
    monkeypatch.delenv("ARTIFEXPRO_HOME")
    assert Home.find().root == default_home()
    assert Home.find(tmp_path).root == tmp_path


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:1", "ipc:///x", "tcp://10.0.0.1:1", "tcp://*:1"]
)
def test_both_sides_agree_on_what_is_this_machine(endpoint):
    assert wire.is_local(endpoint) == gate.local(endpoint)
