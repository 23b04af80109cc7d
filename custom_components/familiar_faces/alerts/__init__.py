"""Whom to tell that somebody came: the rules, one notification a visit, its delivery, and the answers to it."""
