"""The consent form of the pages: what it starts with, what was answered, and the consent that makes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any, Self

from homeassistant.util import dt as dt_util

from ..consent.record import ConsentRefused, Refusal, build_consent, last_day
from ..consent.text import async_consent_text
from ..const import CONF_CONTACT, CONF_RESPONSIBLE
from ..household.subentries import camera_names
from ..hub import Hub
from ..people.choices import Choices, Keeping
from ..people.names import MAX_NAME, cleaned
from ..people.person import RESERVED_NAMES, Consent, ConsentMethod, Person

MAX_CAMERAS = 100

_FIELD_OF = {
    Refusal.GIVER_NEEDED: "guardian",
    Refusal.CHILD_NEEDS_GUARDIAN: "guardian",
    Refusal.GIVEN_IN_FUTURE: "until",
    Refusal.ALREADY_OVER: "until",
    Refusal.TOO_LONG: "until",
    Refusal.CAMERA_NEEDED: "cameras",
    Refusal.CLOCK_DOUBTED: "until",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What stands in the form, right or wrong, so that nothing of what was typed is lost."""

    name: str = ""
    child: bool = False
    guardian: str = ""
    everywhere: bool = False
    cameras: frozenset[str] = frozenset()
    keeping: str = ""
    """A `Keeping`; nothing is chosen beforehand."""
    pictures: bool = False
    uploads: bool = False
    until: str = ""
    """A day as `YYYY-MM-DD`; empty for the longest time."""
    agreed: bool = False
    read: str = ""
    """Which text was shown, by its fingerprint."""

    @classmethod
    def of_form(cls, form: Mapping[str, list[str]]) -> Self:
        """Return what was sent."""

        def one(key: str) -> str:
            return form.get(key, [""])[0]

        return cls(
            name=cleaned(one("name")),
            child=one("child") == "yes",
            guardian=cleaned(one("guardian")),
            everywhere=one("everywhere") == "yes",
            cameras=frozenset(form.get("camera", [])[:MAX_CAMERAS]),
            keeping=one("keeping"),
            pictures=one("pictures") == "yes",
            uploads=one("uploads") == "yes",
            until=one("until").strip(),
            agreed=one("agreed") == "yes",
            read=one("read"),
        )

    @classmethod
    def of_person(cls, person: Person) -> Self:
        """Return what somebody chose before; the yes and its end are asked for again."""
        consent = person.consent
        if consent is None:
            return cls(name=person.own_name)
        choices = consent.choices
        return cls(
            name=person.own_name,
            child=consent.on_behalf_of_child,
            guardian=consent.given_by if consent.on_behalf_of_child else "",
            everywhere=choices.cameras is None,
            cameras=choices.cameras or frozenset(),
            keeping=choices.keeping,
            pictures=choices.pictures,
            uploads=choices.uploads,
        )

    @property
    def choices(self) -> Choices:
        """Return what was chosen. Of somebody who is never announced there is no picture, nor any other answer."""
        keeping = Keeping(self.keeping)
        told = keeping is not Keeping.SILENT
        return Choices(
            None if self.everywhere else self.cameras, keeping, self.pictures and told, self.uploads and told
        )


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is to be shown, or the consent when nothing is wrong with it."""

    answers: Answers
    text: str
    errors: Mapping[str, str]
    """What is wrong, by field."""
    consent: Consent | None = None


class ConsentForm:
    """Asks for a consent, of somebody new or (`person`) of somebody who is here, whose name stays."""

    def __init__(self, hub: Hub, language: str, person: Person | None = None) -> None:
        """Ask in a language."""
        self._hub = hub
        self._language = language
        self._person = person

    async def async_empty(self) -> Filled:
        """Return the form as it is first shown."""
        answers = Answers() if self._person is None else Answers.of_person(self._person)
        return Filled(answers, await self._async_text(answers), {})

    async def async_fill(self, form: Mapping[str, list[str]]) -> Filled:
        """Return the form with what was sent, and with the consent when nothing is wrong."""
        answers = Answers.of_form(form)
        if self._person is not None:
            answers = replace(answers, name=self._person.own_name)
        text = await self._async_text(answers)
        errors = self._errors(answers, text)
        consent: Consent | None = None
        try:
            until = date.fromisoformat(answers.until) if answers.until else None
        except ValueError:
            errors["until"] = "not_a_day"
            until = None
        if answers.keeping in list(Keeping) and "until" not in errors:
            try:
                consent = build_consent(
                    self._hub,
                    name=answers.name,
                    child=answers.child,
                    given_by=answers.guardian if answers.child else answers.name,
                    method=ConsentMethod.OWN_DEVICE,
                    choices=answers.choices,
                    text=text,
                    language=self._language,
                    valid_until=until,
                )
            except ConsentRefused as err:
                field = _FIELD_OF[err.refusal]
                errors.setdefault("name" if field == "guardian" and not answers.child else field, err.refusal)
        if errors:
            # The yes belongs to what was shown then: it is asked for again.
            return Filled(replace(answers, agreed=False), text, errors)
        return Filled(answers, text, {}, consent)

    def _errors(self, answers: Answers, text: str) -> dict[str, str]:
        errors: dict[str, str] = {}
        for field, wanted in (("name", True), ("guardian", answers.child)):
            value = getattr(answers, field)
            if wanted and not 0 < len(value) <= MAX_NAME:
                errors[field] = f"{field}_needed"
        if answers.name.casefold() in RESERVED_NAMES:
            errors["name"] = "name_reserved"
        if not answers.everywhere and not answers.cameras & camera_names(self._hub.entry).keys():
            errors["cameras"] = Refusal.CAMERA_NEEDED
        if answers.keeping not in list(Keeping):
            errors["keeping"] = "keeping_needed"
        if not answers.agreed:
            errors["agreed"] = "not_agreed"
        if answers.read != fingerprint(text):
            errors["agreed"] = "text_child" if answers.child else "text_changed"
        return errors

    async def _async_text(self, answers: Answers) -> str:
        name = answers.name or "\N{HORIZONTAL ELLIPSIS}"
        return await async_consent_text(self._hub, self._language, name=name, child=answers.child)

    def values(self, filled: Filled) -> dict[str, Any]:
        """Return what the form's template shows."""
        retention, today = self._hub.retention, dt_util.now().date()
        options = self._hub.entry.options
        return {
            "form": filled.answers,
            "errors": filled.errors,
            "text": filled.text.split("\n\n"),
            "read": fingerprint(filled.text),
            "person": self._person,
            "cameras": camera_names(self._hub.entry),
            "keepings": [str(each) for each in Keeping],
            "retention": retention,
            "last_day": _noon(last_day(retention, today, child=False)),
            "last_day_child": _noon(last_day(retention, today, child=True)),
            "responsible": options.get(CONF_RESPONSIBLE),
            "contact": options.get(CONF_CONTACT),
            "max_name": MAX_NAME,
            "switch": not filled.errors,
        }


def _noon(day: date) -> datetime:
    """Return a moment of a day in this home's time zone."""
    return datetime.combine(day, time(12), tzinfo=dt_util.get_default_time_zone())


def fingerprint(text: str) -> str:
    """Return by what a text is known again."""
    return sha256(text.encode()).hexdigest()
