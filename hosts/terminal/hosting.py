"""Putting ArtifexPro into other programs, through their installers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from artifexpro.hosts.terminal.output import Failed, document, lines


def install(program: str, into: Path | None, dry_run: bool, *, as_json: bool) -> None:
    _do(program, "install", into, dry_run, as_json=as_json)


def uninstall(program: str, into: Path | None, dry_run: bool, *, as_json: bool) -> None:
    _do(program, "uninstall", into, dry_run, as_json=as_json)


def doctor(program: str, into: Path | None, dry_run: bool, *, as_json: bool) -> None:
    """Status 1 where something is not in order."""
    found = _call(program, "doctor", into, dry_run)
    if as_json:
        document(found)
    else:
        for each in found:
            remedy = "" if each["ok"] else f" Try: {each['remedy']}."
            lines([f"{'ok     ' if each['ok'] else 'MISSING'}  {each['name']}: {each['said']}{remedy}"])
    if not all(each["ok"] for each in found):
        raise Failed(f"ArtifexPro is not in order in {program.capitalize()}.")


def _do(program: str, what: str, into: Path | None, dry_run: bool, *, as_json: bool) -> None:
    said = _call(program, what, into, dry_run)
    if as_json:
        document({"program": program, "dry_run": dry_run, "said": said})
    else:
        lines(said)


def _call(program: str, what: str, into: Path | None, dry_run: bool) -> list[Any]:
    installer = import_module(f"artifexpro.installers.{program}")
    try:
        done: list[Any] = getattr(installer, what)(into=into, dry_run=dry_run)
    except Exception as error:
        if hasattr(error, "because"):
            raise Failed(str(error)) from error
        raise
    return done
