"""Cuts as OpenTimelineIO: where a clip lies, what of it is shown, and its file."""
