"""A house of cameras as people own them: films of doors, servers that show them, and what becomes of a ring."""
