"""Computes the stand-in's pixels: OpenImageIO for files, OpenColorIO with the project's config, numpy for the rest.

A line of JSON in is a question, a line out the answer. Pictures are float32 (H, W, 4), scene-linear in the script's
working space, colour times alpha, the top row first, as Nuke's are but for its bottom row coming first.
"""

import json
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import PyOpenColorIO as ocio

NUKE_CURVES = {"linear": None, "raw": None, "default": None, "sRGB": "sRGB"}
RGBA = ["rgba.red", "rgba.green", "rgba.blue", "rgba.alpha"]


class Trouble(Exception):
    """What Nuke would say."""


def config_of(name):
    try:
        return (
            ocio.Config.CreateFromBuiltinConfig(name)
            if name.startswith("ocio://")
            else ocio.Config.CreateFromFile(name)
        )
    except ocio.Exception as trouble:
        raise Trouble(f"OCIO config {name} cannot be read: {trouble}") from trouble


def spaces(config):
    loaded = config_of(config)
    found = [
        "/".join(part for part in (loaded.getColorSpace(name).getFamily(), name) if part)
        for name in loaded.getColorSpaceNames()
    ]
    roles = [
        f"{role} ({loaded.getColorSpace(role).getName()})" for role in loaded.getRoleNames() if role == "scene_linear"
    ]
    return {"spaces": [*roles, *found]}


def convert(pixels, said, source, target):
    """Colour without alpha goes from one space to another: unpremultiplied before, premultiplied after."""
    if said["config"] is None:
        curve = [NUKE_CURVES.get(name, "?") for name in (source, target)]
        if "?" in curve or curve[0] != curve[1]:
            raise Trouble(f"the stand-in has no curve from {source} to {target}")
        return pixels
    config = config_of(said["config"])
    both = [config.getColorSpace(name.split(" (")[0].split("/")[-1]) for name in (source, target)]
    if None in both:
        raise Trouble(f"the config has no colour space {source if both[0] is None else target}")
    processor = config.getProcessor(both[0], both[1])
    if processor.isNoOp():
        return pixels
    alpha = pixels[..., 3:]
    divisor = np.where(alpha == 0, 1, alpha)
    plain = np.ascontiguousarray(pixels[..., :3] / divisor, dtype=np.float32)
    processor.getDefaultCPUProcessor().applyRGB(plain)
    return np.concatenate([plain * divisor, alpha], axis=-1).astype(np.float32)


def numbered(pattern, frame):
    if "%" in pattern:
        return pattern % frame
    if "#" in pattern:
        marks = "#" * pattern.count("#")
        return pattern.replace(marks, str(frame).zfill(len(marks)))
    return pattern


def probe(file, frame):
    source = oiio.ImageInput.open(numbered(file, frame))
    if source is None:
        raise Trouble(f"{numbered(file, frame)}: No such file or directory")
    spec = source.spec()
    source.close()
    names = {"R": RGBA[0], "G": RGBA[1], "B": RGBA[2], "A": RGBA[3]}
    metadata = {
        f"exr/{item.name}": item.value for item in spec.extra_attribs if isinstance(item.value, (str, int, float))
    }
    metadata["input/filename"] = numbered(file, frame)
    metadata["input/bitsperchannel"] = "16-bit half float" if spec.format == oiio.HALF else str(spec.format)
    channels = [names[name] for name in spec.channelnames if name in names]
    return {"width": spec.full_width, "height": spec.full_height, "channels": channels, "metadata": metadata}


def picture(node, said):
    """The pixels of a tree."""
    if node is None:
        raise Trouble("Missing input")
    return globals()[f"_{node['class']}"](node, node["knobs"], said)


def _Read(node, knobs, said):
    frame, first, last = said["frame"], int(knobs["first"]), int(knobs["last"])
    if knobs["frame_mode"] == "start at" and knobs["frame"]:
        frame += first - int(knobs["frame"])
    if frame < first or frame > last:
        if knobs["before" if frame < first else "after"] == "black":
            return np.zeros((node["size"][1], node["size"][0], 4), np.float32)
        frame = min(max(frame, first), last)
    path = numbered(knobs["file"], frame)
    source = oiio.ImageInput.open(path)
    if source is None:
        oiio.geterror()
        if knobs["on_error"] != "error":
            return np.zeros((node["size"][1], node["size"][0], 4), np.float32)
        raise Trouble(f"{node['name']}: {path}: No such file or directory")
    read = np.asarray(source.read_image(oiio.FLOAT), np.float32)
    source.close()
    pixels = np.zeros((*read.shape[:2], 4), np.float32)
    pixels[..., : min(4, read.shape[2])] = read[..., :4]
    if knobs["raw"] or knobs["colorspace"] == "default":
        return pixels
    return convert(pixels, said, knobs["colorspace"], said["working"])


