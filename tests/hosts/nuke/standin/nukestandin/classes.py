"""The node classes this stand-in has: their knobs, with Nuke's names and defaults, and how many inputs they take.

A class that is not here is refused like one that Nuke does not have.
"""

from . import colour, knobs

EVERYWHERE = (
    ("name", knobs.String_Knob, ""),
    ("xpos", knobs.Int_Knob, 0),
    ("ypos", knobs.Int_Knob, 0),
    ("tile_color", knobs.Unsigned_Knob, 0),
    ("note_font", knobs.String_Knob, "Verdana"),
    ("label", knobs.Multiline_Eval_String_Knob, ""),
    ("selected", knobs.Boolean_Knob, False),
    ("hide_input", knobs.Boolean_Knob, False),
    ("help", knobs.Multiline_Eval_String_Knob, ""),
    ("onCreate", knobs.PythonKnob, ""),
    ("onDestroy", knobs.PythonKnob, ""),
    ("knobChanged", knobs.PythonKnob, ""),
    ("disable", knobs.Disable_Knob, False),
)


def choice(*values):
    return lambda name: knobs.Enumeration_Knob(name, None, values)


_PICTURE = (
    ("file", knobs.File_Knob, ""),
    ("colorspace", colour.Colorspace_Knob, "default"),
    ("raw", knobs.Boolean_Knob, False),
    ("premultiplied", knobs.Boolean_Knob, False),
)
OWN = {
    "Root": (
        ("frame", knobs.Int_Knob, 1),
        ("first_frame", knobs.Int_Knob, 1),
        ("last_frame", knobs.Int_Knob, 100),
        ("fps", knobs.Double_Knob, 24.0),
        ("format", knobs.Format_Knob, None),
        ("project_directory", knobs.File_Knob, ""),
        ("proxy", knobs.Boolean_Knob, False),
        ("colorManagement", choice("Nuke", "OCIO"), None),
        ("OCIO_config", colour.Config_Knob, None),
        ("customOCIOConfigPath", knobs.File_Knob, ""),
        ("workingSpaceLUT", knobs.String_Knob, "linear"),
        ("onScriptLoad", knobs.PythonKnob, ""),
        ("onScriptSave", knobs.PythonKnob, ""),
    ),
    "Group": (),
    "Gizmo": (),
    "Input": (("number", knobs.Int_Knob, 0),),
    "Output": (),
    "Dot": (),
    "NoOp": (),
    "BackdropNode": (),
    "StickyNote": (),
    "Read": (
        *_PICTURE,
        ("format", knobs.Format_Knob, None),
        ("proxy", knobs.File_Knob, ""),
        ("first", knobs.Int_Knob, 1),
        ("last", knobs.Int_Knob, 1),
        ("origfirst", knobs.Int_Knob, 1),
        ("origlast", knobs.Int_Knob, 1),
        ("origset", knobs.Boolean_Knob, False),
        ("before", choice("hold", "loop", "bounce", "black"), None),
        ("after", choice("hold", "loop", "bounce", "black"), None),
        ("on_error", choice("error", "black", "checkerboard", "nearest frame"), None),
        ("auto_alpha", knobs.Boolean_Knob, False),
        ("frame", knobs.String_Knob, ""),
        ("frame_mode", choice("expression", "start at", "offset"), None),
        ("localizationPolicy", choice("on", "fromAutoLocalizePath", "onDemand", "off"), None),
        ("reload", knobs.PyScript_Knob, ""),
    ),
    "Write": (
        *_PICTURE,
        ("channels", knobs.Channel_Knob, "rgb"),
        ("file_type", choice(" ", "exr", "png", "tiff", "dpx", "mov"), None),
        ("create_directories", knobs.Boolean_Knob, False),
        ("use_limit", knobs.Boolean_Knob, False),
        ("first", knobs.Int_Knob, 1),
        ("last", knobs.Int_Knob, 1),
        ("beforeRender", knobs.PythonKnob, ""),
        ("afterRender", knobs.PythonKnob, ""),
    ),
    "Constant": (
        ("channels", knobs.Channel_Knob, "rgb"),
        ("color", colour.Color_Knob, None),
        ("format", knobs.Format_Knob, None),
    ),
    "Rectangle": (
        ("area", colour.Color_Knob, None),
        ("color", colour.Color_Knob, None),
        ("opacity", knobs.Double_Knob, 1.0),
    ),
    "Reformat": (
        ("type", choice("to format", "to box", "scale"), None),
        ("format", knobs.Format_Knob, None),
        ("box_width", knobs.Int_Knob, 200),
        ("box_height", knobs.Int_Knob, 200),
        ("box_fixed", knobs.Boolean_Knob, False),
        ("resize", choice("none", "width", "height", "fit", "fill", "distort"), "width"),
        ("filter", choice("Cubic", "Impulse", "Keys", "Simon", "Rifman", "Mitchell", "Parzen", "Notch"), None),
    ),
    "Copy": (("from0", knobs.Channel_Knob, "rgba.alpha"), ("to0", knobs.Channel_Knob, "rgba.alpha")),
    "ColorMatrix": (("matrix", colour.Color_Knob, None),),
    "Premult": (("channels", knobs.Channel_Knob, "rgb"), ("alpha", knobs.Channel_Knob, "rgba.alpha")),
    "Merge2": (
        ("operation", choice("over", "plus", "under", "stencil", "mask"), None),
        ("mix", knobs.Double_Knob, 1.0),
    ),
    "Switch": (("which", knobs.Double_Knob, 0.0),),
}
EXR = (
    ("datatype", choice("16 bit half", "32 bit float"), None),
    (
        "compression",
        choice("none", "Zip (1 scanline)", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)", "RLE", "B44"),
        None,
    ),
    (
        "metadata",
        choice(
            "no metadata",
            "default metadata",
            "default metadata and exr/*",
            "all metadata except input/*",
            "all metadata",
        ),
        None,
    ),
    ("autocrop", knobs.Boolean_Knob, False),
)
"""What a Write has only once its `file_type` is exr."""
INPUTS = {
    "Root": 0,
    "Input": 0,
    "Read": 0,
    "Constant": 0,
    "Copy": 2,
    "Merge2": 2,
    "Switch": 10,
    "BackdropNode": 0,
    "StickyNote": 0,
}


def make(kind, name, default):
    """A knob of a class, at its default."""
    knob = kind(name)
    if default is not None:
        held = (
            (default, {}, None)
            if isinstance(knob, knobs.Array_Knob) and not isinstance(knob, colour.Color_Knob)
            else default
        )
        knob._hold(held)
        knob._default = default
    return knob
