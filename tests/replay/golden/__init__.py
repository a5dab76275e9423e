"""A small committed replay: events.ndjson in, triggers and decisions out, each byte of them.

`make golden` (`python -m tests.replay.golden`) writes it anew: look at the difference first.
"""