def _Constant(node, knobs, said):
    return np.full((node["size"][1], node["size"][0], 4), knobs["color"], np.float32)


def _Rectangle(node, knobs, said):
    """White in `area` (x, y, right, top), y upwards, over what is above."""
    below = picture(node["inputs"][0], said) if node["inputs"] else None
    height, width = (node["size"][1], node["size"][0]) if below is None else below.shape[:2]
    made = np.zeros((height, width, 4), np.float32) if below is None else below.copy()
    x, y, right, top = (int(value) for value in knobs["area"])
    made[height - top : height - y, x:right] = knobs["opacity"]
    return made


def _Reformat(node, knobs, said):
    pixels = picture(node["inputs"][0], said)
    width, height = node["size"]
    if pixels.shape[:2] == (height, width):
        return pixels
    source = oiio.ImageBuf(np.ascontiguousarray(pixels))
    return oiio.ImageBufAlgo.resize(source, roi=oiio.ROI(0, width, 0, height, 0, 1, 0, 4)).get_pixels(oiio.FLOAT)


def _same(*pictures):
    if len({each.shape for each in pictures}) != 1:
        raise Trouble(f"the stand-in puts pictures of one size together, not {[each.shape for each in pictures]}")
    return pictures


def _Copy(node, knobs, said):
    onto, source = _same(picture(node["inputs"][0], said), picture(node["inputs"][1], said))
    made = onto.copy()
    made[..., RGBA.index(knobs["to0"])] = source[..., RGBA.index(knobs["from0"])]
    return made


def _ColorMatrix(node, knobs, said):
    pixels = picture(node["inputs"][0], said).copy()
    pixels[..., :3] = pixels[..., :3] @ np.asarray(knobs["matrix"], np.float32).reshape(3, 3).T
    return pixels


def _Premult(node, knobs, said):
    pixels = picture(node["inputs"][0], said).copy()
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def _Merge2(node, knobs, said):
    under, over = _same(picture(node["inputs"][0], said), picture(node["inputs"][1], said))
    merged = {
        "over": lambda: over + under * (1 - over[..., 3:]),
        "plus": lambda: over + under,
    }[knobs["operation"]]()
    return under + np.float32(knobs["mix"]) * (merged - under)


def write(said):
    pixels = picture(said["tree"], said)
    if not said["raw"] and said["colorspace"] != "default":
        pixels = convert(pixels, said, said["working"], said["colorspace"])
    path = Path(numbered(said["file"], said["frame"]))
    if not path.parent.is_dir():
        if not said["directories"]:
            raise Trouble(f"{path.parent}: No such file or directory")
        path.parent.mkdir(parents=True)
    count = {"rgb": 3, "rgba": 4, "all": 4, "alpha": 1}[said["channels"]]
    pixels = pixels[..., 3:] if said["channels"] == "alpha" else pixels[..., :count]
    kind = oiio.HALF if said["datatype"] == "16 bit half" else oiio.FLOAT if said["exr"] else oiio.UINT8
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.channelnames = ("A",) if said["channels"] == "alpha" else ("R", "G", "B", "A")[:count]
    out = oiio.ImageOutput.create(str(path))
    if out is None or not out.open(str(path), spec) or not out.write_image(np.ascontiguousarray(pixels)):
        raise Trouble(f"{path} cannot be written")
    out.close()
    return {}


def sample(said):
    pixels = picture(said["tree"], said)
    return {"pixel": [float(value) for value in pixels[pixels.shape[0] - 1 - int(said["y"]), int(said["x"])]]}


def answer(said):
    what = said.pop("what")
    if what == "spaces":
        return spaces(said["config"])
    if what == "probe":
        return probe(said["file"], said["frame"])
    return {"write": write, "sample": sample}[what](said)


def main():
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as trouble:  # whatever it was: the host must hear of it
            told = {"error": str(trouble)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
