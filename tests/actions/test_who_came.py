"""The actions `last_visits`, `who_is_here` and `enrol`, with the real engine and a real vault."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import re
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    script,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser, async_mock_service
import voluptuous as vol
import yaml

from custom_components.familiar_faces.const import DOMAIN, EVERYWHERE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultDamaged
from custom_components.familiar_faces.visits.open_visits import GAP

from ..common.calling import act, last_visits, refused
from ..common.exposing import SEEN, VISITOR, a_user
from ..common.people_on_record import DAY, a_consent, at, now, put_on_record, put_visit
from ..common.pictures import astronaut, enrolment_photos, frame, jpeg, stranger, variant
from ..common.source import ROOT
from ..common.steps import enrol, later, ring, templates_of
from ..conftest import CAMERA, FrontDoor, a_door, an_entry, put_up, set_up


def moments(found: list[dict[str, Any]]) -> list[datetime]:
    """Return when visits began, in UTC."""
    return [datetime.fromisoformat(each["started_at"]).astimezone(UTC) for each in found]


# Who came


async def test_who_came(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """The visit is told of with who, where and when; of the stranger beside her nothing is."""
    await hass.config.async_set_time_zone("Europe/Amsterdam")
    (visit,) = await last_visits(hass)
    (camera_id,) = hub.watchers
    state = hass.states.get(VISITOR)
    assert state is not None
    started_at = datetime.fromisoformat(visit.pop("started_at"))
    assert dt_util.utcnow() - timedelta(minutes=1) < started_at <= dt_util.utcnow()
    assert started_at.utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    assert datetime.fromisoformat(visit.pop("last_seen_at")) >= started_at
    assert 0.9 < visit.pop("confidence") <= 1
    (kept,) = await hass.async_add_executor_job(hub.vault.visits)
    assert visit == {
        "visit_id": kept.visit_id,
        "person_id": visited_by_two,
        "name": "Eileen",
        "camera_id": camera_id,
        "camera": CAMERA,
        "camera_name": "Front door",
        "picture": "shown",
    }


async def test_nobody_came(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Where nobody came, nobody is told of."""
    assert await last_visits(hass) == []


async def test_newest_first_and_not_too_many(hass: HomeAssistant, hub: Hub, days_of_nadie: datetime) -> None:
    """Visits come newest first, of several people together, as many as were asked for."""
    await put_on_record(
        hass, hub, a_consent(days_of_nadie - 100 * DAY, days_of_nadie + 100 * DAY), "nemo", "Nemo"
    )
    await put_visit(hass, hub, days_of_nadie - 2 * DAY, "nemo")
    found = await last_visits(hass)
    assert [each["name"] for each in found] == ["Nadie", "Nadie", "Nemo", "Nadie"]
    assert moments(found) == sorted(moments(found), reverse=True)
    assert [each["name"] for each in await last_visits(hass, limit=3)] == ["Nadie", "Nadie", "Nemo"]
    # That camera is gone: it has no name now.
    assert {each["camera"] for each in found} == {None}


@pytest.mark.parametrize("by", ["name", "id", "device", "several"])
async def test_of_one_person(hass: HomeAssistant, hub: Hub, days_of_nadie: datetime, by: str) -> None:
    """A person may be named by name, id or device, alone or among others."""
    await put_on_record(
        hass, hub, a_consent(days_of_nadie - 100 * DAY, days_of_nadie + 100 * DAY), "nemo", "Nemo"
    )
    await put_visit(hass, hub, days_of_nadie - 2 * DAY, "nemo")
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, "nemo"), hub.entry.entry_id)
    assert device is not None
    said = {"name": "nemo", "id": "nemo", "device": device.id, "several": ["Nemo", "nadie"]}[by]
    found = await last_visits(hass, person=said)
    assert {each["name"] for each in found} == ({"Nemo", "Nadie"} if by == "several" else {"Nemo"})


