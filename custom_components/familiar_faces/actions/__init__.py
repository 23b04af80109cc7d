"""The actions, by what they are about. `services.py` registers them."""
