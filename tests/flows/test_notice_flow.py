"""The options of the papers: what they need to know, and the links to them."""

from html import unescape
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub

NOTICE = "/familiar_faces/notice"
FLOW = "/api/config/config_entries/options/flow"


async def submit(hass: HomeAssistant, entry: MockConfigEntry, **given: object) -> Any:
    """Fill in the notice's form, as an owner does."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "init")
    form = await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": "notice"})
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "notice", {})
    return await hass.config_entries.options.async_configure(menu["flow_id"], given)


async def test_off_until_switched_on(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """The paper is there from the moment at which it is switched on, until it is switched off."""
    hass.config_entries.async_update_entry(entry, options={"strictness": "strict"})
    visitor = await hass_client_no_auth()
    assert (await visitor.get(NOTICE)).status == 404
    done = await submit(
        hass, entry, notice=True, responsible="  Eileen \t Collins ", contact="me@example.org", language="nl"
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "strictness": "strict",
        "notice": True,
        "responsible": "Eileen Collins",
        "contact": "me@example.org",
        "language": "nl",
    }
    answer = await visitor.get(NOTICE)
    assert answer.status == 200
    html = await answer.text()
    assert "Eileen Collins" in html
    assert '<html lang="nl">' in html
    assert entry.runtime_data is hub

    # An emptied field is not sent.
    done = await submit(hass, entry, notice=False, responsible="Eileen Collins", language="de")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["contact"] == ""
    assert (await visitor.get(NOTICE)).status == 404


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"contact": "me@example.org"}, {"responsible": "responsible_needed"}),
        ({"responsible": " \t", "contact": "me@example.org"}, {"responsible": "responsible_needed"}),
        ({"responsible": "Eileen"}, {"contact": "contact_needed"}),
        ({}, {"responsible": "responsible_needed", "contact": "contact_needed"}),
        ({"responsible": "E" * 201, "contact": "c"}, {"base": "too_long"}),
        ({"responsible": "E", "contact": "c" * 201}, {"base": "too_long"}),
    ],
)
async def test_nobody_is_responsible(
    hass: HomeAssistant, entry: MockConfigEntry, given: dict[str, str], errors: dict[str, str]
) -> None:
    """Without a name and a way to reach them nothing is shown; what was typed is still in the form."""
    form = await submit(hass, entry, notice=True, language="en", **given)
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, errors)
    assert entry.options == {}
    suggested = {
        str(key): key.description["suggested_value"]
        for key in form["data_schema"].schema
        if key.description is not None
    }
    assert suggested == {"notice": True, "language": "en", **given}
    done = await hass.config_entries.options.async_configure(
        form["flow_id"], {"notice": True, "language": "en", "responsible": "E" * 200, "contact": "c" * 200}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_only_languages_that_there_are(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The language is one of the three, and at first that of Home Assistant."""
    hass.config.language = "de"
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": "notice"})
    (language,) = (key for key in form["data_schema"].schema if key == "language")
    assert language.description == {"suggested_value": "de"}
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"notice": False, "language": "fr"}
        )


async def test_the_links_lead_to_the_papers(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Who asks over the frontend's way gets links that work without a header, the record's for an hour."""
    assert await async_setup_component(hass, "config", {})
    owner, visitor = await hass_client(), await hass_client_no_auth()
    hass.config_entries.async_update_entry(
        entry, options={"notice": True, "responsible": "Eileen", "contact": "c", "language": "en"}
    )
    menu = await (await owner.post(FLOW, json={"handler": entry.entry_id})).json()
    form = await (await owner.post(f"{FLOW}/{menu['flow_id']}", json={"next_step_id": "papers"})).json()
    assert form["step_id"] == "papers"
    said = form["description_placeholders"]
    assert said["state"] == "Everybody can see these."
    links = re.findall(r'<a href="([^"]+)" target="_blank">([^<]+)</a>', said["public"] + said["records"])
    assert [name for _, name in links] == [
        "Notice",
        "Sign",
        "Retention policy",
        "Model card",
        "English",
        "Nederlands",
        "Deutsch",
    ]
    for path, _ in links:
        assert (await visitor.get(unescape(path))).status == 200
    hass.config_entries.async_update_entry(entry, options={"notice": False})
    assert [(await visitor.get(unescape(path))).status for path, _ in links] == [404] * 4 + [200] * 3

    await owner.post(f"{FLOW}/{menu['flow_id']}", json={})
    assert entry.options == {"notice": False}
    menu = await (await owner.post(FLOW, json={"handler": entry.entry_id})).json()
    form = await (await owner.post(f"{FLOW}/{menu['flow_id']}", json={"next_step_id": "papers"})).json()
    assert "switched off" in form["description_placeholders"]["state"]
