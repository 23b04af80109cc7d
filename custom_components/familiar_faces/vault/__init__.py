"""The vault: the stored data of consenting people, encrypted, and for how long. Pure Python.

`store.Vault` is the door. It blocks, so Home Assistant calls it from an executor thread; every
method may be called from any thread.
"""
