"""The pure library: graph engine, nodes, media, Wan2.2, protocol. No sockets, no host API, no global state."""

from artifexpro.core.version import VERSION as __version__

__all__ = ["__version__"]
