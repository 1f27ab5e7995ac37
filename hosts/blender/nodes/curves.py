# mypy: ignore-errors
"""Curves of a graph document as F-curves, which they are: the engine has Blender's interpolations and easings.

Blender rounds to 32 bits; a key that still looks as it was drawn stays as the document says it.
"""

import bpy

from ...bridge.motion import drawn

_SHAPE = {"back": 1.70158, "amplitude": 0.8, "period": 4.1}
"""What a key has that does not say it, as in the engine; a test holds them equal."""
_DIRECTIONS = ("", "in", "out", "in_out")
_EASE_OUT = ("BACK", "BOUNCE", "ELASTIC")


def found(tree, node, handle):
    """The F-curve of a node's property, or None."""
    animated = tree.animation_data
    if animated is None or animated.action is None:
        return None
    path = node.path_from_id(handle)
    return next((curve for curve in _all(animated) if curve.data_path == path), None)


def driven(tree, node, handle):
    """Whether an expression moves a node's property."""
    animated = tree.animation_data
    path = node.path_from_id(handle)
    return animated is not None and any(driver.data_path == path for driver in animated.drivers)


def draw(tree, node, handle, value):
    """Draw a document's curve. Returns False where Blender cannot, and the record keeps it."""
    if drawn(value) is None:
        return False
    told = value["curve"]
    keys = sorted(told["keys"], key=lambda key: float(key["frame"]))
    eases = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items
    parted = [key.get("ease", "linear").partition("_") for key in keys]
    if any(kind.upper() not in eases or direction not in _DIRECTIONS for kind, _, direction in parted):
        return False
    node.keyframe_insert(handle, frame=float(keys[0]["frame"]))
    curve = found(tree, node, handle)
    curve.keyframe_points.clear()
    curve.keyframe_points.add(len(keys))
    for number, point in enumerate(curve.keyframe_points):
        earlier, later = keys[max(0, number - 1)], keys[min(number + 1, len(keys) - 1)]
        _draw_key(point, keys[number], earlier["frame"], later["frame"])
    outside = [told.get(side, "hold") for side in ("before", "after")]
    curve.extrapolation = "LINEAR" if outside == ["linear", "linear"] else "CONSTANT"
    if "cycle" in outside:
        cycles = curve.modifiers.new("CYCLES")
        cycles.mode_before, cycles.mode_after = ("REPEAT" if side == "cycle" else "NONE" for side in outside)
    return True


def read(curve):
    """An F-curve as plain data: its keys as a document has them, and how it goes on before and after them."""
    outside = ["linear" if curve.extrapolation == "LINEAR" else "hold"] * 2
    for modifier in curve.modifiers:
        if modifier.type == "CYCLES" and not modifier.mute:
            modes = (modifier.mode_before, modifier.mode_after)
            outside = [side if mode == "NONE" else "cycle" for side, mode in zip(outside, modes, strict=True)]
    return {"keys": [_read_key(point) for point in curve.keyframe_points], "outside": outside}


def edited(before, seen, now):
    """The document's curve after what was `seen` of `before` became `now`."""
    whole = isinstance(seen, dict) and drawn(before) is not None
    kept = dict(before["curve"]) if whole else {}
    records = sorted(kept.get("keys", ()), key=lambda key: float(key["frame"]))
    known = list(zip(seen["keys"], records, strict=True)) if whole else []
    kept["keys"] = [next((record for was, record in known if was == key), key) for key in now["keys"]]
    if not whole or now["outside"] != seen["outside"]:
        for side, how in zip(("before", "after"), now["outside"], strict=True):
            kept.pop(side, None)
            if how != "hold":
                kept[side] = how
    return {"curve": kept}


def _draw_key(point, key, earlier, later):
    """A handle that is not given is flat and reaches a third of the way to the neighbour, as in the engine."""
    kind, _, direction = key.get("ease", "linear").partition("_")
    point.co = (key["frame"], key["value"])
    point.interpolation = kind.upper()
    if direction:
        point.easing = f"EASE_{direction.upper()}"
    point.handle_left_type = point.handle_right_type = "FREE"
    for side, neighbour in (("left", earlier), ("right", later)):
        reach = key.get(side) or ((neighbour - key["frame"]) / 3, 0.0)
        setattr(point, f"handle_{side}", (key["frame"] + reach[0], key["value"] + reach[1]))
    for name, usual in _SHAPE.items():
        setattr(point, name, key.get(name, usual))


def _read_key(point):
    frame, value = point.co
    kind = point.interpolation
    key = {"frame": frame, "value": value}
    if kind in ("CONSTANT", "BEZIER"):
        key["ease"] = kind.lower()
    elif kind != "LINEAR":
        easing = point.easing if point.easing != "AUTO" else "EASE_OUT" if kind in _EASE_OUT else "EASE_IN"
        key["ease"] = f"{kind.lower()}_{easing[len('EASE_') :].lower()}"
        key.update({name: getattr(point, name) for name in _SHAPE})
    for side in ("left", "right"):
        at = getattr(point, f"handle_{side}")
        key[side] = [at[0] - frame, at[1] - value]
    return key


def _all(animated):
    action = animated.action
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    bags = (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags)
    return [curve for bag in bags if bag.slot == animated.action_slot for curve in bag.fcurves]
