"""What every host uses to reach the daemon: Python 3.9 or newer, the standard library and pyzmq, nothing else.

It runs inside other people's programs, so it never blocks their main thread unless asked to (`Client.request`), loads
nothing heavy, and turns every failure into a sentence for the artist.
"""
