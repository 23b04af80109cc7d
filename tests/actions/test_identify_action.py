"""The action `identify`: who it is, and whether it is somebody."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.familiar_faces.consent.record import async_put_on_record
from custom_components.familiar_faces.const import DOMAIN, EVERYWHERE
from custom_components.familiar_faces.household.leave import Leave
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.recognising import identify as identifying
from custom_components.familiar_faces.vault.errors import VaultUnwritable

from ..common.calling import act, refused
from ..common.people_on_record import DAY, a_consent
from ..common.pictures import astronaut, enrolment_photos, frame, jpeg, porch, stranger, variant
from ..common.steps import enrol
from ..conftest import CAMERA, FrontDoor


async def identify(hass: HomeAssistant, user: MockUser | None = None, **data: Any) -> dict[str, Any]:
    """Call the action, as a user or as an automation, and return its answer."""
    return await act(hass, "identify", user, **data)


async def an_album(hass: HomeAssistant, config_folder: Path) -> Path:
    """Return a folder of the media source, with a picture of Eileen in it."""
    media = config_folder / "media"
    media.mkdir()
    (media / "party.jpg").write_bytes(frame(astronaut()))
    hass.config.media_dirs = {"local": str(media)}
    assert await async_setup_component(hass, "media_source", {})
    return media


def image(name: str) -> dict[str, str]:
    """Return a picture of that folder, as the action is given it."""
    return {
        "media_content_id": f"media-source://media_source/local/{name}",
        "media_content_type": "image/jpeg",
    }


async def test_camera(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry) -> None:
    """The faces of a camera's picture come back with names and confidences, and nothing is kept."""
    person_id = await enrol(hass, entry, enrolment_photos())
    front_door.frames = [frame(astronaut(), stranger(0))]
    answer = await identify(hass, camera=CAMERA)
    assert answer["size"] == [1280, 720]
    known, unknown = sorted(answer["faces"], key=lambda face: face["box"][0])
    assert (known["decision"], known["name"], known["person_id"]) == ("familiar", "Eileen", person_id)
    assert known["confidence"] > 0.9
    assert unknown["name"] is None
    assert unknown["decision"] in ("stranger", "unclear")
    assert not any("embedding" in face for face in answer["faces"])
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.visits, stored.pictures) == (0, 0)
    assert hass.states.get("event.front_door_visitor").state == "unknown"


@pytest.mark.parametrize(
    ("failure", "said"), [("repeats", "camera_old_picture"), ("unavailable", "camera_no_picture")]
)
async def test_a_camera_with_an_old_picture(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
    said: str,
) -> None:
    """Nobody is said to be where a camera shows an old picture of them: the person who stands there now is another."""
    monkeypatch.setattr(identifying, "SECONDS", 2.0)
    front_door.frames, front_door.stuck = [frame(astronaut(), seed=seed) for seed in range(4)], True
    answer = await identify(hass, camera=CAMERA)
    assert [face["name"] for face in answer["faces"]] == ["Eileen"]
    front_door.frames = front_door.frames[-1:]
    if failure == "unavailable":
        front_door._attr_available = False
        front_door.async_write_ha_state()
    assert await refused(hass, "identify", camera=CAMERA) == said
    assert await refused(hass, "identify", camera=CAMERA, person="Eileen") == said
    front_door.stuck, front_door._attr_available = False, True
    front_door.async_write_ha_state()
    front_door.frames = [frame(stranger(0), seed=seed) for seed in range(4)]
    answer = await identify(hass, camera=CAMERA)
    assert [face["name"] for face in answer["faces"]] == [None]


async def test_uploaded_image(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, config_folder: Path
) -> None:
    """A picture of a real media source that lies on this machine can be asked about."""
    await enrol(hass, entry, enrolment_photos())
    media = await an_album(hass, config_folder)
    (media / "notes.txt.jpg").write_bytes(b"not a picture")

    answer = await identify(hass, image=image("party.jpg"))
    assert [face["name"] for face in answer["faces"]] == ["Eileen"]
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, image=image("notes.txt.jpg"))
    assert caught.value.translation_key == "image_rejected"
    with pytest.raises(HomeAssistantError):
        await identify(hass, image=image("../../secrets.yaml"))
    for nothing in ("", "media-source://", image("a\0b.jpg")["media_content_id"]):
        with pytest.raises(ServiceValidationError) as caught:
            await identify(hass, image=image("notes.txt.jpg") | {"media_content_id": nothing})
        assert caught.value.translation_key == "not_a_local_image"


