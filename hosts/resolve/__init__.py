"""The DaVinci Resolve adapter: clips, takes, LUTs and CDLs into the open timeline, from Python or from Lua.

`hands` says what is done in Resolve, `verbs` does it in Python and `artifexpro.lua` in Lua; everything else is one and
the same for both. Nothing here needs Resolve to be imported.
"""
