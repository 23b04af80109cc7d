"""Adding and changing a person: consent first, then photos that are judged at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
import re
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import numpy as np
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.engine.protocol import Faces
from custom_components.familiar_faces.enrolment import reference_photos
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import UnknownPerson, VaultUnwritable
from tests.common.phone_photos import phone_photo

from ..common.pictures import (
    astronaut,
    different_photos,
    enrolment_photos,
    group,
    huge_png,
    jpeg,
    porch,
    stranger,
    tall_jpeg,
    variant,
)
from ..common.steps import (
    Result,
    add_photo,
    choose,
    configure,
    consent,
    disk_full,
    enrol,
    reconfigure_person,
    start_person,
    upload,
)

if TYPE_CHECKING:
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator


async def test_person_is_added(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A name, a consent and three photos make a person who can be recognised."""
    result = await start_person(hass, entry)
    assert result["step_id"] == "agree"
    result = await configure(hass, result, consent())
    assert result["step_id"] == "photos"
    for count, photo in enumerate(different_photos(), start=1):
        result = await add_photo(hass, result, photo)
        assert result["type"] is FlowResultType.MENU
        assert result["description_placeholders"]["verdict"].startswith("This photo is good.")
        assert result["description_placeholders"]["count"] == str(count)
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Eileen"
    await hass.async_block_till_done(wait_background_tasks=True)

    (person,) = hub.people.values()
    assert person.name == "Eileen"
    assert len(person.templates) == 3
    assert person.consent is not None
    assert person.consent.given_by == "Eileen"
    assert person.consent.valid_until > person.consent.given_at + timedelta(days=360)
    assert hub.can_recognise()
    assert hass.states.get("sensor.eileen_consent").state == "active"
    assert hass.states.get("sensor.familiar_faces_people").state == "1"
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, person.person_id), entry.entry_id)
    assert device is not None
    assert device.name == "Eileen"


async def test_no_photo_is_read_before_the_consent(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """The vault refuses a template of somebody whose consent is not on record."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent(agreed=False))
    assert result["errors"] == {"agreed": "not_agreed"}
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos) == (0, 0, 0)


def _day(days: int) -> str:
    return (dt_util.now().date() + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("given_on", lambda: _day(2), "given_in_future"),
        ("valid_until", lambda: _day(0), "already_over"),
        ("valid_until", lambda: _day(364), "too_long"),
        ("given_by", lambda: "  ", "giver_needed"),
        ("cameras", list, "camera_needed"),
    ],
    ids=["future", "over", "long", "nobody", "nowhere"],
)
async def test_consent_that_is_not_in_order(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    field: str,
    value: Callable[[], object],
    error: str,
) -> None:
    """Each mistake is named at its field, and the right answer goes on."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent(**{field: value()}))
    assert result["errors"] == {"agreed": "see_above"} | {field: error}
    result = await configure(hass, result, consent())
    assert result["step_id"] == "photos"


async def test_a_consent_lasts_as_long_as_is_set(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """An old consent is not made longer by writing it down late, and the setting is the limit."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent(given_on=_day(-300), valid_until=_day(65)))
    assert result["errors"] == {"valid_until": "too_long", "agreed": "see_above"}
    result = await configure(hass, result, consent(given_on=_day(-300), valid_until=_day(64)))
    assert result["step_id"] == "photos"
    hass.config_entries.async_update_entry(entry, options={"consent_days": 1095})
    result = await start_person(hass, entry, name="Judy")
    assert suggested(result)["valid_until"] == _day(1094)
    result = await configure(hass, result, consent(given_by="Judy", given_on=_day(0), valid_until=_day(1094)))
    assert result["step_id"] == "photos"


def suggested(result: Result) -> dict[str, Any]:
    """Return what a form suggests."""
    return {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description
    }


async def test_what_is_agreed_to_is_asked_one_by_one(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Cameras, keeping and pictures are put on record with the very text that was shown."""
    (camera_id,) = entry.subentries
    hass.config_entries.async_update_entry(entry, options={"visit_days": 9})
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "person"), context={"source": "user"}
    )
    result = await choose(hass, result, "here")
    result = await configure(hass, result, {"name": "Eileen", "child": False})
    shown = result["description_placeholders"]["text"]
    result = await configure(hass, result, {"language": "en"})
    said = suggested(result)
    # Nothing is chosen for somebody who has not chosen yet.
    assert said.keys().isdisjoint({"cameras", "keeping", "pictures", "uploads", "agreed"})
    # What is set meanwhile is not what was shown.
    hass.config_entries.async_update_entry(entry, options={"visit_days": 10})
    await configure(
        hass, result, consent(cameras=[camera_id], keeping="nothing", pictures=False, method="on_paper")
    )
    (person,) = await hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    agreed = person.consent
    assert agreed is not None
    assert agreed.choices == Choices(frozenset({camera_id}), Keeping.NOTHING, pictures=False, uploads=True)
    assert (agreed.method, agreed.text_version) == ("on_paper", "en/4")
    assert shown == "Read this to Eileen, or let them read it:\n\n> " + agreed.text.replace("\n\n", "\n>\n> ")
    assert "for at most 9 days" in agreed.text


