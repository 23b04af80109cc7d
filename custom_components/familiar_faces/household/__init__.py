"""What all rooms share: the people, the vault, the engine, the visits that go on, and what may be said of them.

It knows no room but those it is made of: `vault`, `people`, `visits`, `host` and `internals`.
"""