async def test_by_time(hass: HomeAssistant, hub: Hub, days_of_nadie: datetime) -> None:
    """Only visits of the time that was asked for are told of; until is not part of it."""
    yesterday, last_week = days_of_nadie - DAY, days_of_nadie - 7 * DAY
    assert moments(await last_visits(hass, within={"hours": 2})) == [days_of_nadie]
    assert moments(await last_visits(hass, within={"days": 2})) == [days_of_nadie, yesterday]
    assert moments(await last_visits(hass, since=yesterday)) == [days_of_nadie, yesterday]
    assert moments(await last_visits(hass, until=days_of_nadie)) == [yesterday, last_week]
    assert moments(await last_visits(hass, since=last_week, until=yesterday)) == [last_week]
    assert moments(await last_visits(hass, since=yesterday - timedelta(hours=1), limit=1)) == [days_of_nadie]


async def test_a_time_without_a_time_zone_is_of_this_home(
    hass: HomeAssistant, hub: Hub, days_of_nadie: datetime
) -> None:
    """What the editor says has no time zone, and means the one of this home."""
    await hass.config.async_set_time_zone("Asia/Tokyo")
    just_before = dt_util.as_local(days_of_nadie - timedelta(minutes=1)).replace(tzinfo=None)
    assert moments(await last_visits(hass, since=just_before.isoformat(" "))) == [days_of_nadie]
    just_after = dt_util.as_local(days_of_nadie + timedelta(minutes=1)).replace(tzinfo=None)
    assert await last_visits(hass, since=just_after.isoformat(" ")) == []


