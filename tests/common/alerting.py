"""Alerts, what is told by them, and what is answered to it, for tests of alerts."""

from contextlib import closing
from http import HTTPStatus
import sqlite3
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.records import AuditEntry

from .phone import CLEAR, Phone
from .steps import ring


def an_alert(recipients: list[str], **changes: Any) -> ConfigSubentry:
    """Return an alert about everybody."""
    data = {"who": ["familiar", "stranger", "unclear"], "people": [], "recipients": recipients} | changes
    return ConfigSubentry(
        data=MappingProxyType(data), subentry_type="alert", title="Everybody", unique_id=None
    )


def add_alert(hass: HomeAssistant, entry: ConfigEntry[Any], *phones: Phone, **changes: Any) -> str:
    """Add an alert that tells phones of everybody at once, and return its id."""
    told = {"early": True, "picture": "familiar"} | changes
    alert = an_alert([phone.key for phone in phones], **told)
    hass.config_entries.async_add_subentry(entry, alert)
    return alert.subentry_id


def link(hass: HomeAssistant, phone: Phone, entity_id: str = "person.eileen") -> None:
    """Say whose phone it is, as Home Assistant's own person does."""
    hass.states.async_set(entity_id, "home", {"user_id": phone.user_id})


async def ring_and_tell(hass: HomeAssistant, hub: Hub) -> None:
    """Ring, and wait until everybody was told."""
    await ring(hass, hub)
    await hub.alerts.async_flush()


def shown(phone: Phone) -> list[str]:
    """Return what a phone shows."""
    return [each["message"] for each in phone.shown().values()]


def sounds(phone: Phone) -> list[str]:
    """Return what a phone said aloud."""
    return [
        each["message"]
        for each in phone.pushed
        if each["message"] != CLEAR and not each["data"].get("alert_once")
    ]


def titles(phone: Phone) -> list[str]:
    """Return what the buttons of the newest notification say."""
    return [each["title"] for each in phone.pushed[-1]["data"]["actions"]]


async def a_user(hass: HomeAssistant, name: str, group_id: str) -> MockUser:
    """Return a new user of a group."""
    group = await hass.auth.async_get_group(group_id)
    assert group is not None
    return MockUser(name=name, groups=[group]).add_to_hass(hass)


async def audited(hass: HomeAssistant, hub: Hub) -> list[AuditEntry]:
    """Return what the audit log says of answers, oldest first."""
    entries = await hass.async_add_executor_job(hub.vault.audit_entries)
    return [each for each in reversed(entries) if each.kind == "notification_answered"]


async def everything(hass: HomeAssistant, hub: Hub) -> dict[str, Any]:
    """Return all that an answer could change: every row of the vault, the books and the states."""

    def rows() -> list[str]:
        with closing(sqlite3.connect(vault_folder(hass) / "vault.db")) as connection:
            return list(connection.iterdump())

    await hass.async_block_till_done()
    return {
        "vault": await hass.async_add_executor_job(rows),
        "books": dict(hub.entry.data),
        "subentries": {key: dict(each.data) for key, each in hub.entry.subentries.items()},
        "states": {each.entity_id: (each.state, dict(each.attributes)) for each in hass.states.async_all()},
        "open": sorted(map(repr, hub.alerts.answers)),
    }


async def press(hass: HomeAssistant, phone: Phone, title: str) -> None:
    """Press a button of the newest notification."""
    assert await phone.press(phone.action(title)) == HTTPStatus.OK
    await hass.async_block_till_done()
