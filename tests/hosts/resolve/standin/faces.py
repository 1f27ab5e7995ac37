"""What scripts hold in their hands: objects that have the API's names and no other, and check every call.

A face knows its host and one piece of state. Resolve makes new objects for each answer, and so does the stand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from tests.hosts.resolve.standin.api import api

if TYPE_CHECKING:
    from tests.hosts.resolve.standin.host import StandIn


class Refused(Exception):
    """The script did what the real program would not do, or would do silently wrong. No `AttributeError`: `hasattr`,
    which is always true in Resolve, must not look as if it worked here."""


class UnknownName(Refused):
    """The API has no such name."""


class WrongCall(Refused):
    """The API has the method, and it takes other values."""


class NotModelled(Refused):
    """The API has the method and the stand-in does not know what it does."""


class Face:
    """Base of all that scripts see. A subclass is named after the class of the API that it is."""

    _kind = ""

    def __init_subclass__(cls) -> None:
        cls._kind = cls.__name__
        for name, member in list(vars(cls).items()):
            if callable(member) and name[0].isupper():
                if name not in api()[cls._kind]:
                    raise TypeError(f"Resolve's API has no {cls._kind}.{name}")
                setattr(cls, name, _checked(cls._kind, name, member))

    def __init__(self, host: StandIn, state: Any = None) -> None:
        self._host = host
        self._state = state

    def __getattribute__(self, name: str) -> Any:
        if name[0] != "_" and name in api()[type(self)._kind] and object.__getattribute__(self, "_host").gone:
            return None
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = type(self)._kind
        if name not in api()[kind]:
            raise UnknownName(f"Resolve's API has no {kind}.{name}")

        def unknown(*values: Any) -> None:
            _check_arity(kind, name, values)
            raise NotModelled(f"the stand-in does not know what {kind}.{name} does")

        return unknown

    def __dir__(self) -> list[str]:
        return sorted(api()[type(self)._kind])


def _checked(kind: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Face, *values: Any) -> Any:
        _check_arity(kind, name, values)
        self._host.calls.append((f"{kind}.{name}", values))
        if self._host.modal:
            return None
        return method(self, *values)

    return call


def _check_arity(kind: str, name: str, values: tuple[Any, ...]) -> None:
    if not any(way.takes(len(values)) for way in api()[kind][name]):
        ways = " or ".join(f"{way.least} to {way.most}" for way in api()[kind][name])
        raise WrongCall(f"{kind}.{name} takes {ways} values, not {len(values)}")
