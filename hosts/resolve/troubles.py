"""What goes wrong in Resolve, as words for programs, and the sentences the artist reads.

Python and Lua report the same words, so that both ways in say the same.
"""

from __future__ import annotations

from ..bridge.errors import BridgeError


class Troubled(Exception):
    """Something in Resolve was not as it must be: a word of `SENTENCES`, and what it was about."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code, about)
        self.code = code
        self.about = about


SENTENCES = {
    "gone": (
        "speak with Resolve",
        "it does not answer to {about}: it was closed, or this release of it is too old",
        "DaVinci Resolve 18 or newer, started before ArtifexPro",
    ),
    "silent": (
        "speak with Resolve",
        "it answered nothing to {about}, as it does while a message box is open",
        "closing any message in Resolve's window, then once more",
    ),
    "defect": ("work in Resolve", "the script in it stopped: {about}", "once more, and reporting this as a defect"),
    "no-project": ("find a place for the clip", "no project is open in Resolve", "opening a project"),
    "no-timeline": ("find a place for the clip", "the project has no timeline open", "opening or making a timeline"),
    "other-project": (
        "put the result on its timeline",
        "it belongs to another project, {about}",
        "opening that project; the result waits",
    ),
    "other-timeline": (
        "put the result on its timeline",
        "another timeline is open than {about}",
        "opening that timeline; the result waits",
    ),
    "unread": ("bring {about} into the media pool", "Resolve did not take the file", "looking whether it plays there"),
    "dropped": (
        "put the clip on the timeline",
        "Resolve took it and put nothing there ({about})",
        "a free, unlocked track, with the Edit page open",
    ),
    "misplaced": ("put the clip on the timeline", "it came to lie elsewhere: {about}", "another place, or Undo"),
    "unmarked": (
        "mark the clip with its job",
        "Resolve did not keep the marker on {about}",
        "removing markers from that clip",
    ),
    "no-item": ("work on the clip {about}", "it is not on the timeline any more", "selecting a clip that is there"),
    "no-take": ("add a take to {about}", "Resolve refused it", "a clip that is neither a compound nor a title"),
    "grade-lost": (
        "add a take to {about}",
        "its grade was not the same afterwards, so the take was removed again",
        "a new version of the grade first",
    ),
    "no-node": ("change a node of the clip", "it has no node {about}", "a node that the clip's graph shows"),
    "no-lut": (
        "set the LUT {about}",
        "Resolve does not know it: it reads LUTs from its master folder only",
        "the LUT folder that Project Settings > Color Management opens",
    ),
    "no-cdl": ("set the CDL", "Resolve refused the values {about}", "numbers within the node's ranges"),
    "no-still": ("take the picture under the playhead", "Resolve wrote none", "the playhead on a clip"),
    "rendering": (
        "render frames for ArtifexPro",
        "a render is running in Resolve already",
        "once more when it is done; your queue was not touched",
    ),
    "no-render": ("render frames for ArtifexPro", "Resolve did not take the job ({about})", "the Deliver page"),
}


def told(trouble: Troubled) -> BridgeError:
    """The trouble as the artist reads it; its word is the error's code."""
    attempted, because, remedy = (part.format(about=trouble.about) for part in SENTENCES[trouble.code])
    return BridgeError(attempted, because, remedy, code=trouble.code)
