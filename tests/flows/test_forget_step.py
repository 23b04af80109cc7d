"""Forgetting from a person's menu: it names them, says what goes, asks, and shows the receipt."""

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.errors import VaultUnwritable

from ..common.notified import notified
from ..common.steps import choose, configure, reconfigure_person


async def test_nobody_is_forgotten_without_a_yes(
    hass: HomeAssistant, hub: Hub, visited: str, entry: MockConfigEntry
) -> None:
    """The dialog names the person and what goes; without the confirmation, or closed, everything stays."""
    result = await reconfigure_person(hass, entry)
    assert result["menu_options"][-1] == "forget"
    result = await choose(hass, result, "forget")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "forget")
    said = result["description_placeholders"]
    assert (said["name"], said["photos"], said["visits"], said["mentioned"]) == (
        "Eileen",
        "3",
        "1",
        "The name was found nowhere else.",
    )
    assert [str(key) for key in result["data_schema"].schema] == ["forget"]
    result = await configure(hass, result, {"forget": False})
    assert result["errors"] == {"forget": "forget_needed"}
    hass.config_entries.subentries.async_abort(result["flow_id"])
    assert visited in hub.people


async def test_forgotten_with_a_receipt(
    hass: HomeAssistant, hub: Hub, visited: str, entry: MockConfigEntry
) -> None:
    """After a yes they are gone, the receipt is shown, and the owner finds it again under Configure."""
    persistent_notification.async_create(hass, "Call Eileen", notification_id="call")
    persistent_notification.async_create(hass, "Eileen has a birthday", notification_id="birthday")
    result = await choose(hass, await reconfigure_person(hass, entry), "forget")
    (also,) = [key for key in result["data_schema"].schema if key == "also"]
    offered = result["data_schema"].schema[also].config["options"]
    assert [each["value"] for each in offered] == ["notification:birthday", "notification:call"]
    mentioned = result["description_placeholders"]["mentioned"]
    assert mentioned == ("**Also mentioned in:**\n\n- the notification birthday\n- the notification call")
    assert also.default() == [], "a name may mean something else"
    result = await configure(hass, result, {"forget": True, "also": ["notification:call"]})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "forgotten")
    assert result["description_placeholders"]["name"] == "Eileen"
    receipt = result["description_placeholders"]["receipt"]
    assert "- Photos: 3" in receipt
    assert "**Verified.**" in receipt
    assert "the notification birthday" in receipt
    assert "Eileen" not in receipt
    assert hub.people == {}
    assert entry.get_subentries_of_type("person") == []
    left = notified(hass)
    assert "birthday" in left
    assert "call" not in left

    menu = await hass.config_entries.options.async_init(entry.entry_id)
    shown = await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": "receipts"})
    assert shown["description_placeholders"] == {"count": "1", "receipts": receipt}
    done = await hass.config_entries.options.async_configure(shown["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == done["data"]


async def test_a_full_disk_is_said(
    hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be erased now is not called erased, and the person is no longer recognised."""
    result = await choose(hass, await reconfigure_person(hass, entry), "forget")

    def full(*_args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", full)
        result = await configure(hass, result, {"forget": True})
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "forget_later")
        assert not hub.can_recognise()
        await hass.async_block_till_done(wait_background_tasks=True)
    await hub.purging.async_purge()
    await hass.async_block_till_done(wait_background_tasks=True)
    receipt = await hass.async_add_executor_job(hub.vault.receipt, eileen)
    assert receipt is not None
    assert receipt.everywhere