async def test_image_that_lies_elsewhere(
    hass: HomeAssistant, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that would have to be fetched from somewhere is refused: nothing is asked of strangers."""

    async def resolve(*args: object) -> PlayMedia:
        return PlayMedia("http://example.com/a.jpg", "image/jpeg")

    monkeypatch.setattr(
        "custom_components.familiar_faces.recognising.identify.media_source.async_resolve_media", resolve
    )
    with pytest.raises(ServiceValidationError) as caught:
        await identify(
            hass, image={"media_content_id": "media-source://radio/1", "media_content_type": "image/jpeg"}
        )
    assert caught.value.translation_key == "not_a_local_image"


async def test_asked_wrongly(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """Neither a camera nor an image, both, switched off, without an engine, not set up: each says so."""
    with pytest.raises(vol.Invalid):
        await identify(hass)
    with pytest.raises(vol.Invalid):
        await identify(hass, camera="light.front_door")
    with pytest.raises(HomeAssistantError):
        await identify(hass, camera=CAMERA)
    front_door.frames = [frame(astronaut())]
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, camera=CAMERA)
    assert caught.value.translation_key == "recognition_off"
    await hub.settings.async_switch_recognition(True, EVERYWHERE)
    await hub.engine.stop()
    with pytest.raises(HomeAssistantError) as failed:
        await identify(hass, camera=CAMERA)
    assert failed.value.translation_key == "engine_failed"
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, camera=CAMERA)
    assert caught.value.translation_key == "not_loaded"


# Who may ask, about which people, and what is written down


async def test_uploads_are_a_choice_of_their_own(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, config_folder: Path
) -> None:
    """Anyone who agreed to every camera is nobody in an uploaded picture, until they say yes to that too."""
    person_id = await enrol(hass, entry, enrolment_photos())
    now = dt_util.utcnow()
    yes = a_consent(now - DAY, now + 9 * DAY, choices=Choices())
    await async_put_on_record(hub, person_id, yes)
    await an_album(hass, config_folder)
    front_door.frames = [frame(astronaut())]
    assert "Eileen" in str(await identify(hass, camera=CAMERA))
    answer = await identify(hass, image=image("party.jpg"))
    assert [face["name"] for face in answer["faces"]] == [None]
    assert await refused(hass, "identify", image=image("party.jpg"), person="Eileen") == "no_consent"
    both = a_consent(now - DAY, now + 9 * DAY, choices=Choices(uploads=True))
    await async_put_on_record(hub, person_id, both)
    answer = await identify(hass, image=image("party.jpg"), person="Eileen")
    assert (answer["faces"][0]["name"], answer["verification"]) == ("Eileen", "yes")


def words(answer: Any) -> set[str]:
    """Return all keys of an answer, however deep."""
    if isinstance(answer, dict):
        return {*answer, *(word for each in answer.values() for word in words(each))}
    return {word for each in answer for word in words(each)} if isinstance(answer, list) else set()


async def test_each_answer_is_written_down(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    hass_admin_user: MockUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who asked is in the log, and who it was about; without the log there is no answer, and never a raw similarity."""
    eileen = await enrol(hass, entry, enrolment_photos())

    async def log() -> list[tuple[str | None, Any]]:
        entries = await hass.async_add_executor_job(hub.vault.audit_entries)
        return [(each.person_id, dict(each.details)) for each in entries if each.kind == "identified"]

    front_door.frames = [frame(stranger(0))]
    await identify(hass, hass_admin_user, camera=CAMERA)
    assert await log() == [(None, {"user": hass_admin_user.id, "from": "camera"})]
    front_door.frames = [frame(astronaut())]
    answer = await identify(hass, camera=CAMERA, person="Eileen")
    assert (await log())[0] == (eileen, {"user": None, "from": "camera"})
    assert words(answer) & {"similarity", "embedding", "probability"} == {"probability"}

    def full(*args: object) -> None:
        raise VaultUnwritable("No space left on device")

    monkeypatch.setattr(hub.vault, "audit", full)
    assert await refused(hass, "identify", camera=CAMERA) == "identify_not_logged"


async def test_nobody_asks_without_end(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, hass_admin_user: MockUser
) -> None:
    """After twenty times in a row somebody waits; others do not wait for them."""
    hub.identifying._leave = Leave(2, 30.0)
    front_door.frames = [jpeg(porch())]
    for _ in range(2):
        await identify(hass, hass_admin_user, camera=CAMERA)
    assert await refused(hass, "identify", hass_admin_user, camera=CAMERA) == "identify_too_often"
    await identify(hass, camera=CAMERA)


async def test_a_camera_that_may_not_be_read(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, hass_admin_user: MockUser
) -> None:
    """Anyone who may not read the camera is not told what it shows, an administrator neither."""
    front_door.frames = [jpeg(porch())]
    hass_admin_user.mock_policy({"entities": {"entity_ids": {"event.front_door_visitor": True}}})
    assert hass_admin_user.is_admin
    with pytest.raises(Unauthorized):
        await identify(hass, hass_admin_user, camera=CAMERA)
    assert not front_door.fetched


@pytest.mark.parametrize("end", ["withdrawn", "expired", "silent"])
@pytest.mark.parametrize("when", ["looking", "writing"])
async def test_a_no_while_it_is_looked(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
    when: str,
) -> None:
    """Anyone who says no while the picture is looked at, or the answer written down, has no name in it."""
    eileen = await enrol(hass, entry, enrolment_photos())
    front_door.frames = [frame(astronaut())]
    now = dt_util.utcnow()

    async def no() -> None:
        if end == "withdrawn":
            await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, now)
            await hub.async_refresh_people()
        elif end == "silent":
            silent = a_consent(now - DAY, now + 9 * DAY, choices=Choices(keeping=Keeping.SILENT))
            await async_put_on_record(hub, eileen, silent)
        else:
            # A yes that ends right then, and not a moment later.
            over = replace(hub.people[eileen].consents[-1], valid_until=dt_util.utcnow())
            hub.roster.people[eileen] = replace(hub.people[eileen], consents=(over,))

    place, name = {
        "looking": (hub.roster, "async_gallery"),
        "writing": (hub.identifying, "_async_note"),
    }[when]
    done = getattr(place, name)

    async def and_then(*args: Any) -> Any:
        result = await done(*args)
        await no()
        return result

    with monkeypatch.context() as patched:
        patched.setattr(place, name, and_then)
        answer = await identify(hass, camera=CAMERA)
    assert "Eileen" not in str(answer)
    assert eileen not in str(answer)
    assert await refused(hass, "identify", camera=CAMERA, person="Eileen") == "no_consent"