async def test_each_choice_has_to_be_made(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A consent that leaves it open is refused, and nothing that was filled in is lost."""
    result = await start_person(hass, entry)
    for left_open, error in (("keeping", "keeping_needed"), ("cameras", "camera_needed")):
        said = consent(given_by="Aunt Eileen")
        del said[left_open]
        result = await configure(hass, result, said)
        # It is said above the button, too: the form is longer than many a screen.
        assert (result["step_id"], result["errors"]) == ("agree", {left_open: error, "agreed": "see_above"})
        assert suggested(result)["given_by"] == "Aunt Eileen"
    said = consent(agreed=False)
    del said["keeping"], said["cameras"]
    result = await configure(hass, result, said)
    # All at once: nobody presses Save three times to learn what is missing.
    assert result["errors"] == {
        "cameras": "camera_needed",
        "keeping": "keeping_needed",
        "agreed": "see_above",
    }
    assert await hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True)) == []


async def test_a_new_consent_starts_from_the_one_before(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """What was chosen is chosen again, but for the yes itself; who is narrowed down loses what is kept."""
    (camera_id,) = entry.subentries
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    result = await choose(hass, await reconfigure_person(hass, entry), "consent")
    said = suggested(result)
    assert (said["cameras"], said["keeping"], said["pictures"]) == (["every_camera"], "visits", True)
    assert said["given_by"] == "Eileen"
    assert "agreed" not in said
    await configure(hass, result, consent(cameras=[camera_id], keeping="silent", pictures=False))
    assert hub.people[person_id].choices == Choices(
        frozenset({camera_id}), Keeping.SILENT, pictures=False, uploads=True
    )
    said = suggested(await choose(hass, await reconfigure_person(hass, entry), "consent"))
    assert (said["cameras"], said["keeping"], said["pictures"]) == ([camera_id], "silent", False)


async def test_child_needs_a_guardian(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A child cannot consent for itself, and a child's consent lasts half a year by default."""
    result = await start_person(hass, entry, name="Ada", child=True)
    assert suggested(result)["valid_until"] == _day(182)
    result = await configure(hass, result, consent(given_by="ada", valid_until=_day(182)))
    assert result["errors"] == {"given_by": "child_needs_guardian", "agreed": "see_above"}
    result = await configure(hass, result, consent(valid_until=_day(183)))
    assert result["errors"] == {"valid_until": "too_long", "agreed": "see_above"}
    result = await configure(hass, result, consent(given_on=_day(0), valid_until=_day(182)))
    assert result["step_id"] == "photos"


@pytest.mark.parametrize(
    ("photo", "verdict"),
    [
        pytest.param(lambda: jpeg(porch()), "no face was found", id="no face"),
        pytest.param(lambda: jpeg(group()), "more than one face", id="six faces"),
        pytest.param(lambda: jpeg(astronaut().resize((140, 140))), "too small", id="too small"),
        pytest.param(
            lambda: jpeg(variant(astronaut().resize((540, 540)), blur=9)), "Not added", id="too blurred"
        ),
        pytest.param(lambda: jpeg(variant(astronaut(), light=0.06)), "Not added", id="too dark"),
    ],
)
async def test_photo_that_will_not_do(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, photo: Callable[[], bytes], verdict: str
) -> None:
    """A poor photo is refused at once with its reason; nothing of it is kept, and finishing is not offered."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, photo())
    assert verdict in result["description_placeholders"]["verdict"]
    assert result["description_placeholders"]["count"] == "0"
    assert "finish" not in result["menu_options"]
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.templates, stored.photos) == (0, 0)


async def test_photos_that_do_not_belong(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The same photo twice, somebody else's photo, and a photo of somebody already here are all noticed."""
    photos = enrolment_photos()
    await enrol(hass, entry, photos[:1], name="Eileen")

    result = await start_person(hass, entry, name="Chandler")
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, photos[1])
    assert "this looks like Eileen" in result["description_placeholders"]["verdict"]
    assert "insist" in result["menu_options"]
    his = jpeg(stranger(0).resize((540, 540)))
    result = await add_photo(hass, result, his)
    assert result["description_placeholders"]["count"] == "1"
    result = await add_photo(hass, result, his)
    assert "already added" in result["description_placeholders"]["verdict"]
    result = await add_photo(hass, result, jpeg(stranger(1).resize((540, 600))))
    assert "does not look like the other photos" in result["description_placeholders"]["verdict"]
    assert result["description_placeholders"]["count"] == "1"
    result = await choose(hass, result, "insist")
    assert result["description_placeholders"]["count"] == "2"


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", "not_an_image"), (b"hello", "not_an_image"), (jpeg(astronaut())[:2000], "photo_cut_off")],
    ids=["empty", "text", "cut off"],
)
async def test_upload_that_is_not_a_photo(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, data: bytes, error: str
) -> None:
    """A file that is not an image is refused, and the flow goes on with another one."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, data)
    assert result["errors"] == {"photo": error}
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert result["description_placeholders"]["count"] == "1"


async def test_photo_of_huge_size(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A small file that claims 900 megapixels is refused before it is unpacked."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, huge_png())
    assert result["errors"] == {"photo": "photo_too_large"}


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180])
async def test_a_turned_photo_is_put_right(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, turn: Image.Transpose
) -> None:
    """One that lies on its side and does not say so is used as it should be, not as it lies."""
    image = astronaut().resize((540, 540))
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, jpeg(image.transpose(turn)))
    assert result["description_placeholders"]["count"] == "1"
    # The same face upright is nearly the same photo; as it lies it would be somebody else's.
    result = await add_photo(hass, await choose(hass, result, "photo"), jpeg(variant(image, light=1.1)))
    assert "nearly the same" in result["description_placeholders"]["verdict"]


@pytest.mark.parametrize("kind", ["heic", "avif", "50 megapixels"])
async def test_a_phones_photo_is_taken(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, kind: str
) -> None:
    """Whatever format it has, and however large it is."""
    image = astronaut().resize((540, 540))
    photo = tall_jpeg(8160, 6144) if kind == "50 megapixels" else phone_photo(image, kind)
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, photo)
    assert result["description_placeholders"]["count"] == "1"


@pytest.mark.parametrize("kind", ["cmyk", "16 bit", "animated", "palette", "transparent", "webp"])
async def test_unusual_photos(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, kind: str) -> None:
    """Whatever a phone or a scanner writes is read, or refused with a reason; the flow goes on."""
    image = astronaut().resize((540, 540))
    data = BytesIO()
    match kind:
        case "cmyk":
            image.convert("CMYK").save(data, "JPEG")
        case "16 bit":
            Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(data, "PNG")
        case "animated":
            image.save(data, "GIF", save_all=True, append_images=[image.rotate(5)], duration=100)
        case "palette":
            image.convert("P").save(data, "PNG")
        case "transparent":
            image.convert("RGBA").save(data, "PNG")
        case "webp":
            image.save(data, "WEBP")
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, data.getvalue())
    if kind == "animated":
        assert result["errors"] == {"photo": "not_an_image"}
    else:
        assert result["description_placeholders"]["count"] == "1"


async def test_photo_turned_by_exif_is_read_upright(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """A phone's photo that lies on its side, with a note how to turn it, is as good as any."""
    image = astronaut().resize((540, 540)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = BytesIO()
    image.save(data, "JPEG", exif=exif)
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, data.getvalue())
    assert result["description_placeholders"]["count"] == "1"


