"""The actions about consent and about what is kept, with a real vault."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness.viewing import Viewings
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.people.person import ConsentMethod
from custom_components.familiar_faces.services import ACTIONS
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.files import DATABASE

from ..common.calling import act, refused
from ..common.pictures import enrolment_photos
from ..common.steps import add_photo, choose, configure, consent, later, start_person
from ..conftest import CAMERA, FrontDoor


async def log(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    """Return the entries of the audit log, newest first."""
    return list((await act(hass, "audit_log", **data))["entries"])


def said(**changes: Any) -> dict[str, Any]:
    """Return what is said of a consent that is in order."""
    return {
        "person": "Eileen",
        "given_by": "Eileen",
        "method": "on_paper",
        "keeping": "visits",
        "pictures": True,
    } | changes


# Who may call them


WHOLE: dict[str, dict[str, Any]] = {
    "audit_log": {},
    "close_invitations": {},
    "correct_visit": {"visit_id": "1", "correct": True},
    "discard_review": {"all": True},
    "enrol": {
        "person": "Eileen",
        "image": {"media_content_id": "media-source://nowhere", "media_content_type": "image/jpeg"},
    },
    "export": {"person": "Eileen"},
    "forget": {"person": "Eileen"},
    "identify": {"camera": "camera.front_door"},
    "invite": {},
    "mentions": {"person": "Eileen"},
    "mute": {"person": "Eileen"},
    "purge": {},
    "receipts": {},
    "record_consent": said(),
    "verify_audit": {},
    "withdraw_consent": {"person": "Eileen"},
}
"""Everything that is for administrators alone, with data that its schema takes."""


def test_all_that_change_something_are_for_administrators() -> None:
    """No action is open to every user but those that only look."""
    looking = {"last_visits", "who_is_here"}
    assert {action.name for action in ACTIONS if action.everybody} == looking
    assert {action.name for action in ACTIONS} == WHOLE.keys() | looking


async def test_administrators_alone(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_read_only_user: MockUser
) -> None:
    """A user who is none is refused, and nothing happens."""
    for action, data in WHOLE.items():
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                action,
                data,
                blocking=True,
                return_response=True,
                context=Context(user_id=hass_read_only_user.id),
            )
    assert list(hub.people) == [eileen]
    assert len(hub.people[eileen].consents) == 1


async def test_while_nothing_runs(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Each says that nothing runs."""
    await hass.config_entries.async_unload(entry.entry_id)
    for action, data in WHOLE.items():
        assert await refused(hass, action, **data) == "not_loaded", action


