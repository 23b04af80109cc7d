"""Answers as a person would say them, in the language of the user who asks."""

from datetime import datetime, timedelta
from enum import StrEnum

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..people.person import Person
from ..visits.tally import Count
from ..visits.visit import Decision
from ..wording.words import LANGUAGES, async_say, in_sentence
from .lookup import Here, Lookup, Place

RECENT = timedelta(hours=1)
"""How long ago the last visitor may have come, to be spoken of when nobody is there."""
WEEK = 7


class Sentence(StrEnum):
    """What answers are made of."""

    AMBIGUOUS = "ambiguous"
    AND = "and"
    FAILED = "failed"
    FAMILIAR = "familiar"
    FAMILIAR_PEOPLE = "familiar_people"
    IS_AT = "is_at"
    ARE_AT = "are_at"
    LAST_SEEN = "last_seen"
    LAST_SEEN_AT = "last_seen_at"
    MONTHS = "months"
    NO_CAMERA = "no_camera"
    NO_STRANGER = "no_stranger"
    NOBODY = "nobody"
    NOT_KNOWN_WHEN = "not_known_when"
    NOT_LOOKING = "not_looking"
    NOT_RUNNING = "not_running"
    NOT_SINCE = "not_since"
    ON_DATE = "on_date"
    ON_WEEKDAY = "on_weekday"
    STRANGER = "stranger"
    STRANGER_CAME = "stranger_came"
    STRANGERS = "strangers"
    STRANGERS_CAME = "strangers_came"
    TODAY = "today"
    UNCLEAR = "unclear"
    UNCLEAR_PEOPLE = "unclear_people"
    UNCLEAR_VISIT = "unclear_visit"
    UNCLEAR_VISITS = "unclear_visits"
    UNKNOWN_CAMERA = "unknown_camera"
    UNKNOWN_PERSON = "unknown_person"
    WAS_AT = "was_at"
    WEEKDAYS = "weekdays"
    YESTERDAY = "yesterday"


