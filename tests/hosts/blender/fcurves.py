"""Runs inside Blender's Python: builds F-curves as told and samples them. Imports nothing of the project."""

import json
import sys

import bpy


def sample(told: dict) -> list:
    action = bpy.data.actions.new("curve")
    if hasattr(action, "fcurves"):
        curve = action.fcurves.new("value")
    else:
        layer = action.layers.new("layer")
        slot = action.slots.new(id_type="OBJECT", name="slot")
        bag = layer.strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
        curve = bag.fcurves.new("value")
    curve.extrapolation = "LINEAR" if told["outside"] == "linear" else "CONSTANT"
    curve.keyframe_points.add(len(told["keys"]))
    for point, key in zip(curve.keyframe_points, told["keys"], strict=True):
        kind, _, direction = key["ease"].partition("_")
        point.interpolation = kind.upper()
        point.co = (key["frame"], key["value"])
        point.handle_left_type = point.handle_right_type = "FREE"
        point.handle_left = [key["frame"] + key["left"][0], key["value"] + key["left"][1]]
        point.handle_right = [key["frame"] + key["right"][0], key["value"] + key["right"][1]]
        if direction:
            point.easing = "EASE_" + direction.upper()
        point.back, point.amplitude, point.period = key["back"], key["amplitude"], key["period"]
    if told["outside"] == "cycle":
        curve.modifiers.new("CYCLES")
    return [curve.evaluate(frame) for frame in told["frames"]]


wanted, result = sys.argv[1:]
with open(wanted) as file:
    curves = json.load(file)
with open(result, "w") as file:
    json.dump([sample(told) for told in curves], file)
