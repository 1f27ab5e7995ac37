"""A process killed while it writes leaves no half file under the name, and nothing that piles up."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

from artifexpro.core.media.files import appearing, write_text


def _die_halfway(path: Path) -> None:
    with appearing(path) as part:
        part.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "clip.recipe.json"
    for _ in range(2):
        process = multiprocessing.get_context("fork").Process(target=_die_halfway, args=(path,))
        process.start()
        process.join()
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == 1
    write_text(path, "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.recipe.json"]
