"""The strictness all messages share: unknown fields are refused, values never change after validation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of everything on the wire. Unknown fields are an error: a setting acts or is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
