"""The published S2V weights put into our layout: the same bytes under our names, a piece at a time.

Wan-AI/Wan2.2-S2V-14B has the network at its top level, in shards with the reference's names. Only the names in the
headers of the safetensors files change, so nothing is loaded and nothing is rounded; one piece of 16 MB is in memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.s2v import keys, layout
from artifexpro.core.wan22.weights import FileRecord, sha256_of

SHARDS = "diffusion_pytorch_model*.safetensors"
INDEX = "diffusion_pytorch_model.safetensors.index.json"
_PIECE = 1 << 24


def describe(folder: Path, model: ModelSpec) -> None:
    """Write what the published repository does not have: the network's configuration and `model_index.json`."""
    (folder / "transformer").mkdir(parents=True, exist_ok=True)
    _write_json(folder / "transformer" / "config.json", network_config(model))
    layout.write_index(folder)


def arrange(folder: Path, model: ModelSpec, hooks: Hooks) -> dict[str, FileRecord]:
    """Give the shards in `folder`/transformer our names and an index; returns what was written, by name.

    Tells `hooks.progress("convert", bytes, total)`. Raises `ArtifexError` (code "model") where a tensor has no place
    or a place no tensor.
    """
    place = folder / "transformer"
    places = _places(model)
    shards = sorted(place.glob(SHARDS))
    total, done = sum(shard.stat().st_size for shard in shards), 0
    found: dict[str, str] = {}
    for shard in shards:
        found |= dict.fromkeys(_renamed(shard, model, hooks, done, total), shard.name)
        done += shard.stat().st_size
    missing = sorted(places - found.keys())
    if missing:
        raise ArtifexError(
            f"convert the published weights of {model.name}",
            f"{len(missing)} of the network's tensors are not in them ({missing[0]})",
            "the weights of Wan-AI/Wan2.2-S2V-14B, whole",
            code="model",
        )
    _write_json(place / INDEX, {"metadata": {"total_size": total}, "weight_map": dict(sorted(found.items()))})
    written = [folder / "model_index.json", place / "config.json", place / INDEX, *shards]
    return {
        path.relative_to(folder).as_posix(): FileRecord(path.stat().st_size, sha256_of(path, hooks)) for path in written
    }


def network_config(model: ModelSpec) -> dict[str, Any]:
    """`config.json` of the network."""
    size = model.transformer
    return {
        "_class_name": layout.KIND,
        "num_layers": size.layers,
        "num_attention_heads": size.heads,
        "attention_head_dim": size.head_dim,
        "ffn_dim": size.ffn,
        "in_channels": size.in_channels,
        "out_channels": model.vae.channels,
        "text_dim": size.text_dim,
        "freq_dim": size.frequencies,
        "rope_max_seq_len": size.longest,
        **layout.network_config(model),
    }


def _places(model: ModelSpec) -> set[str]:
    """Names of all tensors that the network has."""
    with torch.device("meta"):
        network = layout.network(layout.KIND).from_config(network_config(model))
    return set(network.state_dict())


def _renamed(shard: Path, model: ModelSpec, hooks: Hooks, before: int, total: int) -> list[str]:
    """Our names of a shard's tensors, which it has from now on. Format: see `loading`."""
    with shard.open("rb") as source:
        length = int.from_bytes(source.read(8), "little")
        header: dict[str, Any] = json.loads(source.read(length))
        header.pop("__metadata__", None)
        named = {keys.ours(name, model.transformer.hearing): item for name, item in header.items()}
        text = json.dumps({"__metadata__": {"format": "pt"}, **named}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        partial = shard.with_name(shard.name + ".renamed")
        with partial.open("wb") as target:
            target.write(len(text).to_bytes(8, "little") + text)
            while piece := source.read(_PIECE):
                hooks.check()
                target.write(piece)
                hooks.progress("convert", before + source.tell(), total)
    partial.replace(shard)
    return list(named)


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")
