"""Menus and the toolbar: commands by name, which tests invoke as an artist would."""

from .spec import spec
from .threads import Guarded


class MenuItem(Guarded):
    def __init__(self, name, command=None):
        self._name, self._command, self._items = name, command, []

    def __getattr__(self, name):
        if name in spec().methods("Menu"):
            raise NotImplementedError(f"the stand-in has no Menu.{name}")
        raise AttributeError(f"{type(self).__name__} has no {name} in Nuke")

    def name(self):
        return self._name

    def script(self):
        return self._command

    def invoke(self):
        if callable(self._command):
            return self._command()
        exec(self._command, {"nuke": __import__("nuke")})
        return None


class Menu(MenuItem):
    def addMenu(self, name, icon=None, tooltip=None):
        there = self.findItem(name)
        if there is not None:
            return there
        made = Menu(name)
        self._items.append(made)
        return made

    def addCommand(self, name, command=None, shortcut=None, icon=None, tooltip=None, index=-1):
        menu = self
        *above, last = name.split("/")
        for each in above:
            menu = menu.addMenu(each)
        made = MenuItem(last, command)
        menu._items.append(made)
        return made

    def addSeparator(self, index=-1):
        self._items.append(MenuItem("-"))

    def items(self):
        return list(self._items)

    def menu(self, name):
        found = self.findItem(name)
        return found if isinstance(found, Menu) else None

    def findItem(self, path):
        first, _, rest = path.partition("/")
        found = next((item for item in self._items if item.name() == first), None)
        return found.findItem(rest) if rest and isinstance(found, Menu) else found

    def removeItem(self, name):
        self._items = [item for item in self._items if item.name() != name]


_menus = {name: Menu(name) for name in ("Nuke", "Nodes", "Pane", "Properties", "Animation", "Viewer")}


def menu(name):
    """`nuke.menu`."""
    return _menus.get(name)