# Verification


@pytest.fixture
async def two_people(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> tuple[str, str]:
    """Enrol the astronaut and Ben, and return their ids."""
    eileen = await enrol(hass, entry, enrolment_photos())
    big = stranger(0).resize((540, 540), Image.Resampling.LANCZOS)
    return eileen, await enrol(hass, entry, [jpeg(variant(big, light=1.05))], name="Ben")


async def test_one_claimed_person(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, two_people: tuple[str, str]
) -> None:
    """Each face is or is not the claimed person; one that is makes the answer a yes."""
    eileen, _ = two_people
    front_door.frames = [frame(astronaut(), stranger(0), stranger(1))]
    answer = await identify(hass, camera=CAMERA, person="Eileen")
    her, him, other = sorted(answer["faces"], key=lambda face: face["box"][0])
    assert [face["verification"]["answer"] for face in (her, him, other)] == ["yes", "no", "no"]
    assert (her["name"], him["name"]) == ("Eileen", "Ben")
    assert her["verification"]["probability"] > 0.95
    assert him["verification"]["probability"] < 0.05
    assert answer["verification"] == "yes"
    assert answer["claimed"] == {"person_id": eileen, "name": "Eileen"} | her["verification"]

    front_door.frames = [frame(stranger(0))]
    answer = await identify(hass, camera=CAMERA, person=eileen)
    assert (answer["verification"], answer["claimed"]["answer"]) == ("no", "no")
    assert "reason" not in answer["claimed"]
    # Without a claim there is nothing to verify.
    answer = await identify(hass, camera=CAMERA)
    assert "verification" not in answer
    assert "verification" not in answer["faces"][0]


async def test_a_claim_that_cannot_be_told(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, two_people: tuple[str, str]
) -> None:
    """A face between two people, a poor one and none at all are unclear, each with its reason."""
    between = Image.blend(astronaut().resize((270, 270)), stranger(0).resize((270, 270)), 0.55)
    for picture, reason in (
        (frame(between), "not_sure"),
        (frame(variant(astronaut(), blur=9)), "no_usable_face"),
        (jpeg(porch()), "no_face"),
    ):
        front_door.frames = [picture]
        answer = await identify(hass, camera=CAMERA, person="Eileen")
        assert (answer["verification"], answer["claimed"]["reason"]) == ("unclear", reason)
        assert (answer["claimed"]["probability"] is None) == (reason != "not_sure")
    # A no asks for faces that can be compared: a poor one might be hers.
    front_door.frames = [frame(stranger(0), variant(astronaut(), blur=6))]
    answer = await identify(hass, camera=CAMERA, person="Eileen")
    assert sorted(face["verification"]["answer"] for face in answer["faces"]) == ["no", "unclear"]
    assert answer["verification"] == "unclear"


async def test_who_is_claimed(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    two_people: tuple[str, str],
) -> None:
    """A person is meant by a device, an id or a name, and nobody else is."""
    eileen, ben = two_people
    front_door.frames = [frame(astronaut())]
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, eileen), entry.entry_id)
    assert device is not None
    assert device.model_id == "person"
    for said in (device.id, eileen, "eileen", " EILEEN "):
        answer = await identify(hass, camera=CAMERA, person=said)
        assert answer["claimed"]["person_id"] == eileen

    async def refused(said: str) -> str | None:
        with pytest.raises(ServiceValidationError) as caught:
            await identify(hass, camera=CAMERA, person=said)
        return caught.value.translation_key

    others = [
        each
        for each in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if each.model_id != "person"
    ]
    assert len(others) == 2
    for said in ("Nobody", "Eile", *(each.id for each in others)):
        assert await refused(said) == "unknown_person"
    for wrong in ("", "   ", ["Eileen"], {"name": "Eileen"}, None):
        with pytest.raises(vol.Invalid):
            await identify(hass, camera=CAMERA, person=wrong)
    with pytest.raises(vol.Invalid):
        await identify(hass, person="Eileen")
    await hass.async_add_executor_job(hub.vault.update_person, ben, "EILEEN", None)
    await hub.async_refresh_people()
    assert await refused("Eileen") == "ambiguous_person"
    assert (await identify(hass, camera=CAMERA, person=eileen))["verification"] == "yes"


async def test_who_may_not_be_verified(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, two_people: tuple[str, str]
) -> None:
    """Without a consent nobody is verified, nor without a photo that the engine can compare with."""
    eileen, ben = two_people
    front_door.frames = [frame(astronaut(), stranger(0))]

    async def refused(said: str) -> str | None:
        with pytest.raises(ServiceValidationError) as caught:
            await identify(hass, camera=CAMERA, person=said)
        return caught.value.translation_key

    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, dt_util.utcnow())
    await hub.async_refresh_people()
    assert await refused("Eileen") == "no_consent"

    def renew_engine() -> None:
        (template,) = hub.vault.person(ben).templates
        photo = hub.vault.reference_photo(template.template_id)
        hub.vault.remove_reference(ben, template.template_id)
        hub.vault.add_reference(
            ben,
            photo=photo,
            embedding=template.embedding,
            model="another",
            photo_digest="another",
            now=dt_util.utcnow(),
        )

    await hass.async_add_executor_job(renew_engine)
    await hub.async_refresh_people()
    assert await refused("Ben") == "nothing_to_compare"
