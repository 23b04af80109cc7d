"""Repairs that ask the owner something: an engine that fails, a clock, a restored backup, and a lost vault."""

from abc import ABC, abstractmethod
import asyncio
import logging
from typing import override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .capture.camera_settings import changed
from .consent.invitations import Invited, mail, qr_markdown
from .const import DOMAIN
from .erasing.start_over import async_start_over, async_vault_problem
from .host.engine_errors import EnvironmentFailed
from .household.engine_choice import async_get_environment
from .household.engine_trouble import async_trouble
from .household.issues import (
    CAMERA_NOBODY_AGREED,
    CAMERA_POSTER,
    CLOCK_DOUBTED,
    ENGINE_FAILED,
    NO_PEOPLE,
    RESTORED,
)
from .household.places import vault_folder
from .household.subentries import camera_names
from .hub import FamiliarFacesConfigEntry, Hub
from .running import async_running_hub
from .vault.errors import VaultError
from .vault.files import KEY
from .wording.dates import async_say_moment
from .wording.words import async_say

_LOGGER = logging.getLogger(__name__)

KEEP = "keep"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue."""
    if issue_id == ENGINE_FAILED:
        return EngineFlow()
    if issue_id == CLOCK_DOUBTED:
        return ClockFlow()
    if issue_id == NO_PEOPLE:
        return InviteFlow()
    if issue_id.startswith(CAMERA_NOBODY_AGREED):
        return AskFlow(issue_id.removeprefix(f"{CAMERA_NOBODY_AGREED}_"))
    if issue_id.startswith(CAMERA_POSTER):
        return PosterFlow(issue_id.removeprefix(f"{CAMERA_POSTER}_"))
    return RestoredFlow() if issue_id == RESTORED else VaultFlow()


class _ConfirmFlow(RepairsFlow, ABC):
    """Begins by asking."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask. What the first step is given is the issue, and no answer."""
        return await self.async_step_confirm()

    @abstractmethod
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what follows, and do it once that is confirmed."""


class _CameraFlow(_ConfirmFlow):
    """Is about a camera."""

    def __init__(self, camera_id: str) -> None:
        """Ask about a camera."""
        self._camera_id = camera_id


class AskFlow(_CameraFlow):
    """Asks everybody to agree to a camera: each gets an invitation to renew their consent."""

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say who is asked, and how."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return await self.async_step_links()
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "camera": camera_names(hub.entry).get(self._camera_id, ""),
                "people": ", ".join(sorted(each.name for each in hub.people.values())),
            },
        )

    async def async_step_links(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show everybody's invitation, to be handed on."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return self.async_create_entry(data={})
        lines, by_mail = [], await async_say(self.hass, "invitation", "mail")
        try:
            for person in sorted(hub.people.values(), key=lambda each: each.name):
                invited = await hub.invitations.async_invite(person.person_id)
                lines.append(
                    f"- **{person.name}**\n\n  `{invited.url}`\n\n  [{by_mail}]({mail(invited.url)})"
                )
        except HomeAssistantError:
            return self.async_abort(reason="no_link")
        return self.async_show_form(
            step_id="links",
            data_schema=vol.Schema({}),
            description_placeholders={"links": "\n".join(lines)},
        )


class PosterFlow(_CameraFlow):
    """Has a camera ignore the faces that it sees all the time and that never move."""

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what follows, and do it."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        watcher = hub.watchers.get(self._camera_id)
        posters = () if watcher is None else watcher.suspected.likely
        if user_input is None and posters:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders={
                    "camera": camera_names(hub.entry).get(self._camera_id, ""),
                    "count": str(len(posters)),
                },
            )
        if posters:
            subentry = hub.entry.subentries[self._camera_id]
            data = changed(subentry.data, ignored=posters)
            self.hass.config_entries.async_update_subentry(hub.entry, subentry, data=data)
        return self.async_create_entry(data={})


class InviteFlow(RepairsFlow):
    """Invites the first person: without one nobody is recognised."""

    _invited: Invited | None = None

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show an invitation. What the first step is given is the issue, and no answer."""
        return await self.async_step_invite()

    async def async_step_invite(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show an invitation; the page behind it adds the person."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return self.async_create_entry(data={})
        if self._invited is None:
            try:
                self._invited = await hub.invitations.async_invite()
            except HomeAssistantError:
                return self.async_abort(reason="no_link")
        url = self._invited.url
        return self.async_show_form(
            step_id="invite",
            data_schema=vol.Schema({}),
            description_placeholders={
                "url": url,
                "qr": qr_markdown(url),
                "mail": mail(url),
                "until": await async_say_moment(self.hass, self._invited.expires_at),
            },
        )


class EngineFlow(_ConfirmFlow):
    """Says why the engine on this machine does not work, and tries to put it right."""

    def __init__(self) -> None:
        """Start with nothing tried."""
        self._trying: asyncio.Task[None] | None = None
        self._failure: EnvironmentFailed | None = None

    @override
    @callback
    def async_remove(self) -> None:
        """Stop trying when the dialog is closed; the engine goes on trying by itself."""
        if self._trying is not None:
            self._trying.cancel()

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say why it does not work now, and have it be tried again."""
        if user_input is not None:
            return await self.async_step_try_again()
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={"reason": async_trouble(self.hass, hub.engine.problem)},
        )

    async def async_step_try_again(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Look at everything that the engine is made of, and make again what is wrong."""
        if self._trying is None:
            environment = async_get_environment(self.hass)
            environment.distrust()

            def progress(share: float, step: str) -> None:
                self.async_update_progress(share)

            self._trying = self.hass.async_create_task(environment.prepare(progress), f"{DOMAIN} repair")
        if not self._trying.done():
            return self.async_show_progress(
                step_id="try_again", progress_action="try_again", progress_task=self._trying
            )
        trying, self._trying = self._trying, None
        try:
            await trying
        except EnvironmentFailed as err:
            _LOGGER.warning("The engine could not be put right: %s", err.detail)
            self._failure = err
            return self.async_show_progress_done(next_step_id="still_failing")
        return self.async_show_progress_done(next_step_id="mended")

    async def async_step_still_failing(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is wrong now, and offer to try once more."""
        if user_input is not None:
            return await self.async_step_try_again()
        return self.async_show_form(
            step_id="still_failing",
            data_schema=vol.Schema({}),
            description_placeholders={"reason": async_trouble(self.hass, self._failure)},
        )

    async def async_step_mended(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Have the engine start at once."""
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            await self.hass.config_entries.async_reload(entry.entry_id)
        return self.async_create_entry(data={})


class ClockFlow(_ConfirmFlow):
    """Asks whether the time is right, after a jump that nothing else explains."""

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what the clock shows and what it should show, and what follows when it is right."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            hub.clock_watch.async_confirm()
            return self.async_create_entry(data={})
        if hub.wall_clock.believed():
            # It was put right meanwhile.
            hub.clock_watch.async_look()
            return self.async_create_entry(data={})
        expected = hub.wall_clock.expected
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "now": await async_say_moment(self.hass, dt_util.utcnow()),
                "expected": "?" if expected is None else await async_say_moment(self.hass, expected),
            },
        )


