"""Publishes the messages as JSON Schema, for clients that are not written in Python or cannot have pydantic.

python -m artifexpro.core.protocol.schema            write docs/protocol.schema.json
python -m artifexpro.core.protocol.schema --check    exit status 1 where it is out of step with the messages
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

import artifexpro.core.protocol as package
from artifexpro.core.protocol.base import Message
from artifexpro.core.protocol.messages import PROTOCOL_VERSION, EventKind, Operation
from artifexpro.core.protocol.previews import PreviewEventKind

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "protocol.schema.json"


def messages() -> list[type[Message]]:
    """Every message class of this package, by name."""
    for module in iter_modules(package.__path__):
        if module.name != "schema":
            import_module(f"{package.__name__}.{module.name}")
    ours = (message for message in Message.__subclasses__() if message.__module__.startswith(package.__name__))
    return sorted(ours, key=lambda message: message.__name__)


def schema() -> dict[str, Any]:
    """One schema document; each message stands under `$defs` by its name, as a receiver must accept it."""
    _, document = models_json_schema([(message, "validation") for message in messages()])
    definitions = document["$defs"]
    for enumeration in (Operation, EventKind, PreviewEventKind):
        definitions[enumeration.__name__] = TypeAdapter(enumeration).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"ArtifexPro Studio protocol {PROTOCOL_VERSION}",
        "description": "A client sends Request and receives Reply and Event or PreviewEvent; the rest are bodies.",
        "version": PROTOCOL_VERSION,
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("Request", "Reply", "Event", "PreviewEvent")],
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return json.dumps(schema(), indent=2, sort_keys=False) + "\n"


def main() -> int:
    in_step = PUBLISHED.exists() and PUBLISHED.read_text(encoding="utf-8") == text()
    if "--check" in sys.argv[1:]:
        if not in_step:
            print(f"{PUBLISHED.name} is out of step with the messages. Try python -m artifexpro.core.protocol.schema.")
        return 0 if in_step else 1
    if not in_step:
        PUBLISHED.write_text(text(), encoding="utf-8")
        print(f"Written: {PUBLISHED.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
