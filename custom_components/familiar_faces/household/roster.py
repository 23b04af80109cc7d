"""The people of an entry: as the vault keeps them, the subentries show them, and the gallery compares them."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
import logging

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import CONF_FORGETTING, CONF_PEOPLE, CONF_PERSON_ID, SUBENTRY_PERSON
from ..people.choices import ANYWHERE
from ..people.gallery import Gallery
from ..people.middles import Middles
from ..people.person import Person, narrowed
from ..vault.errors import ErasedLater, UnknownPerson, VaultError
from ..vault.records import Receipt
from ..vault.store import Vault
from .books import Books
from .issues import async_check_people, async_check_restored
from .options import chosen_retention
from .subentries import person_subentry

_LOGGER = logging.getLogger(__name__)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When nobody has begun to enrol."""


class Roster:
    """Keeps the three together, also over a crash or a full disk."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, vault: Vault, books: Books) -> None:
        """Know nobody yet."""
        self.people: dict[str, Person] = {}
        self.held: dict[str, str] = {}
        """The names of those who came with a restored backup, by their ids: not among `people` until the owner
        has said that they may be kept."""
        self.gallery: Gallery | None = None
        """None until the engine has said which embedding space it speaks."""
        self.middles = Middles()
        """What the cameras do to faces, as far as it was seen of people who agreed; in memory only."""
        self.on_narrowed: Callable[[str], None] | None = None
        """Called with the id of a person who agrees to less than was known before."""
        self.on_model: Callable[[], None] | None = None
        """Called when faces are compared in another embedding space than before, also when it is the first."""
        self._hass = hass
        self._entry = entry
        self._vault = vault
        self._books = books
        self._model: str | None = None
        self._lock = asyncio.Lock()
        self.leaving: set[str] = set()
        """Ids of people who are forgotten and may be shown for a moment longer; they never come back."""

    def anybody(self, camera_id: str = ANYWHERE) -> bool:
        """Return whether there is anybody who can and may be recognised now, at a camera."""
        now = dt_util.utcnow()
        return self.gallery is not None and any(
            person.may_be_recognised(now, camera_id)
            and any(each.usable and each.model == self.gallery.model for each in person.templates)
            for person in self.people.values()
        )

    def subentries(self) -> dict[str, ConfigSubentry]:
        """Return the subentries of people by the people's ids."""
        return {
            each.data[CONF_PERSON_ID]: each for each in self._entry.get_subentries_of_type(SUBENTRY_PERSON)
        }

    @property
    def forgetting(self) -> set[str]:
        """Return the ids of the people who are still to be forgotten; they are recognised by nobody."""
        return self._books.read(CONF_FORGETTING) | self._vault.leaving()

    async def async_refresh(self) -> None:
        """Read the people from the vault again, and build the gallery of them."""
        async with self._lock:
            people = await self._hass.async_add_executor_job(self._vault.people)
            # People to be forgotten are no longer recognised, even while the disk refuses.
            forgetting = self.forgetting
            people = [person for person in people if person.person_id not in forgetting]
            # Nor is anybody of a restored backup, before the owner has said that they may be kept.
            held = await self._hass.async_add_executor_job(self._vault.witness.held) - forgetting
            self.held = {person_id: self._name(person_id, people) for person_id in sorted(held)}
            people = [person for person in people if person.person_id not in held]
            before, self.people = self.people, {person.person_id: person for person in people}
            for person in people:
                known = before.get(person.person_id)
                if known is not None and narrowed(known, person):
                    self.middles.forget(person.person_id)
                    if self.on_narrowed is not None:
                        self.on_narrowed(person.person_id)
            now = dt_util.utcnow()
            for person_id in before:
                if person_id not in self.people or not self.people[person_id].may_be_recognised(now):
                    self.middles.forget(person_id)
            shown = [
                each
                for each in self._entry.subentries.values()
                if each.data.get(CONF_PERSON_ID) not in self.leaving | forgetting
            ]
            async_check_people(self._hass, shown, {*self.people, *held}, self._vault.damaged)
            async_check_restored(self._hass, bool(self.held))
            if self._model is not None:
                self.gallery = await self._async_build(people, self._model)

    def _name(self, person_id: str, people: list[Person]) -> str:
        """Return what to call somebody who may be unreadable, or not shown."""
        subentry = self.subentries().get(person_id)
        shown = person_id[:8] if subentry is None else str(subentry.data[CONF_NAME])
        return next((person.name for person in people if person.person_id == person_id), shown)

    async def async_set_model(self, model: str) -> None:
        """Compare in this embedding space from now on."""
        if model != self._model:
            self._model = model
            await self.async_refresh()
            if self.on_model is not None:
                self.on_model()

    async def async_gallery(self, model: str) -> Gallery:
        """Return the gallery of an embedding space."""
        if self.gallery is not None and self.gallery.model == model:
            return self.gallery
        return await self._async_build(list(self.people.values()), model)

    async def _async_build(self, people: list[Person], model: str) -> Gallery:
        return await self._hass.async_add_executor_job(partial(Gallery, people, model, middles=self.middles))

    async def async_forget(self, person_id: str, reason: str, also: Collection[str] = ()) -> Receipt | None:
        """Erase a person and return the receipt, None when nothing was kept of them.

        `also`: the keys of places of others to clear of their name.

        Raises ErasedLater when that failed and it is on the disk that it has to be done, another VaultError when
        not even that could be written. `async_forget_noted` tries again in both cases.
        """
        self.leaving.add(person_id)
        self._books.async_write(CONF_FORGETTING, self._books.read(CONF_FORGETTING) | {person_id})
        await self.async_let_go({person_id})
        try:
            receipt = await self._async_erase(person_id, reason, also)
        except ErasedLater:
            raise
        except VaultError as err:
            # A vault that is damaged, or lies on another disk than Home Assistant's own files.
            if await self._books.async_outlives(CONF_FORGETTING, person_id):
                raise ErasedLater(err.detail) from err
            raise
        try:
            await self.async_refresh()
        except VaultError as err:
            # They are erased, and no longer known anyway.
            _LOGGER.error("The people could not be read again; those known before are recognised: %s", err)
        return receipt

    async def async_let_go(self, person_ids: set[str]) -> None:
        """Forget people in memory. Nothing is read for it, so that no disk that fails stands in the way."""
        async with self._lock:
            self.people = {key: person for key, person in self.people.items() if key not in person_ids}
            for person_id in person_ids:
                self.middles.forget(person_id)
            self.held = {key: name for key, name in self.held.items() if key not in person_ids}
            if self.gallery is not None:
                people, model = list(self.people.values()), self.gallery.model
                self.gallery = await self._async_build(people, model)

    async def async_forget_noted(self) -> None:
        """Erase those whose erasure failed before."""
        for person_id in self.forgetting:
            try:
                await self._async_erase(person_id, "asked")
            except VaultError as err:
                _LOGGER.error("%s could not be erased yet, it is tried again in an hour: %s", person_id, err)

    async def _async_erase(self, person_id: str, reason: str, also: Collection[str] = ()) -> Receipt | None:
        receipt = None
        try:
            receipt = await self._hass.async_add_executor_job(
                self._vault.forget, person_id, dt_util.utcnow(), reason, also
            )
        except UnknownPerson:
            _LOGGER.debug("Nothing is kept of %s", person_id)
        self._books.async_write(CONF_FORGETTING, self._books.read(CONF_FORGETTING) - {person_id})
        return receipt

    async def async_abandon(self, person_id: str) -> None:
        """Erase somebody whose enrolment was given up."""
        try:
            await self._hass.async_add_executor_job(self._vault.forget, person_id, dt_util.utcnow())
        except UnknownPerson:
            pass
        except VaultError as err:
            _LOGGER.error("A given up enrolment could not be erased yet, the next start does: %s", err)

    @callback
    def async_note_people(self) -> None:
        """Note who is shown, to tell at the next start who was removed meanwhile."""
        self._books.async_write(CONF_PEOPLE, set(self.subentries()))

    async def async_recover(self, *, clock_believed: bool) -> None:
        """Finish what a crash or a full disk left half done, in favour of what was promised.

        Nothing is given up for its age while the clock is not believed.
        """
        await self.async_forget_noted()
        now = dt_util.utcnow()
        patience = chosen_retention(self._entry).invitation
        await self._hass.async_add_executor_job(
            lambda: self._vault.abandon_enrolments(
                now=now, linked_older=now - patience if clock_believed else _NEVER
            )
        )
        shown = self.subentries()
        forgotten = await self._hass.async_add_executor_job(
            lambda: [person_id for person_id in shown if self._vault.was_forgotten(person_id)]
        )
        for person_id in forgotten:
            self._hass.config_entries.async_remove_subentry(self._entry, shown[person_id].subentry_id)
        people = await self._hass.async_add_executor_job(self._vault.people)
        kept = {person.person_id: person for person in people}
        forgetting, noted = self.forgetting, self._books.read(CONF_PEOPLE)
        for person_id in {*kept, *self._vault.damaged} - set(shown) - forgetting:
            if person_id in noted:
                # Removed while this did not run.
                self._books.async_write(CONF_FORGETTING, self._books.read(CONF_FORGETTING) | {person_id})
            elif person_id in kept:
                # Home Assistant writes its own files a second later than the vault.
                _LOGGER.warning("A person was enrolled just before a crash and is shown again")
                self._hass.config_entries.async_add_subentry(self._entry, person_subentry(kept[person_id]))
        await self.async_forget_noted()
        self.async_note_people()
