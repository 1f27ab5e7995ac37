"""The colour spaces that knobs offer: those of the project's own OpenColorIO config, read by OpenColorIO."""

from . import engine_line, knobs
from . import state as running

NUKE_SPACES = ("linear", "sRGB", "rec709", "Cineon", "Gamma1.8", "Gamma2.2", "AlexaV3LogC", "SLog3", "raw")
"""What Nuke's own colour management offers, which no OpenColorIO has a part in."""
CONFIGS = {
    "fn-nuke_cg-config-v1.0.0_aces-v1.3_ocio-v2.1": "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1",
    "fn-nuke_studio-config-v1.0.0_aces-v1.3_ocio-v2.1": "ocio://studio-config-v1.0.0_aces-v1.3_ocio-v2.1",
    "aces_1.2": "",
    "custom": "",
}
STRIP_CASCADE_PREFIX = 0x100000000


class Config_Knob(knobs.Enumeration_Knob):
    code = None

    def __init__(self, name, label=None):
        super().__init__(name, label, CONFIGS)

    def Class(self):
        return "Enumeration_Knob"


def config():
    """The project's config as OpenColorIO takes it, None under Nuke's own management."""
    root = running.state.root
    if root["colorManagement"].value() == "Nuke":
        return None
    chosen = root["OCIO_config"].value()
    return root["customOCIOConfigPath"].value() if chosen == "custom" else CONFIGS[chosen]


def spaces():
    """Names with their families before them, as the pulldown cascades; [] where the config cannot be read."""
    stated = config()
    if stated is None:
        return list(NUKE_SPACES)
    try:
        return engine_line.ask("spaces", config=stated)["spaces"]
    except RuntimeError:
        return []


class Colorspace_Knob(knobs.Enumeration_Knob):
    """Offers what the project's config has at this moment; names may be set without their family."""

    code = None

    def __init__(self, name, label=None):
        super().__init__(name, label, ("default",))
        self._flags |= STRIP_CASCADE_PREFIX

    def Class(self):
        return "Enumeration_Knob"

    def values(self):
        return ["default", *spaces()]

    def _checked(self, value):
        known = {name: name for name in self.values()}
        known.update({name.split("/")[-1]: name for name in known})
        if value not in known:
            raise TypeError(f"{self._name} has no item {value!r}")
        return known[value].split("/")[-1]


def getColorspaceList(knob):
    """`nuke.getColorspaceList`: the pulldown's items without families."""
    return [value.split("/")[-1] for value in knob.values()]


class Color_Knob(knobs.Array_Knob):
    """Several numbers, which stand still here."""

    code = None
    _default = (0.0, 0.0, 0.0, 0.0)

    def value(self, channel=None):
        return list(self._value) if channel is None else self._value[channel]

    def getValue(self, channel=None):
        return self.value(channel)

    def valueAt(self, time, channel=None):
        return self.value(channel)

    def setValue(self, value, channel=None):
        held = list(self._value)
        if channel is not None:
            held[channel] = float(value)
        elif isinstance(value, (int, float)):
            held = [float(value)] * 4
        else:
            held = [float(each) for each in value]
        self._set(tuple(held))
        return True

    def isAnimated(self, channel=0):
        return False

    def hasExpression(self, channel=0):
        return False

    def _not_default(self):
        return tuple(self._value) != tuple(self._default)

    def _broken(self):
        return False

    def _held(self):
        return self._value

    def _hold(self, held):
        self._value = tuple(held)

    def _script(self):
        return " ".join(f"{each:.9g}" for each in self._value)

    def _read(self, text):
        from . import tcl

        read = tuple(float(each) for each in tcl.words(text))
        return read * 4 if len(read) == 1 else read
