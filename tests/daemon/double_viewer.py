"""The viewing process with the nodes beside this file."""

from __future__ import annotations

import sys

from artifexpro.core.graph.registry import Registry
from artifexpro.daemon.viewer import ready_library, serve


def registry() -> Registry:
    from double_nodes import NODES

    return Registry([*ready_library(), *NODES])


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], registry))
