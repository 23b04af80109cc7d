"""The flow of an alert: who it is about, where and when, and who is notified how."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TimeSelector,
)
import voluptuous as vol

from ..alerts.recipients import PERSON, async_recipients
from ..alerts.rule import (
    CONF_AFTER,
    CONF_ANSWERS,
    CONF_BEFORE,
    CONF_CAMERAS,
    CONF_CRITICAL,
    CONF_EARLY,
    CONF_EVERY,
    CONF_HOME,
    CONF_PEOPLE,
    CONF_PICTURE,
    CONF_RECIPIENTS,
    CONF_WEEKDAYS,
    CONF_WHO,
    MAX_EVERY,
    WEEKDAYS,
    Home,
    Pictures,
    Who,
)
from ..alerts.trial import async_title, async_try
from ..const import SUBENTRY_ALERT
from ..household.subentries import camera_names
from ..wording.words import async_say
from .alert_choices import name_problem, people_of, unheard

if TYPE_CHECKING:
    from ..hub import Hub

WHO = SelectSelector(
    SelectSelectorConfig(
        options=list(Who), translation_key="alert_about", multiple=True, mode=SelectSelectorMode.LIST
    )
)
DAYS = SelectSelector(
    SelectSelectorConfig(
        options=list(WEEKDAYS), translation_key="weekday", multiple=True, mode=SelectSelectorMode.LIST
    )
)
HOME = SelectSelector(
    SelectSelectorConfig(options=list(Home), translation_key="alert_home", mode=SelectSelectorMode.LIST)
)
PICTURE = SelectSelector(
    SelectSelectorConfig(
        options=list(Pictures), translation_key="alert_picture", mode=SelectSelectorMode.LIST
    )
)
EVERY = NumberSelector(
    NumberSelectorConfig(min=0, max=MAX_EVERY, step=1, unit_of_measurement="min", mode=NumberSelectorMode.BOX)
)


class AlertFlow(ConfigSubentryFlow):
    """The steps of adding or changing an alert."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._name = ""
        self._data: dict[str, Any] = {}

    @property
    def _hub(self) -> Hub:
        hub: Hub = self._get_entry().runtime_data
        return hub

    # Who it is about, and where

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who the alert is about, and at which cameras."""
        return await self._async_step_about("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask the same again."""
        if not self._data:
            subentry = self._get_reconfigure_subentry()
            self._name, self._data = subentry.title, dict(subentry.data)
            if subentry.data.get(CONF_CAMERAS) == []:
                # Empty means every camera in the form, and must not come to mean it unseen.
                errors = {CONF_CAMERAS: "no_camera_left"}
                return await self._async_step_about("reconfigure", None, errors)
        return await self._async_step_about("reconfigure", user_input)

    async def _async_step_about(
        self, step_id: str, user_input: dict[str, Any] | None, errors: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            self._name = user_input[CONF_NAME].strip()
            self._data |= {key: user_input.get(key, []) for key in (CONF_WHO, CONF_PEOPLE)}
            self._data[CONF_CAMERAS] = user_input.get(CONF_CAMERAS) or None
            if not (errors := self._problems()):
                return await self.async_step_when()
        people, cameras = people_of(self._hub), camera_names(entry)
        schema: dict[vol.Marker, Any] = {vol.Required(CONF_NAME): TextSelector(), vol.Optional(CONF_WHO): WHO}
        if people:
            schema[vol.Optional(CONF_PEOPLE)] = _select(people)
        if cameras:
            schema[vol.Optional(CONF_CAMERAS)] = _select(cameras)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(schema),
                {
                    CONF_NAME: self._name,
                    CONF_WHO: self._data.get(CONF_WHO, []),
                    CONF_PEOPLE: [each for each in self._data.get(CONF_PEOPLE, []) if each in people],
                    CONF_CAMERAS: [each for each in self._data.get(CONF_CAMERAS) or [] if each in cameras],
                },
            ),
            errors=errors,
        )

    def _problems(self) -> dict[str, str]:
        """Return what is wrong with the chosen people and cameras; they may be gone by now."""
        errors: dict[str, str] = {}
        entry = self._get_entry()
        people, cameras = people_of(self._hub), camera_names(entry)
        own_id = self._get_reconfigure_subentry().subentry_id if self.source == SOURCE_RECONFIGURE else None
        taken = [
            each.title
            for each in entry.subentries.values()
            if each.subentry_type == SUBENTRY_ALERT and each.subentry_id != own_id
        ]
        match name_problem(self._name, taken, people.values()):
            case "needed":
                errors[CONF_NAME] = "name_needed"
            case "taken":
                errors[CONF_NAME] = "name_taken"
            case "a_person":
                errors[CONF_NAME] = "name_of_person"
        if not people.keys() >= set(self._data[CONF_PEOPLE]):
            errors[CONF_PEOPLE] = "person_gone"
        elif not self._data[CONF_WHO] and not self._data[CONF_PEOPLE]:
            errors[CONF_WHO] = "nobody_chosen"
        if not cameras.keys() >= set(self._data[CONF_CAMERAS] or ()):
            errors[CONF_CAMERAS] = "camera_gone"
        return errors

    # When

    async def async_step_when(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask at which times, and only if who is at home."""
        errors: dict[str, str] = {}
        if user_input is not None:
            for key in (CONF_AFTER, CONF_BEFORE):
                self._data[key] = user_input.get(key)
            self._data[CONF_WEEKDAYS] = [each for each in WEEKDAYS if each in user_input[CONF_WEEKDAYS]]
            self._data[CONF_HOME] = user_input[CONF_HOME]
            if self._data[CONF_AFTER] is not None and self._data[CONF_AFTER] == self._data[CONF_BEFORE]:
                errors[CONF_BEFORE] = "same_time"
            if not self._data[CONF_WEEKDAYS]:
                errors[CONF_WEEKDAYS] = "weekday_needed"
            if self._data[CONF_HOME] != Home.ANY and not self.hass.states.async_all(PERSON):
                errors[CONF_HOME] = "home_unknown"
            if not errors:
                return await self.async_step_whom()
        schema = vol.Schema(
            {
                vol.Optional(CONF_AFTER): TimeSelector(),
                vol.Optional(CONF_BEFORE): TimeSelector(),
                vol.Required(CONF_WEEKDAYS, default=list(WEEKDAYS)): DAYS,
                vol.Required(CONF_HOME, default=Home.ANY): HOME,
            }
        )
        return self.async_show_form(
            step_id="when",
            data_schema=self.add_suggested_values_to_schema(
                schema, {key: value for key, value in self._data.items() if value is not None}
            ),
            errors=errors,
        )

    # Who is told, and how

    async def async_step_whom(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who is told, and what a notification is like."""
        errors: dict[str, str] = {}
        known = [each.key for each in async_recipients(self.hass)]
        if user_input is not None:
            chosen = user_input.get(CONF_RECIPIENTS, [])
            self._data |= user_input | {CONF_RECIPIENTS: chosen, CONF_EVERY: int(user_input[CONF_EVERY])}
            if not chosen:
                errors[CONF_RECIPIENTS] = "recipient_needed"
            elif set(known).isdisjoint(chosen):
                errors[CONF_RECIPIENTS] = "recipient_gone"
            else:
                return await self.async_step_ready()
        # Those who are gone stay among the choices: they may be back tomorrow.
        kept = [each for each in self._data.get(CONF_RECIPIENTS, []) if each not in known]
        titles = {key: await async_title(self.hass, key) for key in [*known, *kept]}
        everybody = set(self._data[CONF_WHO]) == set(Who)
        schema = vol.Schema(
            {
                vol.Optional(CONF_RECIPIENTS): _select(titles),
                vol.Required(CONF_PICTURE, default=Pictures.FAMILIAR): PICTURE,
                vol.Required(CONF_EARLY, default=everybody): BooleanSelector(),
                vol.Required(CONF_EVERY, default=0): EVERY,
                vol.Required(CONF_CRITICAL, default=False): BooleanSelector(),
                vol.Required(CONF_ANSWERS, default=True): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="whom",
            data_schema=self.add_suggested_values_to_schema(schema, self._data),
            errors=errors,
        )

    # The test, and the end

    async def async_step_ready(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Offer a test, and say what will not be told."""
        return await self._async_show_ready([])

    async def async_step_test(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Send a test to everybody who was chosen, and say whether it went out."""
        tried = await async_try(
            self.hass,
            self._name,
            self._data[CONF_RECIPIENTS],
            critical=self._data[CONF_CRITICAL],
        )
        return await self._async_show_ready([f"- {each.words}" for each in tried])

    async def _async_show_ready(self, tested: list[str]) -> SubentryFlowResult:
        notes = ["\n".join(tested)] if tested else []
        if names := unheard(self._hub, self._data[CONF_PEOPLE], self._data[CONF_CAMERAS]):
            notes.append(await async_say(self.hass, "alert_test", "unheard", names=", ".join(names)))
        elif not any(
            map(self._hub.roster.anybody, self._data[CONF_CAMERAS] or camera_names(self._get_entry()))
        ):
            notes.append(await async_say(self.hass, "alert_test", "asleep"))
        return self.async_show_menu(
            step_id="ready",
            menu_options=["test", "save"],
            description_placeholders={"notes": "\n\n".join(notes)},
        )

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Keep the alert."""
        # Somebody may have been forgotten since they were chosen.
        errors = self._problems()
        if self.source == SOURCE_RECONFIGURE:
            if errors:
                return await self._async_step_about("reconfigure", None, errors)
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=self._name,
                data=self._data,
            )
        if errors:
            return await self._async_step_about("user", None, errors)
        return self.async_create_entry(title=self._name, data=self._data)


def _select(options: dict[str, str]) -> SelectSelector:
    """Return how several of these are chosen; their texts by their values."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=label) for value, label in options.items()],
            multiple=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
