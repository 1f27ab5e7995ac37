"""Nuke runs this at every start, with or without a window: paths, and nothing else."""

import sys

import nuke

nuke.pluginAddPath("./lib/{}.{}".format(*sys.version_info[:2]))
