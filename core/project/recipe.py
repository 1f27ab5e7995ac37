"""The recipe: everything that decides what a job's pictures look like, and nothing else.

It goes into EXR headers, sidecars and the host's own clip data. Because job ids, dates and folders are not in it,
the same work makes the same bytes, and `jobs reproduce` can compare them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from artifexpro.core.graph.compile import Plan
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.project.sinks import wanted
from artifexpro.core.protocol import JobRequest
from artifexpro.core.version import VERSION

RECIPE_VERSION = 1
_STATED = (
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "safetensors",
    "peft",
    "torchao",
    "ftfy",
    "numpy",
    "opencv-python-headless",
    "OpenImageIO",
    "opencolorio",
    "av",
)
"""Packages that decide pixels: text, networks, after-work, files."""


def make_recipe(request: JobRequest, document: Document, plan: Plan) -> dict[str, Any]:
    """The recipe of one graph job.

    `nodes` has what each node that a sink takes adds by `provenance`: models with their hashes, resolved settings,
    hashes of inputs. Raises `NodeError`.
    """
    provenance: dict[str, dict[str, Any]] = {}
    for step in (plan.steps[at] for at in wanted(plan)):
        try:
            provenance[step.document_node] = dict(step.node.provenance(plan.models))
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"say what node {step.name} works with") from error
    return {
        "recipe": RECIPE_VERSION,
        "graph": document.to_json(),
        "nodes": {name: facts for name, facts in provenance.items() if facts},
        "color": request.color.model_dump(mode="json"),
        "versions": versions(_STATED),
    }


def versions(packages: Iterable[str] = _STATED) -> dict[str, str]:
    """Releases of this project, Python and the packages that decide pixels."""
    return {"artifexpro": VERSION, "python": platform.python_version(), **{name: version(name) for name in packages}}
