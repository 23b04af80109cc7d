"""What goes wrong with what the caller gave."""


class InputError(Exception):
    """Something given cannot be used; the message is one sentence for people."""
