"""The panel: words and a picture become clips, whatever host it sits in.

It needs Qt through qtpy (PySide2 in Nuke 14 and 15, PySide6 elsewhere). `desk` and the modules it uses know no Qt; a
host gives the panel what `host.Host` says and docks `panel.Panel`.
"""