class Spoken:
    """Puts answers together in one language."""

    def __init__(self, hass: HomeAssistant, language: str) -> None:
        """Speak a language such as "de" or "de-CH"; English where there are no sentences for it."""
        self._hass = hass
        base = language.replace("_", "-").split("-")[0].lower()
        self._language = base if base in LANGUAGES else LANGUAGES[0]

    async def async_say(self, sentence: Sentence, **values: str | int) -> str:
        """Return one of the sentences, filled in; a camera by its name."""
        if sentence is not Sentence.UNKNOWN_CAMERA and "camera" in values:
            values["camera"] = in_sentence(str(values["camera"]), self._language)
        return await async_say(self._hass, "spoken", sentence, language=self._language, **values)

    async def async_who_is_there(self, lookup: Lookup, places: dict[str, Place]) -> str:
        """Say who is at some cameras; raise VaultError."""
        if not places:
            return await self.async_say(Sentence.NO_CAMERA)
        sentences = [await self._async_is_at(each) for each in lookup.here(places) if each.anybody]
        if sentences:
            return " ".join(sentences)
        if not lookup.is_looked(places):
            return await self.async_say(Sentence.NOT_LOOKING)
        nobody = await self.async_say(Sentence.NOBODY)
        last = await self._async_last(lookup, places)
        return nobody if last is None else f"{nobody} {last}"

    async def async_last_seen(self, lookup: Lookup, person: Person) -> str:
        """Say when somebody was last seen; raise VaultError."""
        name = person.name
        for here in lookup.here():
            if here.has(person.person_id):
                return await self.async_say(Sentence.IS_AT, who=name, camera=here.place.name)
        if (came := await lookup.async_last_seen(person.person_id)) is None:
            return await self.async_say(Sentence.NOT_KNOWN_WHEN, who=name)
        when = await self.async_when(came.visit.last_seen_at)
        if came.place is None:
            return await self.async_say(Sentence.LAST_SEEN, who=name, when=when)
        return await self.async_say(Sentence.LAST_SEEN_AT, who=name, when=when, camera=came.place.name)

    async def async_strangers(self, lookup: Lookup, places: dict[str, Place]) -> str:
        """Say whether a stranger came to some cameras today, and what is not known of that."""
        if not places:
            return await self.async_say(Sentence.NO_CAMERA)
        today = lookup.unnamed_today(places)
        if today.strangers.number:
            sentences = [await self._async_came(today.strangers, places)]
        else:
            sentences = [await self._async_none_came(lookup, places, today.known_since)]
        if (count := today.unclear.number) == 1:
            sentences.append(await self.async_say(Sentence.UNCLEAR_VISIT))
        elif count:
            sentences.append(await self.async_say(Sentence.UNCLEAR_VISITS, count=count))
        return " ".join(sentences)

    async def async_when(self, moment: datetime) -> str:
        """Return a moment that has passed as it is said, such as "yesterday at 8:14"."""
        local = dt_util.as_local(moment)
        days = (dt_util.now().date() - local.date()).days
        time = _clock(local)
        if days <= 0:
            return await self.async_say(Sentence.TODAY, time=time)
        if days == 1:
            return await self.async_say(Sentence.YESTERDAY, time=time)
        if days < WEEK:
            weekdays = (await self.async_say(Sentence.WEEKDAYS)).split(", ")
            return await self.async_say(Sentence.ON_WEEKDAY, weekday=weekdays[local.weekday()], time=time)
        months = (await self.async_say(Sentence.MONTHS)).split(", ")
        return await self.async_say(Sentence.ON_DATE, day=local.day, month=months[local.month - 1], time=time)

    async def _async_is_at(self, here: Here) -> str:
        """Say who is at a camera where there is somebody."""
        who = [visit.name or "" for visit in here.people]
        for count, one, many in (
            (here.others, Sentence.FAMILIAR, Sentence.FAMILIAR_PEOPLE),
            (here.strangers, Sentence.STRANGER, Sentence.STRANGERS),
            (here.unclear, Sentence.UNCLEAR, Sentence.UNCLEAR_PEOPLE),
        ):
            if count:
                who.append(await self.async_say(one if count == 1 else many, count=count))
        several = len(here.people) + here.others + here.strangers + here.unclear > 1
        said = await self.async_say(
            Sentence.ARE_AT if several else Sentence.IS_AT,
            who=await self._async_list(who),
            camera=here.place.name,
        )
        return said[0].upper() + said[1:]

    async def _async_list(self, who: list[str]) -> str:
        """Return "Anna", "Anna and Ben" or "Anna, Ben and a stranger"."""
        *rest, last = who
        return await self.async_say(Sentence.AND, first=", ".join(rest), last=last) if rest else last

    async def _async_last(self, lookup: Lookup, places: dict[str, Place]) -> str | None:
        """Say who was at some cameras last; None when that was long ago, or nothing is known of it."""
        since = dt_util.utcnow() - RECENT
        came = await lookup.async_visits(camera_ids=places.keys(), since=since, limit=1)
        found = [
            (each.visit.last_seen_at, each.visit.name or "", each.place.name)
            for each in came
            if each.place is not None
        ]
        for decision, sentence in (
            (Decision.STRANGER, Sentence.STRANGER),
            (Decision.UNCLEAR, Sentence.UNCLEAR),
        ):
            for place in places.values():
                at = lookup.last_unnamed(place, decision)
                if at is not None and at >= since:
                    found.append((at, await self.async_say(sentence, count=1), place.name))
        if not found:
            return None
        at, who, camera = max(found)
        said = await self.async_say(Sentence.WAS_AT, who=who, camera=camera, when=await self.async_when(at))
        return said[0].upper() + said[1:]

    async def _async_came(self, strangers: Count, places: dict[str, Place]) -> str:
        """Say when and where a stranger last came."""
        assert strangers.last_at is not None
        assert strangers.camera_id is not None
        when, camera = await self.async_when(strangers.last_at), places[strangers.camera_id].name
        if strangers.number == 1:
            return await self.async_say(Sentence.STRANGER_CAME, when=when, camera=camera)
        return await self.async_say(Sentence.STRANGERS_CAME, count=strangers.number, when=when, camera=camera)

    async def _async_none_came(
        self, lookup: Lookup, places: dict[str, Place], known_since: datetime | None
    ) -> str:
        """Say that no stranger is known of, as far as that can be known."""
        if not lookup.is_looked(places):
            return await self.async_say(Sentence.NOT_LOOKING)
        if known_since is not None:
            # It is of today, or all of today would be known.
            return await self.async_say(Sentence.NOT_SINCE, time=_clock(dt_util.as_local(known_since)))
        return await self.async_say(Sentence.NO_STRANGER)


def _clock(local: datetime) -> str:
    """Return a time of day as it is said, such as "8:14"."""
    return f"{local.hour}:{local.minute:02}"
