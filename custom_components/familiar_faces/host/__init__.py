"""The host: where the engine runs, keeping it running, and talking to it.

Plain asyncio and aiohttp. Whatever Home Assistant knows (a session, a cache folder, its own
interpreter) is handed in.
"""
