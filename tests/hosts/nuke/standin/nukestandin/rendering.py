"""`nuke.execute`: what stands above a Write, frame by frame, given to the engine as plain data."""

from . import callbacks, engine_line, knobs, nodes
from . import state as running


def execute(node, start, end, incr=1, views=None, continueOnError=False):
    """Render a Write. Raises RuntimeError as Nuke does, also where a render runs already."""
    if isinstance(node, str):
        node = running.state.root.node(node)
    if node._kind != "Write":
        raise RuntimeError(f"{node.name()} is not executable")
    if running.state.executing:
        raise RuntimeError("I'm already executing something else")
    running.state.executing = True
    try:
        with node._being_asked():
            callbacks.call("beforeRender", node)
        for frame in range(int(start), int(end) + 1, int(incr)):
            _one(node, frame)
            running.state.rendered.append((node.fullName(), frame))
        with node._being_asked():
            callbacks.call("afterRender", node)
    finally:
        running.state.executing = False


def _one(write, frame):
    before, running.state.frame = running.state.frame, frame
    try:
        if write.input(0) is None:
            raise RuntimeError(f"{write.name()}: Missing input")
        engine_line.ask(
            "write",
            tree=tree(write.input(0), frame),
            file=write["file"].evaluate(),
            frame=frame,
            exr=write["file_type"].value() == "exr",
            datatype=write["datatype"].value() if write.knob("datatype") is not None else "8 bit",
            channels=write["channels"].value(),
            raw=write["raw"].value(),
            colorspace=write["colorspace"].value(),
            working=working_space(),
            config=_config(),
            directories=write["create_directories"].value(),
        )
    finally:
        running.state.frame = before


def _config():
    from . import colour

    return colour.config()


def working_space():
    return running.state.root["workingSpaceLUT"].value()


def tree(node, frame):
    """A node with all that is above it, its knobs as they are at `frame`. Groups are opened, Dots walked through."""
    if node is None:
        return None
    if node._kind == "Input":
        index = node["number"].value()
        return tree(node._parent._inputs.get(index), frame)
    if isinstance(node, nodes.Group):
        if node["disable"].value():
            return tree(node._inputs.get(0), frame)
        inside = next((each for each in node._nodes if each._kind == "Output"), None)
        return None if inside is None else tree(inside._inputs.get(0), frame)
    if node._kind in ("Output", "Dot", "NoOp", "Write") or node["disable"].value():
        return tree(node._inputs.get(0), frame)
    if node._kind == "Switch":
        return tree(node._inputs.get(int(node["which"].valueAt(frame))), frame)
    if any(isinstance(knob, knobs.Array_Knob) and knob._broken() for knob in node._knobs.values()):
        raise RuntimeError(f"{node.name()}: an expression cannot be evaluated")
    size = node.format()
    return {
        "class": node._kind,
        "name": node.name(),
        "knobs": {name: _plain(knob, frame) for name, knob in node._knobs.items()},
        "size": [size.width(), size.height()],
        "inputs": [tree(node._inputs.get(index), frame) for index in range(node.inputs())],
    }


def _plain(knob, frame):
    if isinstance(knob, knobs.Format_Knob):
        return knob._value
    if isinstance(knob, knobs.Enumeration_Knob):
        return knob.value()
    if isinstance(knob, knobs.Array_Knob):
        return knob.valueAt(frame)
    return knob.evaluate() if isinstance(knob, knobs.File_Knob) else knob.value()