class RestoredFlow(RepairsFlow):
    """Asks which of the people who came back with a backup to keep."""

    _keep: frozenset[str] = frozenset()

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        return await self.async_step_people()

    async def async_step_people(self, user_input: dict[str, list[str]] | None = None) -> RepairsFlowResult:
        """Show everybody by name.

        Nobody is chosen beforehand. Chosen, a careless click would have people recognised again who withdrew;
        not chosen, it would erase everybody, were it not for the next step, which names who is to be erased.
        """
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            self._keep = frozenset(user_input.get(KEEP, ()))
            return await self.async_step_forget() if self._lost(hub) else await self._async_answer(hub)
        if not hub.roster.held:
            return self.async_create_entry(data={})
        options = [SelectOptionDict(value=key, label=name) for key, name in hub.roster.held.items()]
        config = SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        return self.async_show_form(
            step_id="people",
            data_schema=vol.Schema({vol.Optional(KEEP, default=list): SelectSelector(config)}),
        )

    async def async_step_forget(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say who is erased for good, and do it."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return await self._async_answer(hub)
        return self.async_show_form(
            step_id="forget",
            data_schema=vol.Schema({}),
            description_placeholders={"people": ", ".join(self._lost(hub))},
        )

    def _lost(self, hub: Hub) -> list[str]:
        held = hub.roster.held
        return sorted(name for person_id, name in held.items() if person_id not in self._keep)

    async def _async_answer(self, hub: Hub) -> RepairsFlowResult:
        if not await hub.async_whole(hub.restored.async_answer(self._keep)):
            return self.async_abort(reason="not_saved")
        return self.async_create_entry(data={})


class VaultFlow(RepairsFlow):
    """Offers to try again, or to erase unreadable data."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Offer both."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["try_again", "start_over"],
            description_placeholders={"file": str(vault_folder(self.hass) / KEY)},
        )

    async def async_step_try_again(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Set up again, with what was put back meanwhile."""
        entry = self._entry()
        if entry.state is not ConfigEntryState.LOADED:
            await self.hass.config_entries.async_reload(entry.entry_id)
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="still_failing")
        return self.async_create_entry(data={})

    async def async_step_start_over(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is lost, and erase it."""
        entry = self._entry()
        if user_input is None:
            return self.async_show_form(step_id="start_over", data_schema=vol.Schema({}))
        if entry.state is not ConfigEntryState.SETUP_ERROR:
            return self.async_abort(reason="not_needed")
        if (problem := await async_vault_problem(self.hass, entry)) is None:
            # It was put right meanwhile: what can be used is not erased.
            await self.hass.config_entries.async_reload(entry.entry_id)
            return self.async_abort(reason="not_needed")
        try:
            # Anyone who hangs up now has said so.
            await asyncio.shield(self.hass.async_create_task(async_start_over(self.hass, entry)))
        except VaultError:
            return self.async_abort(reason="not_erased")
        await self.hass.config_entries.async_reload(entry.entry_id)
        if (hub := async_running_hub(self.hass)) is not None:
            details = {"problem": type(problem).__name__}
            await self.hass.async_add_executor_job(
                hub.vault.audit, "started_over", None, details, dt_util.utcnow()
            )
        return self.async_create_entry(data={})

    def _entry(self) -> FamiliarFacesConfigEntry:
        entry: FamiliarFacesConfigEntry = self.hass.config_entries.async_entries(DOMAIN)[0]
        return entry
