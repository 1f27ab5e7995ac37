"""What is loaded at start, seen from a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "import sys, {module}; print(' '.join(sys.modules))"


def loaded_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["artifexpro.hosts.bridge", "artifexpro.hosts.terminal.main"])
def test_hosts_start_without_the_engine(module):
    assert loaded_by(module).isdisjoint({"torch", "pydantic", "numpy", "artifexpro.core", "artifexpro.daemon"})


@pytest.mark.parametrize("module", ["artifexpro.daemon.server", "artifexpro.core.nodes", "artifexpro.core.protocol"])
def test_the_daemon_and_the_catalogue_load_no_pixels(module):
    assert loaded_by(module).isdisjoint({"torch", "diffusers", "transformers", "cv2", "av", "OpenImageIO"})