async def test_upload_is_gone(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """An id that names no upload, or one used before, is said to be lost."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    file_id = await upload(hass, enrolment_photos()[0])
    result = await choose(hass, result, "photo")
    result = await configure(hass, result, {"photo": file_id})
    result = await choose(hass, result, "photo")
    result = await configure(hass, result, {"photo": file_id})
    assert result["errors"] == {"photo": "upload_lost"}


async def test_name_has_to_be_one_of_its_own(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Nobody is called nothing, and nobody like somebody else."""
    await enrol(hass, entry, enrolment_photos()[:1], name="Eileen")
    result = await start_person(hass, entry, name="  eileen ")
    assert result["errors"] == {"name": "name_taken"}
    result = await configure(hass, result, {"name": " ", "child": False})
    assert result["errors"] == {"name": "name_needed"}
    for word in ("Stranger", "unknown", "unavailable", "Unclear", " familiar"):
        result = await configure(hass, result, {"name": word, "child": False})
        assert result["errors"] == {"name": "name_reserved"}, word
    result = await configure(hass, result, {"name": "Judy", "child": False})
    assert result["step_id"] == "consent"
    assert "Judy" in result["description_placeholders"]["text"]


async def test_a_name_from_home_assistant(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Somebody who is a person there need not be typed; one that is typed counts."""
    hass.states.async_set("person.judy", "home", {"friendly_name": "Judy"})
    start = await start_person(hass, entry, name="")
    assert start["errors"] == {"name": "name_needed"}
    result = await configure(hass, start, {"child": False, "linked_entity": "person.judy"})
    assert result["step_id"] == "consent"
    result = await configure(hass, result, {"language": "en"})
    result = await configure(hass, result, consent(given_by="Judy"))
    await add_photo(hass, result, enrolment_photos()[0])
    assert [(each.name, each.linked_entity) for each in hub.people.values()] == [("Judy", "person.judy")]

    result = await start_person(hass, entry, name="")
    result = await configure(hass, result, {"child": False, "linked_entity": "person.judy"})
    assert result["errors"] == {"name": "name_taken"}
    answer = {"name": "Jude", "child": False, "linked_entity": "person.judy"}
    result = await configure(hass, result, answer)
    assert "Jude" in result["description_placeholders"]["text"]


async def test_enrolment_that_is_given_up_leaves_nothing(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Closing the dialog before there is a good photo erases what was kept until then."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, jpeg(porch()))
    assert "photo" in result["menu_options"]
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (0, 0, 0, 0)


async def test_whatever_was_good_is_saved(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """From the first good photo on, closing the dialog loses nothing, and that is said."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, enrolment_photos()[0])
    progress = result["description_placeholders"]["progress"]
    assert progress == (
        "Different photos: 1. 2 more are a good start. Nearly the same photos count once.\n\n"
        "**Eileen is saved.** You can close this dialog now and add more photos later."
    )
    (person,) = hub.people.values()
    assert person.name == "Eileen"
    assert hub.can_recognise(), "also while the dialog is open"
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    (person,) = hub.people.values()
    assert (person.name, len(person.templates), len(person.consents)) == ("Eileen", 1, 1)
    assert "Eileen" in [each.title for each in entry.subentries.values()]
    assert hub.can_recognise()
    result = await choose(hass, await reconfigure_person(hass, entry), "photo")
    result = await add_photo(hass, result, different_photos()[1])
    assert "is saved" not in result["description_placeholders"]["progress"], "that is nothing new"


async def test_several_photos_at_once(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    sockets: None,
    hass_client: ClientSessionGenerator,
) -> None:
    """Each has its verdict and its face; what cannot be read loses nothing of the others."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    if result["type"] is FlowResultType.MENU:
        result = await choose(hass, result, "photo")
    assert (await configure(hass, result, {}))["errors"] == {"photo": "photo_needed"}
    good, other = different_photos()[:2]
    result = await configure(
        hass,
        result,
        {
            "photo": await upload(hass, good),
            "photo_2": await upload(hass, b"no image at all"),
            "photo_3": await upload(hass, other),
        },
    )
    first, second, third = result["description_placeholders"]["verdict"].splitlines()
    assert "This photo is good." in first
    assert "This photo is good." in second
    assert "cannot be read" not in first + second
    assert "cannot be read as a photo" in third
    (path,) = re.findall(r"!\[\]\((.*?)\)", first)
    answer = await (await hass_client()).get(path)
    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "image/jpeg")
    assert len(await answer.read()) > 1000
    assert result["description_placeholders"]["count"] == "2"
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(hub.alerts.pictures) == 0, "with the dialog its pictures go"


async def test_the_language_is_theirs(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """They choose what they read, and what they agreed to is kept in that language."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "person"), context={"source": "user"}
    )
    result = await configure(hass, result, {"next_step_id": "here"})
    result = await configure(hass, result, {"name": "Eileen", "child": False})
    assert result["step_id"] == "consent"
    english = result["description_placeholders"]["text"]
    result = await configure(hass, result, {"language": "de"})
    german = result["description_placeholders"]["text"]
    assert (result["step_id"], "Eileen" in german, english != german) == ("consent", True, True)
    result = await configure(hass, result, {"language": "de"})
    assert result["step_id"] == "agree"
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, enrolment_photos()[0])
    result = await choose(hass, result, "finish")
    await hass.async_block_till_done(wait_background_tasks=True)
    (person,) = hub.people.values()
    assert person.consent is not None
    assert person.consent.text_version.startswith("de/")
    assert person.consent.text.split("\n\n")[0] in german
    # Anyone who read German reads it again.
    result = await configure(hass, await reconfigure_person(hass, entry), {"next_step_id": "consent"})
    assert result["data_schema"]({}) == {"language": "de"}