@pytest.mark.parametrize("action", ["forget", "withdraw_consent"])
async def test_erasing_that_has_to_wait(
    hass: HomeAssistant, hub: Hub, eileen: str, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """That the disk refuses is said; they are no longer recognised anyway, and erased as soon as it can be."""

    def refuse(*_args: object) -> None:
        raise VaultUnwritable

    with monkeypatch.context() as full:
        full.setattr(hub.vault, "forget", refuse)
        assert await refused(hass, action, person="Eileen") == "forget_failed"
        assert hub.people == {}
        # What is done in the background tries it once more.
        await hass.async_block_till_done(wait_background_tasks=True)
        assert (await hass.async_add_executor_job(hub.vault.stored)).people == 1
    await act(hass, "purge")
    assert (await hass.async_add_executor_job(hub.vault.stored)).people == 0


async def test_with_a_vault_that_fails(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Each says what could not be done; none fails with anything else."""
    await hass.async_add_executor_job(hub.vault.close)
    for action in WHOLE.keys() - {"enrol", "forget", "identify", "mentions", "mute", "withdraw_consent"}:
        key = await refused(hass, action, **WHOLE[action])
        assert key.endswith("_failed"), (action, key)


# Consent


async def test_record_consent(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """The consent that is recorded is the one that counts, with the very text and each choice."""
    answer = await act(hass, "record_consent", **said(keeping="nothing", pictures=False, language="nl"))
    consent = hub.people[visited].consent
    assert consent is not None
    assert answer["consent_id"] == consent.consent_id
    assert answer["valid_until"] == consent.valid_until.isoformat()
    assert (consent.method, consent.given_by) == (ConsentMethod.ON_PAPER, "Eileen")
    assert consent.choices.keeping is Keeping.NOTHING
    assert not consent.choices.pictures
    assert consent.choices.cameras is None
    assert consent.text_version == "nl/4"
    assert consent.text == answer["text"]
    assert "gezicht" in consent.text
    # What it does not allow is gone.
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.visits, stored.pictures, stored.consents) == (0, 0, 2)
    newest = (await log(hass, person=visited))[0]
    assert newest["kind"] == "consent_recorded"
    assert (newest["details"]["keeping"], newest["details"]["pictures"]) == ("nothing", False)


async def test_record_consent_for_a_camera(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, entry: MockConfigEntry
) -> None:
    """A camera is said by its entity, and only there somebody is recognised then."""
    await act(hass, "record_consent", **said(cameras=CAMERA, given_on=str(dt_util.now().date())))
    (subentry_id,) = [key for key, each in entry.subentries.items() if each.subentry_type == "camera"]
    assert hub.people[eileen].choices.cameras == frozenset({subentry_id})
    assert hub.people[eileen].may_be_recognised(dt_util.utcnow(), subentry_id)
    assert not hub.people[eileen].may_be_recognised(dt_util.utcnow(), "another")
    assert await refused(hass, "record_consent", **said(cameras=["camera.garden"])) == "unknown_camera"
    assert len(hub.people[eileen].consents) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"given_on": 1}, "future"),
        ({"valid_until": 0}, "ended"),
        ({"valid_until": 4000}, ""),
    ],
)
async def test_consent_that_is_refused(
    hass: HomeAssistant, hub: Hub, eileen: str, changes: dict[str, int], word: str
) -> None:
    """What cannot be agreed to is refused with the sentence of the dialog."""
    days = {key: str(dt_util.now().date() + timedelta(days=day)) for key, day in changes.items()}
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "record_consent", **said(**days))
    assert caught.value.translation_key == "consent_refused"
    reason = (caught.value.translation_placeholders or {})["reason"]
    assert word in reason
    assert " " in reason, "not a sentence"
    assert len(hub.people[eileen].consents) == 1


async def test_consent_for_a_child(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """For a child somebody else says yes, also by action."""
    result = await start_person(hass, entry, name="Ada", child=True)
    result = await configure(
        hass,
        result,
        consent(given_by="Bo", valid_until=str(dt_util.now().date() + timedelta(days=90))),
    )
    await choose(hass, await add_photo(hass, result, enrolment_photos()[0]), "finish")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await refused(hass, "record_consent", **said(person="Ada", given_by="Ada")) == "consent_refused"
    await act(hass, "record_consent", **said(person="Ada", given_by="Bo"))
    (ada,) = hub.people.values()
    assert ada.consent is not None
    assert ada.consent.on_behalf_of_child
    assert ada.consent.valid_until - dt_util.utcnow() < timedelta(days=185)


@pytest.mark.parametrize(
    "data",
    [
        {key: value for key, value in said().items() if key != "keeping"},
        {key: value for key, value in said().items() if key != "pictures"},
        said(method="own_device"),
        said(given_by=" "),
        said(keeping="all"),
        said(cameras=[]),
        said(cameras="light.garden"),
        said(valid_until="tomorrow"),
        said(language="fr"),
        said(text="I said yes to everything"),
        said(person=None),
    ],
)
async def test_consent_said_wrongly(hass: HomeAssistant, hub: Hub, eileen: str, data: dict[str, Any]) -> None:
    """Nothing is agreed to by leaving it out, and nobody agrees on somebody's phone but they themselves."""
    with pytest.raises(vol.Invalid):
        await act(hass, "record_consent", **data)
    assert len(hub.people[eileen].consents) == 1


async def test_withdraw_consent(hass: HomeAssistant, hub: Hub, visited: str, entry: MockConfigEntry) -> None:
    """Withdrawing erases everything now, and answers with the receipt."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, visited), entry.entry_id)
    assert device is not None
    answer = await act(hass, "withdraw_consent", person=device.id)
    assert answer["person_id"] == visited
    assert answer["verified"]
    assert answer["erased"] == {
        "templates": 3,
        "photos": 3,
        "visits": 1,
        "pictures": 1,
        "consents": 1,
        "invitations": 0,
    }
    assert answer["elsewhere"]["backups"] == "not_reached"
    assert "Eileen" not in str(answer)
    assert hub.people == {}
    assert entry.get_subentries_of_type("person") == []
    entries = await log(hass, person_id=visited)
    kinds = [each["kind"] for each in reversed(entries)]
    assert kinds.index("consent_withdrawn") < kinds.index("forgotten")
    forgotten = next(each for each in entries if each["kind"] == "forgotten")
    assert forgotten["details"]["reason"] == "withdrawn"


async def test_withdrawing_cannot_be_stopped(
    hass: HomeAssistant, hub: Hub, visited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk refuses to note the withdrawal, everything is erased anyway."""

    def refuse(*_args: object) -> None:
        raise VaultUnwritable

    monkeypatch.setattr(hub.vault, "withdraw_consent", refuse)
    assert (await act(hass, "withdraw_consent", person="Eileen"))["verified"]
    assert hub.people == {}


# Forgetting and purging


async def test_forget_and_receipt(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Forgetting answers with the receipt, which can be asked for again, also without knowing the id."""
    answer = await act(hass, "forget", person="eileen")
    assert (answer["verified"], answer["erased"]["templates"]) == (True, 3)
    assert answer["finished_at"] is not None
    today = dt_util.now().date()
    assert await act(hass, "receipts") == {"receipts": [answer]}
    assert await act(hass, "receipts", person_id=visited) == {"receipts": [answer]}
    assert await act(hass, "receipts", forgotten_on=today.isoformat()) == {"receipts": [answer]}
    yesterday = (today - timedelta(days=1)).isoformat()
    assert await act(hass, "receipts", forgotten_on=yesterday) == {"receipts": []}
    # What was done with their data is found by the same day.
    theirs = await log(hass, forgotten_on=today.isoformat())
    assert theirs == await log(hass, person_id=visited) != []
    assert await log(hass, forgotten_on=yesterday) == []
    assert await refused(hass, "forget", person="Eileen") == "unknown_person"
    assert await refused(hass, "receipts", person_id="nobody") == "no_receipt"


async def test_mentions(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Where else a name is mentioned is answered, and it goes from those places that forgetting is given."""
    hass.states.async_set("sensor.word", "Eileen")
    hass.states.async_set("sensor.other", "Call Eileen")
    answer = await act(hass, "mentions", person="Eileen")
    assert answer["person_id"] == eileen
    assert answer["mentions"] == [
        {"place": f"entity:sensor.{each}", "kind": "entity", "where": f"sensor.{each}", "erasable": True}
        for each in ("other", "word")
    ]
    for place in ("file:automations.yaml", "nowhere", "entity"):
        assert await refused(hass, "forget", person="Eileen", also=[place]) == "unknown_place"
    answer = await act(hass, "forget", person="Eileen", also=["entity:sensor.word"])
    assert answer["mentioned"] == {"entity": ["sensor.other"]}
    assert (answer["verified"], answer["not_yet"]) == (True, [])
    states = [hass.states.get(f"sensor.{each}") for each in ("other", "word")]
    assert [state and state.state for state in states] == ["Call Eileen", "unknown"]


async def test_forget_somebody_unreadable(
    hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry
) -> None:
    """Somebody whose data can no longer be read can be forgotten anyway."""

    def damage() -> None:
        with sqlite3.connect(vault_folder(hass) / DATABASE) as connection:
            connection.execute("UPDATE person SET sealed = zeroblob(length(sealed))")
        connection.close()

    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(damage)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    assert hub.people == {}
    assert await refused(hass, "export", person="Eileen") == "unknown_person"
    assert (await act(hass, "forget", person="Eileen"))["erased"]["photos"] == 3
    assert (await hass.async_add_executor_job(hub.vault.stored)).people == 0


async def test_purge(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """What is past its time is erased, and counted."""
    # The clock purges too, whenever it is later, and would count what the action no longer finds.
    hub.clock.async_stop()
    nothing = dict.fromkeys(("visits", "pictures", "people", "invitations", "review", "audit_entries"), 0)
    assert await act(hass, "purge") == nothing
    await hass.config.async_update(external_url="https://home.example.org")
    await act(hass, "invite")
    with later(minutes=8 * 24 * 60):
        assert await act(hass, "purge") == nothing | {"pictures": 1, "invitations": 1}
        assert await act(hass, "purge") == nothing
    with later(minutes=31 * 24 * 60):
        assert await act(hass, "purge") == nothing | {"visits": 1}


# The audit log


async def test_audit_log(hass: HomeAssistant, hub: Hub, visited: str, entry: MockConfigEntry) -> None:
    """It says what was done, newest first, of one person when asked, and never a name."""
    await hass.config.async_update(external_url="https://home.example.org")
    await act(hass, "invite")
    entries = await log(hass)
    assert [each["number"] for each in entries] == sorted((each["number"] for each in entries), reverse=True)
    assert entries[0]["kind"] == "invitation_made"
    hers = await log(hass, person="Eileen")
    assert [each["kind"] for each in reversed(hers)] == [
        "consent_recorded",
        # With the first good photo.
        "reference_added",
        "enrolled",
        *["reference_added"] * 2,
    ]
    assert {each["person_id"] for each in hers} == {visited}
    assert "Eileen" not in str(entries)
    assert await log(hass, limit=2) == entries[:2]
    assert await log(hass, person_id="nobody") == []
    assert await refused(hass, "audit_log", person="Nobody") == "unknown_person"
    for data in ({"limit": 0}, {"limit": 1001}, {"person": "Eileen", "person_id": visited}):
        with pytest.raises(vol.Invalid):
            await act(hass, "audit_log", **data)


async def test_changes_of_cameras_are_noted(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A camera that is added, looked at at other times or removed is a change of the settings."""
    (camera,) = entry.get_subentries_of_type("camera")
    hass.config_entries.async_update_subentry(entry, camera, data={**camera.data, "mode": "on_motion"})
    await hass.async_block_till_done()
    hass.config_entries.async_update_subentry(entry, camera, title="Another name")
    await hass.async_block_till_done()
    hass.config_entries.async_remove_subentry(entry, camera.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    hass.config_entries.async_add_subentry(entry, camera)
    await hass.async_block_till_done()
    noted = [each["details"] for each in await log(hass) if each["details"].get("key") == "camera"]
    assert {each["of"] for each in noted} == {camera.subentry_id}
    assert [(each["old"], each["new"]) for each in reversed(noted)] == [
        ("on_ring", "on_motion"),
        ("on_motion", None),
        (None, "on_motion"),
    ]
    assert CAMERA not in str(noted)


async def test_views_are_noted_once_an_hour(
    hass: HomeAssistant,
    hub: Hub,
    visited: str,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_admin_user: MockUser,
) -> None:
    """A look at somebody's pictures is noted with the user, where it is known, and not for every refresh."""
    client, nobody = await hass_client(), await hass_client_no_auth()
    pictures = ("image.eileen_last_picture", "image.front_door_last_familiar_visitor")

    async def viewers() -> list[object]:
        entries = await log(hass, person_id=visited)
        return [each["details"]["user"] for each in entries if each["kind"] == "faces_viewed"]

    assert (await nobody.get(f"/api/image_proxy/{pictures[0]}")).status in (401, 403)
    assert await viewers() == []
    for _ in range(3):
        for picture in pictures:
            assert (await client.get(f"/api/image_proxy/{picture}")).status == 200
    assert await viewers() == [hass_admin_user.id]
    # As the frontend does: whose token it is cannot be told.
    for _ in range(3):
        token = hass.states.get(pictures[0]).attributes["entity_picture"]
        assert (await nobody.get(token)).status == 200
    assert await viewers() == ["unknown", hass_admin_user.id]


def test_when_a_view_is_noted_again() -> None:
    """After an hour, and not a second before; after a clock that went back, too; for each user and person."""
    viewings, now = Viewings(), dt_util.utcnow()
    assert viewings.first("ann", "eileen", now)
    assert not viewings.first("ann", "eileen", now + timedelta(minutes=59, seconds=59))
    assert viewings.first("ann", "ben", now)
    assert viewings.first("bob", "eileen", now)
    assert viewings.first("ann", None, now)
    assert viewings.first("ann", "eileen", now + timedelta(hours=1))
    assert viewings.first("ann", "eileen", now - timedelta(hours=1))


async def test_a_view_that_cannot_be_noted(
    hass: HomeAssistant,
    hub: Hub,
    visited: str,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that is full keeps nobody from their pictures; the next view is noted."""
    client = await hass_client()

    def refuse(*_args: object) -> None:
        raise VaultUnwritable

    with monkeypatch.context() as full:
        full.setattr(hub.vault, "audit", refuse)
        assert (await client.get("/api/image_proxy/image.eileen_last_picture")).status == 200
    assert (await log(hass))[0]["kind"] != "faces_viewed"
    assert (await client.get("/api/image_proxy/image.eileen_last_picture")).status == 200
    assert (await log(hass))[0]["kind"] == "faces_viewed"


def drop(connection: sqlite3.Connection) -> None:
    """Drop an entry."""
    connection.execute("DELETE FROM audit WHERE number = 3")


def drop_last(connection: sqlite3.Connection) -> None:
    """Drop the newest entry."""
    connection.execute("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)")


def swap(connection: sqlite3.Connection) -> None:
    """Swap what two entries say."""
    rows = dict(connection.execute("SELECT number, sealed FROM audit WHERE number IN (3, 4)").fetchall())
    for number, other in ((3, 4), (4, 3)):
        connection.execute("UPDATE audit SET sealed = ? WHERE number = ?", (rows[other], number))


def shift(connection: sqlite3.Connection) -> None:
    """Change when something was done."""
    connection.execute("UPDATE audit SET at = at + 1 WHERE number = 3")


@pytest.mark.parametrize("tamper", [drop, swap, shift])
async def test_verify_audit_finds_it(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    entry: MockConfigEntry,
    tamper: Callable[[sqlite3.Connection], None],
) -> None:
    """An entry that was dropped, swapped or moved in the file is found."""
    whole = await act(hass, "verify_audit")
    assert (whole["ok"], whole["first_bad"]) == (True, None)
    assert whole["entries"] >= 5
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(tampered, vault_folder(hass) / DATABASE, tamper)
    assert await hass.config_entries.async_setup(entry.entry_id)
    verdict = await act(hass, "verify_audit")
    assert (verdict["ok"], verdict["first_bad"]) == (False, 3)


async def test_verify_audit_finds_the_end_cut(
    hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry
) -> None:
    """Without its newest entry the log is not whole either."""
    count = (await act(hass, "verify_audit"))["entries"]
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(tampered, vault_folder(hass) / DATABASE, drop_last)
    assert await hass.config_entries.async_setup(entry.entry_id)
    verdict = await act(hass, "verify_audit")
    # Everybody is held now, which is an entry as well.
    assert (verdict["ok"], verdict["first_bad"]) == (False, count)


def tampered(path: Path, tamper: Callable[[sqlite3.Connection], None]) -> None:
    """Change the store behind the vault's back."""
    connection = sqlite3.connect(path)
    with connection:
        # It keeps this program from a mistake, and stops nobody who writes in the file.
        connection.execute("DROP TRIGGER audit_is_append_only")
        tamper(connection)
    connection.close()


async def test_verify_audit_finds_a_changed_byte(
    hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry
) -> None:
    """One byte of the file changed, in any entry, is found."""
    path = vault_folder(hass) / DATABASE
    await hass.config_entries.async_unload(entry.entry_id)

    def change() -> int:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        number, sealed = connection.execute(
            "SELECT number, sealed FROM audit ORDER BY number LIMIT 1 OFFSET 3"
        ).fetchone()
        connection.close()
        data = bytearray(path.read_bytes())
        assert data.count(sealed) == 1
        data[data.index(sealed) + len(sealed) // 2] ^= 1
        path.write_bytes(data)
        return int(number)

    number = await hass.async_add_executor_job(change)
    assert await hass.config_entries.async_setup(entry.entry_id)
    verdict = await act(hass, "verify_audit")
    assert (verdict["ok"], verdict["first_bad"]) == (False, number)
    assert await refused(hass, "audit_log") == "reading_failed"
