"""Who: people, their consent, and the gallery that faces are compared with. Pure Python and numpy."""
