"""The engine: turns an image into faces. Knows no names and keeps nothing.

It runs in a process and an environment of its own (see `host`), so that nothing native is ever
loaded into Home Assistant. Home Assistant imports `engine.protocol` and nothing else of it.
"""

PROTOCOL = 1
VERSION = "0.1.0"
