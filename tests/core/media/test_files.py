"""Files appear whole or not at all, and a refusal says which file and what to do."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.files import appearing, check_readable, identity, sha256, write_text


def test_a_file_appears_whole(tmp_path: Path) -> None:
    place = tmp_path / "new" / "folder" / "clip.mp4"
    with appearing(place) as part:
        part.write_bytes(b"half")
        assert not place.exists()
        assert part.suffix == ".mp4"
    assert place.read_bytes() == b"half"
    assert [entry.name for entry in place.parent.iterdir()] == ["clip.mp4"]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "frame.exr"
    place.write_bytes(b"older")
    with pytest.raises(KeyError), appearing(place) as part:
        part.write_bytes(b"newer")
        raise KeyError
    assert place.read_bytes() == b"older"
    assert [entry.name for entry in tmp_path.iterdir()] == ["frame.exr"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ArtifexError, match=r"Failed because the disk is full\. Try freeing space") as refusal:
        write_text(tmp_path / "clip.recipe.json", "{}")
    assert refusal.value.code == "disk"
    assert str(tmp_path / "clip.recipe.json") in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "shots").write_text("not a folder")
    with pytest.raises(ArtifexError, match="part of its path is a file"):
        write_text(tmp_path / "shots" / "edit.otio", "{}")


FULL_DISK = """
    import sys
    from fractions import Fraction
    from pathlib import Path

    import torch

    from artifexpro.core.errors import ArtifexError
    from artifexpro.core.media.files import appearing
    from artifexpro.core.media.movie import MovieWriter
    from artifexpro.core.media.still import Header, write

    noise = torch.rand(1, 4, 480, 640).contiguous(memory_format=torch.channels_last)
    folder = Path(sys.argv[1])
    for name in ("frame.exr", "frame.png", "clip.mp4", "clip.mkv", "clip.mov"):
        place = folder / name
        try:
            with appearing(place) as part:
                if place.suffix in (".exr", ".png"):
                    write(part, noise, {".exr": "exr", ".png": "png16"}[place.suffix], Header())
                else:
                    codec = {".mp4": "h264", ".mkv": "ffv1", ".mov": "prores4444"}[place.suffix]
                    with MovieWriter(part, codec, Fraction(24), (640, 480), crf=0) as movie:
                        for _ in range(3):
                            movie.add(noise)
            print(name, "was written")
        except ArtifexError as error:
            print(name, error.code, "full" if "the disk is full" in str(error) else str(error))
        assert not list(folder.iterdir()), list(folder.iterdir())
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a small disk of its own, by unshare")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A file system of 300 kB, seen by one process only."""
    mount = f'mount -t tmpfs -o size=300k none "{tmp_path}" && exec "$@"'
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*private, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system gives no private file systems")
    script = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)]
    run = subprocess.run([*private, *script], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    expected = ["frame.exr", "frame.png", "clip.mp4", "clip.mkv", "clip.mov"]
    assert run.stdout.splitlines() == [f"{name} disk full" for name in expected]


def test_what_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="there is no such file"):
        check_readable(tmp_path / "missing.mov")
    with pytest.raises(ArtifexError, match="it is a folder"):
        check_readable(tmp_path)
    with pytest.raises(ArtifexError, match="the whole path"):
        check_readable(Path("plate.mov"))


def test_identity_changes_when_the_file_is_written_again(tmp_path: Path) -> None:
    place = tmp_path / "plate.exr"
    write_text(place, "one")
    before = identity(place)
    assert identity(place) == before
    write_text(place, "two!")
    assert identity(place) != before
    assert sha256(place) == hashlib.sha256(b"two!").hexdigest()
