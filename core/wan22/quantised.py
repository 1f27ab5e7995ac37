"""Matrices of the networks in 8 bits: half the memory of bfloat16, for a difference that a test bounds.

torchao keeps each row of a matrix as int8 or float8 (e4m3) with a scale of its own, and multiplies in the network's
number format. Only the matrices inside the blocks are stored so: patch and time embeddings, norms and the last layer
are a thousandth of the weights and carry most of the damage. diffusers quantises each tensor as it is read, so that
the full network is never in memory, and writes and reads the result as ordinary safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artifexpro.core.wan22.levers import Quantise, refusal
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.s2v import layout

KEPT = ("patch_embedding", "condition_embedder", "proj_out", "norm", "scale_shift_table")
"""Parts of a network that stay in its number format."""
_KINDS: Mapping[str, str] = {"Int8WeightOnlyConfig": "int8", "Float8WeightOnlyConfig": "fp8"}


def config(kind: Quantise) -> Any:
    """What `from_pretrained(quantization_config=...)` takes to store matrices as `kind`; None for "none"."""
    if kind == "none":
        return None
    from diffusers import TorchAoConfig
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig

    chosen = Int8WeightOnlyConfig() if kind == "int8" else Float8WeightOnlyConfig()
    return TorchAoConfig(chosen, modules_to_not_convert=list(KEPT))


def stored(folder: Path) -> Quantise:
    """How the network saved in `folder` is stored. Raises `ArtifexError` for 8 bit formats that are not ours."""
    data = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("quantization_config")
    if data is None:
        return "none"
    kind = _KINDS.get(str(data.get("quant_type", {}).get("default", {}).get("_type", "")))
    if kind not in ("int8", "fp8"):
        raise refusal(
            f"load {folder}",
            f"its weights are quantised as {data.get('quant_method', 'something unknown')}, which is not supported",
            "weights in bfloat16, or quantised by `artifexpro models convert`",
        )
    return "int8" if kind == "int8" else "fp8"


def check(kind: Quantise, folder: Path) -> None:
    """Refuse to store as `kind` what lies in `folder` in the other 8 bit format. Raises `ArtifexError`."""
    found = stored(folder)
    if kind != "none" and found not in ("none", kind):
        raise refusal(
            f"store {folder.name} as {kind}",
            f"its weights on disk are {found} already, and quantising twice adds both errors",
            f"{found}, or the weights in bfloat16",
        )


def save(source: Path, target: Path, kind: Quantise, dtype: Any) -> None:
    """Write the network in the folder `source` to `target` with its matrices as `kind` and the rest as `dtype`.

    What is written loads like any other: `stored` tells what it is. Holds one quantised network in memory.
    """
    named = json.loads((source / "config.json").read_text(encoding="utf-8"))["_class_name"]
    with quiet():
        network: Any = layout.network(named).from_pretrained(
            str(source), local_files_only=True, torch_dtype=dtype, quantization_config=config(kind)
        )
        network.save_pretrained(str(target))


def is_quantised(network: Any) -> bool:
    return any(hasattr(parameter, "qdata") for parameter in network.parameters())


def bytes_held(network: Any) -> int:
    """Bytes of all parameters as they are stored, scales included."""
    return sum(_bytes(parameter) for parameter in network.parameters())


def _bytes(parameter: Any) -> int:
    parts = [getattr(parameter, name) for name in ("qdata", "scale") if hasattr(parameter, name)] or [parameter]
    return sum(part.numel() * part.element_size() for part in parts)
