"""Where weights lie while a clip is made: on the card, in main memory, or on disk, a few layers at a time.

diffusers' group offload brings one block at a time to where it is computed. From main memory it does so on a stream of
its own, while the block before computes; each block is pinned as it leaves, because a pinned copy of the whole network
would double what it takes. Without a card the blocks wait on disk, in a folder of this network's own: diffusers names
the files by layer alone and trusts what it finds, so that two experts in one folder silently become one.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.levers import Levers, refusal
from artifexpro.core.wan22.quantised import bytes_held

if TYPE_CHECKING:
    from torch import device as Device


def check(levers: Levers, device: Device) -> None:
    """Refuse to offload where there is nowhere to offload from. Raises `ArtifexError` (code "settings")."""
    if levers.text_on_cpu and device.type == "cpu":
        raise refusal(
            "keep the text encoder on the processor",
            "there is no card, and everything is on the processor already",
            "leaving that out",
        )
    if levers.offload == "block" and device.type == "cpu" and levers.quantise != "none":
        raise refusal(
            f"keep {levers.quantise} weights on disk block by block",
            "blocks go to disk in their full number format only",
            "either of the two",
        )


def by_blocks(network: Any, device: Device) -> None:
    """Let `network`, which is in main memory, come to `device` one block at a time.

    Raises `ArtifexError` (code "disk") where a processor's blocks find no room on disk.
    """
    if device.type == "cuda":
        network.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=True,
            low_cpu_mem_usage=True,
        )
        return
    folder = tempfile.TemporaryDirectory(prefix="artifexpro-blocks-")
    _check_room(network, Path(folder.name))
    network.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="block_level",
        num_blocks_per_group=1,
        low_cpu_mem_usage=True,
        offload_to_disk_path=folder.name,
    )
    network.blocks_on_disk = folder


def _check_room(network: Any, folder: Path) -> None:
    needed, free = bytes_held(network), shutil.disk_usage(folder).free
    if needed > free:
        raise ArtifexError(
            f"keep the network's blocks on disk in {folder.parent}",
            f"they take {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            "freeing space there, or no offload",
            code="disk",
        )
