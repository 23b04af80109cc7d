"""The options that put a visit right: chosen from a list, and who it was is said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..consent.invitations import Invited, mail, qr_markdown
from ..household.subentries import camera_names
from ..hub import Hub
from ..recognising.correct import async_correct
from ..recognising.naming import async_nameless
from ..seen.shown import Picture
from ..vault.errors import VaultError
from ..visits.visit import Decision
from ..wording.dates import async_say_moment
from ..wording.words import async_say

CONF_LEARN = "learn"
CONF_LINK = "link"
CONF_VISIT = "visit"
CONF_WHO = "who_it_was"
MOST = 50
"""How many visits can be chosen from."""
INVITE = "invite"
NOBODY = "nobody"
RIGHT = "right"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A visit that can be chosen."""

    visit_id: str
    camera_id: str
    at: datetime
    decision: Decision
    person_id: str | None = None
    name: str | None = None
    pictured: bool = False


class VisitsStep(OptionsFlow):
    """Lists the last visits, those without a name too while they are held, and takes the owner's word for one."""

    _visit: _Listed | None = None
    _listed: dict[str, _Listed]
    _invited: Invited | None = None

    async def async_step_visits(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which visit."""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if user_input is not None and (chosen := self._listed.get(user_input[CONF_VISIT])) is not None:
            self._visit = chosen
            return await self.async_step_visit()
        try:
            listed = await self._async_list(entry.runtime_data)
        except VaultError:
            return self.async_abort(reason="not_read")
        if not listed:
            return self.async_abort(reason="no_visits")
        self._listed = {each.visit_id: each for each in listed}
        cameras = camera_names(entry)
        options = [
            SelectOptionDict(value=each.visit_id, label=await self._async_label(each, cameras))
            for each in listed
        ]
        choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        return self.async_show_form(
            step_id="visits", data_schema=vol.Schema({vol.Required(CONF_VISIT): choice}), last_step=False
        )

    async def async_step_visit(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask who it was, and whether their face is to be learned."""
        visit, hub = self._visit, self.config_entry.runtime_data
        assert visit is not None, "one was chosen"
        errors: dict[str, str] = {}
        if user_input is not None:
            said = user_input[CONF_WHO]
            if said == INVITE:
                return await self.async_step_invite()
            try:
                await hub.async_whole(
                    async_correct(
                        hub,
                        visit.visit_id,
                        correct=said == RIGHT,
                        really=hub.people.get(said),
                        learn=user_input.get(CONF_LEARN, False),
                    )
                )
            except HomeAssistantError as err:
                errors["base"] = (
                    "no_consent"
                    if err.translation_key == "no_consent"
                    else "no_picture"
                    if err.translation_key == "no_picture"
                    else "learn_needs_person"
                    if err.translation_key == "learn_needs_person"
                    else "visit_gone"
                )
            else:
                return self.async_abort(reason="visit_corrected")
        name = "" if visit.name is None else visit.name
        right = (
            []
            if visit.person_id is None
            else [(RIGHT, await async_say(self.hass, "who_it_was", "right", name=name))]
        )
        now = dt_util.utcnow()
        people = sorted(
            (each.name, each.person_id)
            for each in hub.people.values()
            if each.person_id != visit.person_id and each.may_be_recognised(now, visit.camera_id)
        )
        last = [(NOBODY, await async_say(self.hass, "who_it_was", "nobody"))]
        if visit.person_id is None:
            last = [
                (INVITE, await async_say(self.hass, "who_it_was", "invite")),
                (NOBODY, await async_say(self.hass, "who_it_was", "discard")),
            ]
        options = [
            SelectOptionDict(value=value, label=label)
            for value, label in (*right, *((key, label) for label, key in people), *last)
        ]
        choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        schema: dict[vol.Marker, Any] = {vol.Required(CONF_WHO): choice}
        if visit.pictured:
            schema[vol.Required(CONF_LEARN, default=False)] = BooleanSelector()
        return self.async_show_form(
            step_id="visit",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), user_input),
            errors=errors,
            description_placeholders={
                "visit": await self._async_label(visit, camera_names(self.config_entry)),
                "picture": await self._async_picture(hub, visit),
            },
        )

    async def async_step_invite(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show an invitation for a visitor who is not on record; the page behind it adds them."""
        if user_input is not None:
            return self.async_abort(reason="invited")
        if self._invited is None:
            try:
                self._invited = await self.config_entry.runtime_data.invitations.async_invite()
            except HomeAssistantError as err:
                return self.async_abort(reason="no_url" if err.translation_key == "no_url" else "no_link")
        url = self._invited.url
        return self.async_show_form(
            step_id="invite",
            data_schema=vol.Schema({vol.Optional(CONF_LINK, default=url): TextSelector()}),
            description_placeholders={
                "url": url,
                "qr": qr_markdown(url),
                "mail": mail(url),
                "until": await async_say_moment(self.hass, self._invited.expires_at),
            },
        )

    async def _async_list(self, hub: Hub) -> list[_Listed]:
        """Return the visits that can be put right, newest first; raise VaultError."""
        now = dt_util.utcnow()
        listed = [
            _Listed(
                each.visit.visit_id,
                each.visit.camera_id,
                each.visit.started_at,
                each.visit.decision,
                pictured=each.picture is not None,
            )
            for each in hub.missed.all(now)
        ]
        held = {each.visit_id for each in listed}
        listed += [
            _Listed(each.visit_id, each.camera_id, each.at, Decision(each.decision), pictured=True)
            for each in await hub.review.async_items()
            if each.visit_id not in held
        ]
        listed += [
            _Listed(
                each.visit_id,
                each.camera_id,
                each.started_at,
                each.decision,
                each.person_id,
                each.name,
                each.picture is Picture.SHOWN,
            )
            for each in await hub.board.async_visits(limit=MOST)
        ]
        return sorted(listed, key=lambda each: each.at, reverse=True)[:MOST]

    async def _async_label(self, visit: _Listed, cameras: dict[str, str]) -> str:
        """Return what a visit is called in the list: when, where and who."""
        who = visit.name or await async_say(
            self.hass, "logbook", "who_stranger" if visit.decision is Decision.STRANGER else "who_unclear"
        )
        local, today = dt_util.as_local(visit.at), dt_util.now().date()
        # Today needs no date.
        at = f"{local:%H:%M}" if local.date() == today else await async_say_moment(self.hass, visit.at)
        return " · ".join((at, who, cameras.get(visit.camera_id, "")))

    async def _async_picture(self, hub: Hub, visit: _Listed) -> str:
        """Return the picture of a visit as Markdown, "" without one."""
        picture = None
        if visit.person_id is None:
            try:
                nameless = await async_nameless(hub, visit.visit_id)
            except VaultError:
                nameless = None
            picture = None if nameless is None else nameless.picture
        elif visit.pictured:
            try:
                picture = await self.hass.async_add_executor_job(hub.vault.visit_picture, visit.visit_id)
            except VaultError:
                picture = None
        if picture is None:
            return ""
        await hub.viewings.async_note(visit.person_id)
        path = hub.alerts.async_show(self.flow_id, picture)
        return "" if path is None else f"\n\n![]({path})"
