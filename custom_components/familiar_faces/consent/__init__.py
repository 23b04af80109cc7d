"""Consent: its text, how it is asked for, and what follows from it."""
