"""Tickets: leave to fetch one export for some minutes. They live in memory only."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
import hmac
import secrets

VALID_FOR = timedelta(minutes=5)
"""How long the link to an export works."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to fetch the export of one person, for its holder."""

    secret: str = field(repr=False)
    person_id: str
    language: str
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        """Return when it is over."""
        return self.made_at + VALID_FOR


class Tickets:
    """The tickets that are out. A signature alone is no leave: every user may have any path signed."""

    def __init__(self) -> None:
        """Have given none yet."""
        self._tickets: list[Ticket] = []

    def issue(self, person_id: str, language: str, now: datetime) -> Ticket:
        """Make one."""
        ticket = Ticket(secrets.token_urlsafe(32), person_id, language, now)
        self._tickets = [*self._open(now), ticket]
        return ticket

    def find(self, secret: str, person_id: str, now: datetime) -> Ticket | None:
        """Return the ticket of a person that has this secret, None when there is none or it is over."""
        found = None
        for each in self._open(now):
            same = hmac.compare_digest(each.secret.encode(), secret.encode(errors="replace"))
            if same and each.person_id == person_id:
                found = each
        return found

    def _open(self, now: datetime) -> list[Ticket]:
        return [each for each in self._tickets if each.made_at <= now < each.expires_at]