async def test_full_disk_while_enrolling(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that cannot be saved is an error in the dialog, and the next try goes on from there."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())

    def full(*args: object, **kwargs: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "add_reference", full)
        result = await add_photo(hass, result, enrolment_photos()[0])
    assert result["errors"] == {"base": "vault_failed"}
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert result["description_placeholders"]["count"] == "1"


async def test_full_disk_at_the_consent(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consent that cannot be put on record is an error in the dialog, and the next try goes on."""
    result = await start_person(hass, entry)
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "begin_enrolment", disk_full)
        result = await configure(hass, result, consent())
    assert (result["step_id"], result["errors"]) == ("agree", {"base": "vault_failed"})
    result = await configure(hass, result, consent())
    assert result["step_id"] == "photos"


@pytest.mark.parametrize("method", ["finish_enrolment", "person"])
async def test_full_disk_at_the_end(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """An enrolment that cannot be finished, or not even read, says so in the menu, and is finished later."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    if method == "person":
        result = await add_photo(hass, result, enrolment_photos()[0])
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, method, disk_full)
        if method == "person":
            result = await choose(hass, result, "finish")
        else:
            result = await add_photo(hass, result, enrolment_photos()[0])
            assert "is saved" not in result["description_placeholders"]["progress"]
            assert hub.people == {}
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "photos")
    assert "could not be saved" in result["description_placeholders"]["verdict"]
    assert result["description_placeholders"]["count"] == "1"
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [person.name for person in hub.people.values()] == ["Eileen"]


