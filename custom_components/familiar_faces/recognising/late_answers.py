"""Answers about visits that can still be undone: each is carried out a few seconds later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..people.person import Person
from ..vault.errors import UnknownVisit, VaultError
from ..wording.vault_errors import Failed, vault_failed
from .correct import async_correct
from .naming import async_nameless

_LOGGER = logging.getLogger(__name__)

TAKEN_BACK_FOR = timedelta(seconds=8)
"""How long an answer can be taken back."""
MOST = 50
"""Answers that wait at once: nobody gives more in eight seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of a visit."""

    correct: bool
    """Whether it was whose it was said to be."""
    really_id: str | None = None
    """Who it was instead, when that is known."""
    learn: bool = False
    """Whether the visit's face becomes a reference photo of the person."""


@dataclass(slots=True)
class Waiting:
    """An answer that can still be taken back."""

    answer: Answer
    due: datetime
    cancel: CALLBACK_TYPE = field(repr=False)


type Listener = Callable[[str, HomeAssistantError | None], None]
"""Is told that an answer to a visit was given, taken back, or carried out; and what failed."""


class LateAnswers:
    """The answers that wait. They are in memory: until one is carried out, nobody is told that it was."""

    def __init__(self, household: Household) -> None:
        """Have none wait."""
        self._household = household
        self._waiting: dict[str, Waiting] = {}
        self._listeners: list[Listener] = []

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Tell a listener what becomes of answers; return how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def waiting(self, visit_id: str) -> Waiting | None:
        """Return the answer to a visit that waits."""
        return self._waiting.get(visit_id)

    async def async_say(self, visit_id: str, answer: Answer) -> datetime:
        """Take an answer, in place of one that waits, and return when it is carried out.

        Raise ServiceValidationError for one that could not be.
        """
        await self._async_check(visit_id, answer)
        if (before := self._waiting.get(visit_id)) is None and len(self._waiting) >= MOST:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="too_many_answers")
        if before is not None:
            before.cancel()

        @callback
        def over(_now: datetime) -> None:
            self._household.entry.async_create_task(
                self._household.hass, self._async_carry_out(visit_id), f"{DOMAIN} answer"
            )

        due = dt_util.utcnow() + TAKEN_BACK_FOR
        cancel = async_call_later(self._household.hass, TAKEN_BACK_FOR, over)
        self._waiting[visit_id] = Waiting(answer, due, cancel)
        self._async_tell(visit_id)
        return due

    @callback
    def async_take_back(self, visit_id: str) -> bool:
        """Take the answer to a visit back; return whether one still waited."""
        if (waiting := self._waiting.pop(visit_id, None)) is None:
            return False
        waiting.cancel()
        self._async_tell(visit_id)
        return True

    async def async_stop(self) -> None:
        """Carry out at once what waits."""
        for visit_id, waiting in list(self._waiting.items()):
            waiting.cancel()
            await self._async_carry_out(visit_id)

    async def _async_check(self, visit_id: str, answer: Answer) -> None:
        """Raise ServiceValidationError for an answer that cannot be carried out."""
        try:
            whose, camera_id = await self._async_whose(visit_id)
        except UnknownVisit as err:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unknown_visit",
                translation_placeholders={"visit_id": visit_id},
            ) from err
        except VaultError as err:
            raise vault_failed(err, Failed.CORRECTING) from err
        if answer.correct and whose is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="visit_of_nobody")
        if answer.really_id is None:
            return
        if answer.correct or answer.really_id == whose:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="correction_contradicts")
        really = self._person(answer.really_id)
        if not really.may_be_recognised(dt_util.utcnow(), camera_id):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="no_consent",
                translation_placeholders={"name": really.name},
            )

    async def _async_whose(self, visit_id: str) -> tuple[str | None, str]:
        """Return whose a visit is said to be, None without a name, and its camera; raise UnknownVisit."""
        household = self._household
        if (nameless := await async_nameless(household, visit_id)) is not None:
            return None, nameless.camera_id
        visit = await household.hass.async_add_executor_job(household.vault.visit, visit_id)
        if visit.person_id not in household.people:
            # They are being forgotten.
            raise UnknownVisit
        return visit.person_id, visit.camera_id

    async def _async_carry_out(self, visit_id: str) -> None:
        if (waiting := self._waiting.pop(visit_id, None)) is None:
            return
        answer, failure = waiting.answer, None
        try:
            really = None if answer.really_id is None else self._person(answer.really_id)
            await self._household.async_whole(
                async_correct(
                    self._household, visit_id, correct=answer.correct, really=really, learn=answer.learn
                )
            )
        except HomeAssistantError as err:
            # Such as a visit that was forgotten meanwhile.
            _LOGGER.info("What was said of a visit could not be carried out: %s", err)
            failure = err
        self._async_tell(visit_id, failure)

    def _person(self, person_id: str) -> Person:
        if (person := self._household.people.get(person_id)) is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unknown_person",
                translation_placeholders={"person": person_id},
            )
        return person

    @callback
    def _async_tell(self, visit_id: str, failure: HomeAssistantError | None = None) -> None:
        for listener in list(self._listeners):
            listener(visit_id, failure)
