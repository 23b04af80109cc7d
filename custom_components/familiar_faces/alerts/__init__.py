"""Alerts: the rules, one notification per visit, its delivery, and the answers to it."""
