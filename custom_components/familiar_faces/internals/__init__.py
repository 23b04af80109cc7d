"""Home Assistant's internals: private names, and shapes that it does not promise. Nothing else here reaches for them.

Each module has a `check`, which says whether this Home Assistant still has what the module reaches for. A module
imports what may be gone where it is used, so that one that is gone takes no other one along.
"""
