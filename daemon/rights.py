"""What each operation needs, and who has it. Refused unless allowed.

An operation that is not in `NEEDS` is refused to everybody, so a new one that forgets its right does nothing. Today
every known client is an owner with every right; roles for studios are rows of `ROLES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import Operation
from artifexpro.daemon.keys import User


class Right(StrEnum):
    """Each reads as "to ..." in a sentence."""

    CONNECT = "connect"
    SUBMIT = "submit jobs"
    READ_JOBS = "see jobs"
    CONTROL_JOBS = "cancel and retry jobs"
    PREVIEW = "preview graphs"
    READ_CATALOGUE = "see nodes and models"
    READ_DAEMON = "see the daemon's condition"
    STOP_DAEMON = "stop the daemon"


NEEDS: Mapping[Operation, Right] = {
    Operation.HELLO: Right.CONNECT,
    Operation.SUBMIT: Right.SUBMIT,
    Operation.ESTIMATE: Right.SUBMIT,
    Operation.LIST: Right.READ_JOBS,
    Operation.SHOW: Right.READ_JOBS,
    Operation.CANCEL: Right.CONTROL_JOBS,
    Operation.RETRY: Right.CONTROL_JOBS,
    Operation.REPRODUCE: Right.SUBMIT,
    Operation.WATCH: Right.READ_JOBS,
    Operation.PREVIEW_OPEN: Right.PREVIEW,
    Operation.PREVIEW_EDIT: Right.PREVIEW,
    Operation.PREVIEW_LOOK: Right.PREVIEW,
    Operation.PREVIEW_STATISTICS: Right.PREVIEW,
    Operation.PREVIEW_CLOSE: Right.PREVIEW,
    Operation.NODES: Right.READ_CATALOGUE,
    Operation.MODELS: Right.READ_CATALOGUE,
    Operation.PLAN: Right.READ_CATALOGUE,
    Operation.STATUS: Right.READ_DAEMON,
    Operation.DOCTOR: Right.READ_DAEMON,
    Operation.STOP: Right.STOP_DAEMON,
}

Roles = Mapping[str, frozenset[Right]]

ROLES: Roles = {"owner": frozenset(Right)}


def require(user: User | None, operation: Operation, roles: Roles = ROLES) -> User:
    """Pass, or raise `ArtifexError` (code "forbidden"). `user` None is a key that is not known any more."""
    if user is None:
        raise ArtifexError(
            f"use {operation}",
            "this client's key is not among those the daemon knows",
            "asking whoever runs the daemon to put your public key into its folder keys/clients",
            code="forbidden",
        )
    right = NEEDS.get(operation)
    if right is None or right not in roles.get(user.role, frozenset()):
        raise ArtifexError(
            f"use {operation}",
            f"{user.name} has no right to {right or 'do this'}",
            "asking whoever runs the daemon for that right",
            code="forbidden",
        )
    return user
