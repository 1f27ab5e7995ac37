"""The texts are written and read alike on the Python of each host."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from artifexpro.hosts.nuke import gizmos
from artifexpro.hosts.resolve import macros
from tests.hosts.native.documents import GROUPED, SHOT
from tests.hosts.pythons import TREE

THERE = """
import json, sys
from hosts.nuke import gizmos
from hosts.resolve import macros
told = json.load(open(sys.argv[1]))
texts = []
for document in told["documents"]:
    script, setting = gizmos.script(document, told["catalogue"]), macros.setting(document, told["catalogue"])
    assert gizmos.document(script) == macros.document(setting) == document
    texts += [script, setting]
json.dump(texts, open(sys.argv[2], "w"))
"""


def test_texts_are_the_same_on_every_python(host_python: Path, catalogue: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text(json.dumps({"documents": [SHOT, GROUPED], "catalogue": catalogue}))
    done = subprocess.run(
        [str(host_python), "-c", THERE, "told.json", "texts.json"],
        env={**os.environ, "PYTHONPATH": str(TREE), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here = [write(told, catalogue) for told in (SHOT, GROUPED) for write in (gizmos.script, macros.setting)]
    assert json.loads((tmp_path / "texts.json").read_text()) == here
