"""The standing attacks of script/attack: what somebody might try against a home, and what must hold."""
