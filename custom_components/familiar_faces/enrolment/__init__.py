"""How somebody comes to be known: what becomes of the photos that they are enrolled with."""
