"""Callbacks by kind: what `nuke.addOnCreate` and its kin keep, called with `thisNode` set."""

from . import state as running

_kept = {}
KINDS = (
    "onUserCreate",
    "onCreate",
    "onScriptLoad",
    "onScriptSave",
    "onScriptClose",
    "onDestroy",
    "knobChanged",
    "beforeRender",
    "afterRender",
)


def adder(kind):
    def add(call, args=(), kwargs=None, nodeClass="*"):
        _kept.setdefault(kind, []).append((call, args if isinstance(args, tuple) else (args,), kwargs or {}, nodeClass))

    return add


def remover(kind):
    def remove(call, args=(), kwargs=None, nodeClass="*"):
        entry = (call, args if isinstance(args, tuple) else (args,), kwargs or {}, nodeClass)
        _kept.setdefault(kind, []).remove(entry)

    return remove


def call(kind, node):
    """Call what is kept for this node's class."""
    for function, args, kwargs, node_class in list(_kept.get(kind, ())):
        if node_class in ("*", node._kind):
            function(*args, **kwargs)


def created(node):
    """A node is there, made by hand or read from a script."""
    running.state.nodes.append(node)
    try:
        if node._knobs["onCreate"].value():
            exec(node._knobs["onCreate"].value(), {"nuke": __import__("nuke")})
        call("onCreate", node)
    finally:
        running.state.nodes.pop()
