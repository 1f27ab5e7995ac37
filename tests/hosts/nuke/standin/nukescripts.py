"""Stands in for the one part of nukescripts that adapters use: putting a Qt widget into a pane."""

from nukestandin import state as _running


class _Panels:
    def registerWidgetAsPanel(self, widget, name, id, create=False):
        if not _running.state.gui:
            raise RuntimeError("there are no panels in terminal mode")
        _running.state.panels[id] = (name, widget)


panels = _Panels()


def __getattr__(name):
    raise AttributeError(f"the stand-in has no nukescripts.{name}")