async def test_by_camera(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Only visits at the cameras that were asked for are told of, however many there were elsewhere."""
    for minutes in (1, 2, 3):
        await put_visit(hass, hub, now() + timedelta(minutes=minutes), visited_by_two)
    with later(minutes=4):
        assert len(await last_visits(hass)) == 4
        (found,) = await last_visits(hass, camera=CAMERA, limit=2)
        assert found["camera_name"] == "Front door"


async def test_bad_requests(hass: HomeAssistant, hub: Hub, days_of_nadie: datetime) -> None:
    """What cannot be is said in words; an unknown name is not told from one that nothing is known of."""
    assert await refused(hass, "last_visits", person="Nobody") == "unknown_person"
    assert await refused(hass, "last_visits", person=["Nadie", "Nobody"]) == "unknown_person"
    assert await refused(hass, "last_visits", camera="camera.elsewhere") == "unknown_camera"
    assert await refused(hass, "who_is_here", camera="camera.elsewhere") == "unknown_camera"
    assert await refused(hass, "last_visits", since=days_of_nadie, within={"hours": 1}) == "two_periods"
    assert await refused(hass, "last_visits", since=days_of_nadie, until=days_of_nadie) == "bad_period"
    assert await refused(hass, "last_visits", since=now() + DAY) == "bad_period"
    assert await refused(hass, "last_visits", within={"hours": 0}) == "bad_period"
    assert await refused(hass, "last_visits", within={"days": 999_999}) == "bad_period"
    bad: tuple[dict[str, Any], ...] = (
        {"limit": 0},
        {"person": []},
        {"camera": "light.hall"},
        {"camera": 5},
        {"since": "yesterday"},
        {"within": {"days": 10**12}},
        {"within": "inf"},
        {"x": 1},
    )
    for wrong in bad:
        with pytest.raises(vol.Invalid):
            await act(hass, "last_visits", **wrong)


async def test_a_vault_that_fails(
    hass: HomeAssistant, hub: Hub, days_of_nadie: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vault that cannot be read is said, and nobody is taken to have stayed away."""

    def fail(*_args: object, **_given: object) -> None:
        raise VaultDamaged

    monkeypatch.setattr(hub.vault, "visit_page", fail)
    assert await refused(hass, "last_visits") == "reading_failed"


async def test_while_nothing_runs(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Both say so when nothing runs."""
    await hass.config_entries.async_unload(entry.entry_id)
    for action in ("last_visits", "who_is_here"):
        assert await refused(hass, action) == "not_loaded"


async def test_in_an_automation(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """The answers can be used in templates."""
    said: list[str] = []
    hass.bus.async_listen("said", lambda event: said.append(event.data["text"]))
    actions = [
        {
            "action": f"{DOMAIN}.last_visits",
            "data": {"person": "{{ 'Eileen' }}", "within": {"minutes": 5}, "limit": 1},
            "response_variable": "came",
        },
        {"action": f"{DOMAIN}.who_is_here", "response_variable": "who"},
        {
            "event": "said",
            "event_data": {
                "text": "{{ came.visits[0].name }} {{ (now() - as_datetime(came.visits[0].started_at)).days }} "
                "{{ who.cameras[0].people | map(attribute='name') | join(', ') }} {{ who.strangers }}"
            },
        },
    ]
    assert await async_setup_component(hass, "script", {"script": {"ask": {"sequence": actions}}})
    await hass.services.async_call("script", "ask", blocking=True)
    await hass.async_block_till_done()
    assert said == ["Eileen 0 Eileen 1"]


async def test_the_documented_examples(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """The examples of the documentation run, and say what they promise."""
    text = (ROOT / "docs" / "voice.md").read_text(encoding="utf-8")
    home, late, hello = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    shown = async_mock_service(hass, "persistent_notification", "create")
    told = async_mock_service(hass, "notify", "send_message")
    spoken = async_mock_service(hass, "tts", "speak")

    async def run(example: dict[str, Any]) -> None:
        sequence = await script.async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(example["actions"]))
        await script.Script(hass, sequence, "example", DOMAIN).async_run(context=Context())

    await run(home)
    message = shown[0].data["message"]
    (visit,) = await last_visits(hass)
    assert message == f"- Eileen, Front door, {datetime.fromisoformat(visit['started_at']):%H:%M}"

    await run(hello)
    assert spoken == [], "there is a stranger beside her"
    hub.open_visits.drop(next(each.visit_id for each in hub.open_visits.visits if each.person_id is None))
    await run(hello)
    assert spoken[0].data["message"] == "Eileen at the door."

    late["actions"][0]["data"] |= {"person": "Eileen", "since": "{{ today_at('00:00') }}"}
    await run(late)
    assert told == []
    await hub.forgetting.async_forget(visited_by_two)
    await put_on_record(hass, hub, a_consent(now() - DAY, now() + DAY), name="Anna")
    late["actions"][0]["data"]["person"] = "Anna"
    await run(late)
    assert "Anna was not seen" in told[0].data["message"]


# Who may not be mentioned


async def test_no_longer_than_it_is_kept(hass: HomeAssistant, hub: Hub, days_of_nadie: datetime) -> None:
    """A visit that is past its time is not told of, also before the purge has come."""
    hub.clock.async_stop()
    with at(days_of_nadie + hub.retention.visits - timedelta(seconds=1)):
        assert moments(await last_visits(hass)) == [days_of_nadie]
    with at(days_of_nadie + hub.retention.visits):
        assert await last_visits(hass) == []
    assert (await hass.async_add_executor_job(hub.vault.stored)).visits == 3


async def test_who_was_forgotten(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Of somebody who was forgotten nothing is told, not even while their visit goes on."""
    await hub.forgetting.async_forget(visited_by_two)
    assert await last_visits(hass) == []
    (here,) = (await act(hass, "who_is_here"))["cameras"]
    assert (here["people"], here["others"], here["strangers"]) == ([], 0, 1)
    assert await refused(hass, "last_visits", person="Eileen") == "unknown_person"


async def test_who_is_held(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Nothing is told of people of a restored backup before the owner has said that they may be kept."""
    await hass.async_add_executor_job(hub.vault.witness.hold_everybody, now())
    await hub.async_refresh_people()
    assert hub.roster.held
    assert await last_visits(hass) == []
    answer = await act(hass, "who_is_here")
    assert (answer["cameras"][0]["people"], answer["present"], answer["others"]) == ([], [], 0)


async def test_who_keeps_nothing(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Of somebody who has nothing kept, it is told that they are there, and not that they were."""
    await say_otherwise(hass, hub, visited_by_two, Keeping.NOTHING)
    assert await last_visits(hass, person="Eileen") == []
    await ring(hass, hub)
    answer = await act(hass, "who_is_here")
    assert [each["name"] for each in answer["cameras"][0]["people"]] == ["Eileen"]
    assert await last_visits(hass) == []


async def test_who_stays_silent(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Of somebody who stays silent nothing is told, as if nobody were there; naming them is no error."""
    await say_otherwise(hass, hub, visited_by_two, Keeping.SILENT)
    await ring(hass, hub)
    assert any(visit.person_id == visited_by_two for visit in hub.open_visits.visits)
    assert await last_visits(hass, person="Eileen") == []
    answer = await act(hass, "who_is_here")
    (here,) = answer["cameras"]
    assert (here["people"], here["others"], here["strangers"]) == ([], 0, 1)
    assert (answer["present"], answer["others"]) == ([], 0)


async def say_otherwise(hass: HomeAssistant, hub: Hub, person_id: str, keeping: Keeping) -> None:
    """Have somebody agree to less than before."""
    moment = now()
    consent = a_consent(moment, moment + 100 * DAY, choices=Choices(keeping=keeping))
    await hass.async_add_executor_job(hub.vault.record_consent, person_id, consent, moment)
    await hub.async_refresh_people()


async def test_whose_consent_ran_out(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Somebody whose consent has run out is no longer there."""
    consent = hub.people[visited_by_two].consent
    assert consent is not None
    still = hub.open_visits.visits
    with later(until=consent.valid_until + timedelta(seconds=1)):
        for each in still:
            object.__setattr__(each, "last_seen_at", dt_util.utcnow())
        (here,) = (await act(hass, "who_is_here"))["cameras"]
        assert (here["people"], here["others"], here["strangers"]) == ([], 0, 1)


# Who may be told


async def test_a_user_is_told_what_they_may_read(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Each user is told as much as the entities say that they may read; an automation is told everything."""
    both, person = a_user(hass, VISITOR, SEEN), a_user(hass, SEEN)
    camera, neither = a_user(hass, VISITOR), a_user(hass, "light.hall")
    (told,) = await last_visits(hass, both)
    assert (told["name"], told["camera_name"]) == ("Eileen", "Front door")
    (told,) = await last_visits(hass, person)
    assert (told["name"], told["camera_id"], told["camera"], told["camera_name"]) == (
        "Eileen",
        None,
        None,
        None,
    )
    assert await last_visits(hass, camera) == await last_visits(hass, neither) == []

    answer = await act(hass, "who_is_here", both)
    assert [each["name"] for each in answer["cameras"][0]["people"]] == ["Eileen"]
    assert [each["name"] for each in answer["present"]] == ["Eileen"]
    answer = await act(hass, "who_is_here", person)
    assert (answer["cameras"], [each["name"] for each in answer["present"]]) == ([], ["Eileen"])
    answer = await act(hass, "who_is_here", camera)
    (here,) = answer["cameras"]
    assert (here["people"], here["others"], here["strangers"]) == ([], 1, 1)
    assert (answer["present"], answer["others"], answer["strangers"]) == ([], 1, 1)
    assert "Eileen" not in str(answer)
    assert visited_by_two not in str(answer)
    answer = await act(hass, "who_is_here", neither)
    assert (answer["cameras"], answer["present"], answer["strangers"]) == ([], [], 0)


async def test_what_a_user_may_not_read_does_not_exist(
    hass: HomeAssistant, hub: Hub, visited_by_two: str
) -> None:
    """Asking for somebody or a camera by name tells nobody that they exist."""
    neither = a_user(hass, "light.hall")
    for who in ("Eileen", visited_by_two):
        assert await refused(hass, "last_visits", neither, person=who) == "unknown_person"
    for action in ("last_visits", "who_is_here"):
        assert await refused(hass, action, neither, camera=CAMERA) == "unknown_camera"


async def test_every_usual_user_is_told(
    hass: HomeAssistant,
    hub: Hub,
    visited_by_two: str,
    hass_admin_user: MockUser,
    hass_read_only_user: MockUser,
) -> None:
    """The groups of Home Assistant itself read every state, so they are told everything."""
    for user in (hass_admin_user, hass_read_only_user):
        (told,) = await last_visits(hass, user)
        assert (told["name"], told["camera_name"]) == ("Eileen", "Front door")


async def test_a_user_who_is_gone(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """A user that Home Assistant does not know is told nothing."""
    with pytest.raises(UnknownUser):
        await act(hass, "last_visits", MockUser(id="gone"))


async def test_entities_that_were_removed(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Where the entity is gone that says it, those who may read everything are told, and nobody else."""
    some = a_user(hass, VISITOR, SEEN)
    registry = er.async_get(hass)
    for entity_id in (VISITOR, SEEN):
        registry.async_remove(entity_id)
    await hass.async_block_till_done()
    assert await last_visits(hass, some) == []
    (told,) = await last_visits(hass)
    assert told["camera_name"] == "Front door"


# Who is there


async def test_who_is_there(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Those whose visits go on are told of by name, strangers as a number."""
    answer = await act(hass, "who_is_here", camera=CAMERA)
    (here,) = answer.pop("cameras")
    (person,) = here.pop("people")
    (camera_id,) = hub.watchers
    assert here == {
        "camera_id": camera_id,
        "camera": CAMERA,
        "camera_name": "Front door",
        "looking": True,
        "others": 0,
        "strangers": 1,
        "unclear": 0,
    }
    assert (person["name"], person["person_id"]) == ("Eileen", visited_by_two)
    assert person["confidence"] > 0.9
    assert datetime.fromisoformat(person["started_at"]) <= datetime.fromisoformat(person["last_seen_at"])
    present = [{"person_id": visited_by_two, "name": "Eileen"}]
    assert answer == {"present": present, "others": 0, "strangers": 1, "unclear": 0}


async def test_who_was_there(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """A visit that is over is not told of as one that goes on, also before it was dropped."""
    with later(until=dt_util.utcnow() + GAP + timedelta(seconds=1)):
        assert hub.open_visits.visits
        answer = await act(hass, "who_is_here")
    (here,) = answer["cameras"]
    assert (here["people"], here["strangers"], answer["strangers"]) == ([], 0, 0)
    assert [each["name"] for each in answer["present"]] == ["Eileen"]


async def test_a_name_that_was_changed(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Somebody is called as they are called now."""
    await hass.async_add_executor_job(hub.vault.update_person, visited_by_two, "Eileen Collins", None)
    await hub.async_refresh_people()
    answer = await act(hass, "who_is_here")
    assert [each["name"] for each in answer["cameras"][0]["people"]] == ["Eileen Collins"]
    assert [each["name"] for each in await last_visits(hass)] == ["Eileen Collins"]


async def test_nobody_is_looked_for(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """That nobody is there is told from that nobody is looked for."""
    answer = await act(hass, "who_is_here")
    assert (answer["cameras"][0]["looking"], answer["present"]) == (True, [])
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    assert not (await act(hass, "who_is_here"))["cameras"][0]["looking"]


# Another reference photo


@pytest.fixture
async def image(hass: HomeAssistant, hub: Hub, config_folder: Path) -> Callable[[str, bytes], dict[str, str]]:
    """Return how to put a picture where the media sources find it."""
    media = config_folder / "media"
    media.mkdir()
    hass.config.media_dirs = {"local": str(media)}
    assert await async_setup_component(hass, "media_source", {})

    def put(name: str, data: bytes) -> dict[str, str]:
        (media / name).write_bytes(data)
        return {
            "media_content_id": f"media-source://media_source/local/{name}",
            "media_content_type": "image/jpeg",
        }

    return put


async def test_enrol(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    image: Callable[[str, bytes], dict[str, str]],
) -> None:
    """A good photo becomes a template that counts at once."""
    photos = enrolment_photos()
    eileen = await enrol(hass, entry, photos[:1])
    answer = await act(hass, "enrol", person="Eileen", image=image("new.jpg", photos[1]))
    assert answer["person_id"] == eileen
    assert answer["verdict"] in ("good", "nearly_same_photo")
    template_ids = [each.template_id for each in hub.people[eileen].templates]
    assert len(template_ids) == 2
    assert answer["template_id"] == template_ids[-1]
    assert (await act(hass, "audit_log", limit=1))["entries"][0]["person_id"] == eileen


async def test_photos_that_will_not_do(
    hass: HomeAssistant, hub: Hub, eileen: str, image: Callable[[str, bytes], dict[str, str]]
) -> None:
    """A photo that will not do is refused with the reason, and nothing of it is kept."""
    before = [each.template_id for each in hub.people[eileen].templates]
    photo = enrolment_photos()[0]
    for name, data, key in (
        ("again.jpg", photo, "photo_refused"),
        ("nobody.jpg", frame(), "photo_refused"),
        ("other.jpg", frame(stranger(0)), "photo_refused"),
        ("text.jpg", b"no picture", "image_rejected"),
    ):
        assert await refused(hass, "enrol", person="Eileen", image=image(name, data)) == key, name
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "enrol", person="Eileen", image=image("again.jpg", photo))
    assert "already" in str(caught.value)
    assert [each.template_id for each in await templates_of(hass, hub, eileen)] == before


async def test_a_photo_that_is_insisted_on(
    hass: HomeAssistant, hub: Hub, eileen: str, image: Callable[[str, bytes], dict[str, str]]
) -> None:
    """The owner's word counts for who a photo shows."""
    other = image("other.jpg", jpeg(stranger(0).resize((540, 540))))
    assert await refused(hass, "enrol", person="Eileen", image=other) == "photo_refused"
    answer = await act(hass, "enrol", person="Eileen", image=other, insist=True)
    assert answer["verdict"] == "not_same_person"
    assert answer["template_id"] in {each.template_id for each in hub.people[eileen].templates}


async def test_no_photo_without_a_consent(
    hass: HomeAssistant, hub: Hub, eileen: str, image: Callable[[str, bytes], dict[str, str]]
) -> None:
    """No photo is taken of somebody who does not agree, or is not known, and none by other users."""
    consent = hub.people[eileen].consent
    assert consent is not None
    new = image("new.jpg", jpeg(variant(astronaut(), light=0.8, angle=4)))
    with at(consent.valid_until + timedelta(seconds=1)):
        assert await refused(hass, "enrol", person="Eileen", image=new) == "no_consent"
    assert await refused(hass, "enrol", person="Nobody", image=new) == "unknown_person"
    with pytest.raises(Unauthorized):
        await act(hass, "enrol", a_user(hass, VISITOR, SEEN), person="Eileen", image=new)
    assert len(hub.people[eileen].templates) == len(enrolment_photos())


async def test_several_cameras(hass: HomeAssistant, config_folder: Path, real_engine: None) -> None:
    """Each camera is told of on its own."""
    cameras = [FrontDoor(), FrontDoor("Back door")]
    await put_up(hass, cameras, bells=("doorbell", "back_bell"))
    entry = an_entry(a_door(), a_door("camera.back_door", "Back door", "input_button.back_bell"))
    entry.add_to_hass(hass)
    hub = await set_up(hass, entry)
    try:
        answer = await act(hass, "who_is_here")
        assert [each["camera_name"] for each in answer["cameras"]] == ["Front door", "Back door"]
        answer = await act(hass, "who_is_here", camera="camera.back_door")
        assert [each["camera_name"] for each in answer["cameras"]] == ["Back door"]
        front = a_user(hass, VISITOR)
        answer = await act(hass, "who_is_here", front)
        assert [each["camera_name"] for each in answer["cameras"]] == ["Front door"]
        assert await refused(hass, "who_is_here", front, camera="camera.back_door") == "unknown_camera"
    finally:
        await hass.config_entries.async_unload(hub.entry.entry_id)
