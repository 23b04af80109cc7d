"""The commands of the tab Privacy: what is kept, since when, and whether the audit log is whole."""

from datetime import datetime, timedelta
import re
from types import MappingProxyType
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.const import CONF_NOTICE, CONF_RESPONSIBLE, CONF_REVIEW_HOURS
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness import audit_trail
from custom_components.familiar_faces.vault.errors import VaultDamaged

from ..common.made_up_visits import a_visit, come
from ..common.source import FOLDER
from ..common.texts import TEXTS
from .conftest import OpenBrowser

SUMMARY = "familiar_faces/privacy/summary"
AUDIT = "familiar_faces/privacy/audit"
VERIFY = "familiar_faces/privacy/verify"
RECEIPTS = "familiar_faces/privacy/receipts"
ALL = (SUMMARY, AUDIT, VERIFY, RECEIPTS)


@pytest.mark.parametrize("who", ["user", "read-only", "linked"])
async def test_for_administrators_alone(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, who: str
) -> None:
    """Others are told nothing."""
    asking = await browser("user", own=nadie) if who == "linked" else await browser(who)
    for kind in ALL:
        assert await asking.refused(kind) == "unauthorized"


async def test_what_is_kept(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """The figures are those of the vault, and follow it."""
    asking = await browser()
    said = await asking.said(SUMMARY)
    assert (said["stored"]["people"], said["stored"]["visits"]) == (1, 0)
    assert said["oldest"]["visit"] is None
    for hours in (30, 2):
        await come(hass, hub, a_visit(hub, nadie, began=start - timedelta(hours=hours)))
    said = await asking.said(SUMMARY)
    assert (said["stored"]["visits"], said["stored"]["photos"]) == (2, 1)
    assert said["stored"]["bytes"] > 10_000
    assert dt_util.parse_datetime(said["oldest"]["visit"]) == start - timedelta(hours=30)
    assert dt_util.parse_datetime(said["next_purge"]) == start + timedelta(days=30, hours=-30)
    assert said["periods"]["visits"] == 30 * 86_400
    assert said["periods"]["review"] == 0
    assert said["links"] == {"invitations": 0, "own": 0}
    assert said["invitations"] == []
    first, second = await hub.invitations.async_invite(), await hub.invitations.async_invite(nadie)
    await hub.invitations.async_own_link(nadie)
    said = await asking.said(SUMMARY)
    assert said["links"] == {"invitations": 2, "own": 1}
    assert [(each["invitation_id"], each["name"]) for each in said["invitations"]] == [
        (first.invitation_id, None),
        (second.invitation_id, "Nadie"),
    ]
    assert dt_util.parse_datetime(said["invitations"][0]["until"]) == first.expires_at
    # Nobody can read a link that was handed out.
    assert first.url.rpartition("/")[2] not in str(said)
    await asking.said("familiar_faces/person/uninvite", invitation_id=first.invitation_id)
    assert [each["name"] for each in (await asking.said(SUMMARY))["invitations"]] == ["Nadie"]


async def test_where_it_goes(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """The engine on this machine has no address; one elsewhere is named without what opens it."""
    asking = await browser()
    said = await asking.said(SUMMARY)
    assert (said["engine"]["where"], said["engine"]["ready"]) == ("this_machine", True)
    assert said["engine"]["addresses"] == []
    assert said["engine"]["model"] is not None
    assert said["engine"]["up_seconds"] >= 0
    assert 50e6 < said["engine"]["memory"] < 2e9
    assert said["connections"] == {"cameras": 1, "phones": 0, "others": 0}
    with pytest.MonkeyPatch.context() as patching:
        data = {
            **hub.entry.data,
            "where": "another_machine",
            "url": "https://user:secret@engine.example:8443/x?token=secret",
            "token": "secret",
        }
        patching.setitem(vars(hub.entry), "data", MappingProxyType(data))
        said = await asking.said(SUMMARY)
    assert said["engine"]["addresses"] == [
        {"address": "engine.example:8443", "encrypted": True, "away": False}
    ]
    assert "secret" not in str(said)


async def test_an_engine_that_is_away(hub: Hub, browser: OpenBrowser) -> None:
    """Nothing is said of how long it runs, and the rest of the page is there."""
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("made up"))
    said = (await (await browser()).said(SUMMARY))["engine"]
    assert (said["ready"], said["up_seconds"], said["memory"]) == (False, None, None)


async def test_the_papers(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, hass_client_no_auth: Any
) -> None:
    """The record is there for who asks, by a signed path in their language."""
    asking = await browser()
    client = await hass_client_no_auth()
    said = (await asking.said(SUMMARY, language="nl"))["papers"]
    assert not said["shown"]
    answer = await client.get(said["record"])
    assert answer.status == 200
    assert 'lang="nl"' in await answer.text()
    assert (await client.get(said["record"].partition("?")[0])).status != 200
    hass.config_entries.async_update_entry(
        hub.entry, options={CONF_NOTICE: True, CONF_RESPONSIBLE: "Me", CONF_REVIEW_HOURS: 5}
    )
    await hass.async_block_till_done()
    again = await asking.said(SUMMARY)
    assert again["papers"]["shown"]
    assert again["periods"]["review"] == 5 * 3600


async def test_the_audit_log(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """The newest entries come first, with the names that the log itself lacks, and as many as are asked for."""
    user = await hass.auth.async_create_user("The owner")
    await hub.viewings.async_note(nadie, user.id)
    asking = await browser()
    said = await asking.said(AUDIT, limit=2)
    newest, before = said["entries"]
    assert (newest["kind"], newest["name"], newest["by"]) == ("faces_viewed", "Nadie", user.name)
    assert before["number"] == newest["number"] - 1
    assert said["more"]
    everything = await asking.said(AUDIT, limit=1000)
    assert not everything["more"]
    assert len(everything["entries"]) == (await asking.said(SUMMARY))["stored"]["audit_entries"]
    await hub.forgetting.async_forget(nadie)
    await hass.async_block_till_done(wait_background_tasks=True)
    entries = (await asking.said(AUDIT, limit=1000))["entries"]
    assert {each["name"] for each in entries if each["person_id"] == nadie} == {None}
    assert "Nadie" not in str(entries)


async def test_verification(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """It is said when it was, and an entry that something else has changed is found."""
    asking = await browser()
    assert (await asking.said(SUMMARY))["verified"] is None
    said = await asking.said(VERIFY)
    assert said["ok"]
    assert said["entries"] == (await asking.said(SUMMARY))["stored"]["audit_entries"]
    assert (await asking.said(SUMMARY))["verified"] == said

    def tamper() -> None:
        with hub.vault._database.write() as connection:
            connection.execute("DELETE FROM audit WHERE number = 2")

    await hass.async_add_executor_job(tamper)
    said = await asking.said(VERIFY)
    assert (said["ok"], said["first_bad"]) == (False, 2)
    assert (await asking.said(SUMMARY))["verified"] == said


async def test_not_all_the_time(hub: Hub, browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have it verified only so often."""
    monkeypatch.setattr(audit_trail, "AT_ONCE", 1)
    hub.audit_trail = audit_trail.AuditTrail(hub)
    one, other = await browser(), await browser()
    await one.said(VERIFY)
    assert await one.refused(VERIFY) == "identify_too_often"
    await other.said(VERIFY)


async def test_receipts(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """They say how much was erased, and name nobody."""
    asking = await browser()
    assert await asking.said(RECEIPTS) == {"receipts": []}
    await hub.forgetting.async_forget(nadie)
    await hass.async_block_till_done(wait_background_tasks=True)
    (receipt,) = (await asking.said(RECEIPTS))["receipts"]
    assert (receipt["person_id"], receipt["erased"]["photos"], receipt["everywhere"]) == (nadie, 1, True)
    assert "Nadie" not in str(receipt)


def test_every_kind_of_entry_has_its_words() -> None:
    """Whatever is written to the log can be read in each language."""
    kinds = set()
    for path in FOLDER.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        kinds |= set(re.findall(r'_audit\.append\(\s*connection,\s*"(\w+)"', source))
        kinds |= set(re.findall(r'vault\.audit[,(]\s*"(\w+)"', source))
        kinds |= set(re.findall(r'^[A-Z_]+ = "(\w+_changed|\w+_guessed)"', source, re.MULTILINE))
    assert {"purged", "faces_viewed", "setting_changed", "restored"} <= kinds
    for language in ("en", "de", "nl"):
        assert kinds <= set(TEXTS[language]["config_panel"]["audit"]), language


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (SUMMARY, {"language": "xx"}),
        (SUMMARY, {"language": ["en"]}),
        (AUDIT, {"limit": 0}),
        (AUDIT, {"limit": 1001}),
        (AUDIT, {"limit": "all"}),
        (AUDIT, {"person_id": "' OR 1=1 --"}),
        (RECEIPTS, {"limit": 101}),
        (RECEIPTS, {"limit": -1}),
        (VERIFY, {"mark": "/etc/passwd"}),
    ],
    ids=str,
)
async def test_malformed_and_huge(hub: Hub, browser: OpenBrowser, kind: str, asked: dict[str, Any]) -> None:
    """Each is refused, and the next one that is in order is answered."""
    asking = await browser()
    assert await asking.refused(kind, **asked) == "invalid_format"
    await asking.said(kind)


async def test_what_cannot_be_read(hub: Hub, browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged vault is said to be so."""

    def damaged(*args: object, **kwargs: object) -> None:
        raise VaultDamaged("a row")

    asking = await browser()
    for name in ("stored", "audit_entries", "verify_audit", "receipts"):
        monkeypatch.setattr(hub.vault, name, damaged)
    for kind in ALL:
        assert await asking.refused(kind) == "reading_failed"


async def test_while_it_does_not_run(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """Everything is refused with a sentence."""
    asking = await browser()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for kind in ALL:
        assert await asking.refused(kind) == "not_loaded"
