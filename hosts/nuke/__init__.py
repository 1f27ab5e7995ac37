"""The Nuke adapter: a Wan node under a plate and a roto, whose result lies in a Read inside the node's Group.

Inside Nuke this folder is `artifexpro_nuke.nuke`, beside `artifexpro_nuke.bridge`. Nuke runs `init.py` and `menu.py`,
which load nothing; the rest is imported by the first button that is pressed.
"""