async def test_reload_while_enrolling(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A dialog whose vault was closed behind it says so, whatever is chosen, and what was saved stays."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert await hass.config_entries.async_reload(entry.entry_id)
    result = await choose(hass, result, "finish")
    assert "could not be saved" in result["description_placeholders"]["verdict"]
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(entry.runtime_data.vault.stored)
    assert (stored.people, stored.templates) == (1, 1)
    assert "Eileen" in [each.title for each in entry.subentries.values()]


async def test_answer_that_cannot_be_compared(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose numbers do not fit the others is named as the trouble, not the upload."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    result = await add_photo(hass, result, different_photos()[0])
    ask = EngineClient.faces

    async def strange(self: EngineClient, *args: Any, **kwargs: Any) -> Faces:
        seen = await ask(self, *args, **kwargs)
        short = [replace(face, embedding=np.full(4, 0.5, np.float32)) for face in seen.faces]
        return replace(seen, faces=type(seen.faces)(short))

    with monkeypatch.context() as patched:
        patched.setattr(EngineClient, "faces", strange)
        result = await add_photo(hass, result, different_photos()[1])
    assert result["errors"] == {"base": "engine_strange"}
    result = await add_photo(hass, result, different_photos()[1])
    assert result["description_placeholders"]["count"] == "2"


async def test_engine_is_away_while_enrolling(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine a photo cannot be judged, and the dialog says so."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    await hub.engine.stop()
    monkeypatch.setattr(reference_photos, "ENGINE_PATIENCE", 0.1)
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert result["errors"] == {"base": "engine_unavailable"}


async def test_person_is_changed(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The name, the consent and the photos can be changed later."""
    person_id = await enrol(hass, entry, enrolment_photos()[:2])
    result = await reconfigure_person(hass, entry)
    result = await choose(hass, result, "details")
    result = await configure(hass, result, {"name": "Colonel Collins"})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.people[person_id].name == "Colonel Collins"
    assert "Colonel Collins" in [each.title for each in entry.subentries.values()]

    result = await choose(hass, await reconfigure_person(hass, entry), "consent")
    later = (dt_util.now().date() + timedelta(days=300)).isoformat()
    result = await configure(hass, result, consent(valid_until=later))
    assert result["reason"] == "reconfigure_successful"
    assert len(hub.people[person_id].consents) == 2

    result = await choose(hass, await reconfigure_person(hass, entry), "photo")
    result = await add_photo(hass, result, enrolment_photos()[2])
    result = await choose(hass, result, "finish")
    assert result["reason"] == "reconfigure_successful"
    templates = hub.people[person_id].templates
    assert len(templates) == 3

    result = await choose(hass, await reconfigure_person(hass, entry), "remove_photos")
    every = [each.template_id for each in templates]
    result = await configure(hass, result, {"photos": every})
    assert result["errors"] == {"photos": "keep_one"}
    result = await configure(hass, result, {"photos": every[:2]})
    assert result["reason"] == "reconfigure_successful"
    assert [each.template_id for each in hub.people[person_id].templates] == every[2:]


@pytest.mark.parametrize("step", ["details", "consent"])
async def test_full_disk_while_changing(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A change that is written but cannot be read back is an error in the dialog, and the next try goes on."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    result = await choose(hass, await reconfigure_person(hass, entry), step)
    answer = {"name": "Judy"} if step == "details" else consent()
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "person", disk_full)
        result = await configure(hass, result, answer)
    shown = "agree" if step == "consent" else step
    assert (result["step_id"], result["errors"]) == (shown, {"base": "vault_failed"})
    result = await configure(hass, result, answer)
    assert result["reason"] == "reconfigure_successful"
    assert hub.people[person_id].name == ("Judy" if step == "details" else "Eileen")


@pytest.mark.parametrize("step", ["details", "consent", "photo", "finish", "remove_photos"])
async def test_person_is_gone_meanwhile(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, step: str
) -> None:
    """Anyone who is erased while the dialog is open can no longer be changed, and the dialog says so."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    result = await reconfigure_person(hass, entry)
    if step == "finish":
        result = await choose(hass, result, "photo")
        result = await add_photo(hass, result, enrolment_photos()[1])
    elif step != "remove_photos":
        result = await choose(hass, result, step)
    await hass.async_add_executor_job(hub.vault.forget, person_id, dt_util.utcnow())
    match step:
        case "details":
            result = await configure(hass, result, {"name": "Judy"})
        case "consent":
            result = await configure(hass, result, consent())
        case "photo":
            result = await add_photo(hass, result, enrolment_photos()[1])
        case "finish" | "remove_photos":
            result = await choose(hass, result, step)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_stored")


async def test_photo_counts_when_the_dialog_is_closed(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """A photo that was taken for somebody who is here already is used at once."""
    person_id = await enrol(hass, entry, enrolment_photos()[:2])
    result = await choose(hass, await reconfigure_person(hass, entry), "photo")
    result = await add_photo(hass, result, enrolment_photos()[2])
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(hub.people[person_id].templates) == 3


async def test_disk_fails_while_removing_photos(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two photos the first is gone and no longer compared with; the second goes at the next try."""
    person_id = await enrol(hass, entry, enrolment_photos())
    first, second, third = [each.template_id for each in hub.people[person_id].templates]
    result = await reconfigure_person(hass, entry)
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "person", disk_full)
        result = await choose(hass, result, "remove_photos")
        assert result["errors"] == {"base": "vault_failed"}
    result = await configure(hass, result, {"photos": []})
    assert result["reason"] == "reconfigure_successful"

    remove = hub.vault.remove_reference

    def fail_at_the_second(person: str, template_id: str) -> None:
        if template_id == second:
            disk_full()
        remove(person, template_id)

    result = await choose(hass, await reconfigure_person(hass, entry), "remove_photos")
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "remove_reference", fail_at_the_second)
        result = await configure(hass, result, {"photos": [first, second]})
    assert result["errors"] == {"base": "vault_failed"}
    assert [each.template_id for each in hub.people[person_id].templates] == [second, third]
    result = await configure(hass, result, {"photos": [first, second]})
    assert result["reason"] == "reconfigure_successful"
    assert [each.template_id for each in hub.people[person_id].templates] == [third]


async def test_removing_a_person_erases_them(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A removed subentry takes templates, photos, consent and device with it."""
    person_id = await enrol(hass, entry, enrolment_photos())
    (subentry,) = entry.get_subentries_of_type("person")
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (0, 0, 0, 0)
    with pytest.raises(UnknownPerson):
        await hass.async_add_executor_job(hub.vault.person, person_id)
    assert not hub.can_recognise()
    assert hass.states.get("sensor.eileen_consent") is None
