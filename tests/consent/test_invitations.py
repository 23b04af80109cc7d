"""Invitations as the owner makes them: in the dialogs, on the device page, and by action."""

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
import json
import logging
from pathlib import Path
from urllib.parse import quote, unquote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.consent.invitations import qr_data_uri, qr_markdown, qr_png
from custom_components.familiar_faces.const import CONF_INVITATION_HOURS, DOMAIN, SUBENTRY_PERSON
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.wording.dates import say_day

from ..common.calling import act
from ..common.pictures import enrolment_photos
from ..common.steps import Result, choose, configure, enrol

pytestmark = pytest.mark.photos(1)

BUTTON = "button.eileen_invite"
IMAGE = "image.eileen_invitation"
BASE = "https://home.example.org"


@pytest.fixture(autouse=True)
async def known_address(hass: HomeAssistant) -> None:
    """Give this Home Assistant addresses, inside and outside."""
    await hass.config.async_update(internal_url="http://192.168.1.2:8123", external_url=BASE)


def token_of(url: str) -> str:
    """Return the token in an address."""
    return url.rsplit("/", 1)[1]


async def opens(hass: HomeAssistant, hub: Hub, url: str) -> str | None:
    """Return the id of the invitation that an address opens."""
    invitation = await hass.async_add_executor_job(
        hub.vault.links.invitation, token_of(url), dt_util.utcnow()
    )
    return None if invitation is None else invitation.invitation_id


async def kinds(hass: HomeAssistant, hub: Hub) -> list[str]:
    """Return the kinds of the entries of the audit log, oldest first."""
    entries = await hass.async_add_executor_job(hub.vault.audit_entries, None, 1000)
    return [entry.kind for entry in reversed(entries)]


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Start to add a person."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_PERSON), context={"source": SOURCE_USER}
    )


async def change(hass: HomeAssistant, entry: MockConfigEntry, person_id: str) -> Result:
    """Start to change a person."""
    subentry_id = next(
        key for key, each in entry.subentries.items() if each.data.get("person_id") == person_id
    )
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_PERSON),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )


# By action


async def test_invite_somebody_new(hass: HomeAssistant, hub: Hub) -> None:
    """The action answers with a link that opens an invitation for a day, and with its QR code."""
    before = dt_util.utcnow()
    answer = await act(hass, "invite")
    assert answer["person_id"] is None
    assert answer["url"].startswith(f"{BASE}/familiar_faces/invitation/")
    assert len(token_of(answer["url"])) == 43
    expires_at = dt_util.parse_datetime(answer["expires_at"])
    assert expires_at is not None
    assert timedelta(hours=24) <= expires_at - before < timedelta(hours=24, minutes=1)
    assert answer["qr"] == qr_data_uri(answer["url"])
    assert unquote(answer["qr"]).startswith("data:image/svg+xml")
    assert await opens(hass, hub, answer["url"]) == answer["invitation_id"]
    # There is nobody yet, and nothing to show.
    assert hub.invitations.shown == {}
    assert "invitation_made" in await kinds(hass, hub)


async def test_how_long_is_chosen(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The option says how long an invitation is open."""
    hass.config_entries.async_update_entry(entry, options={CONF_INVITATION_HOURS: 2})
    await hass.async_block_till_done()
    expires_at = dt_util.parse_datetime((await act(hass, "invite"))["expires_at"])
    assert expires_at is not None
    assert timedelta(minutes=119) < expires_at - dt_util.utcnow() <= timedelta(hours=2)


async def test_who_may_invite(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_read_only_user: MockUser
) -> None:
    """Only administrators invite, only somebody who is here, and only from a home with an address."""
    for action in ("invite", "close_invitations"):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                action,
                {},
                blocking=True,
                return_response=True,
                context=Context(user_id=hass_read_only_user.id),
            )
    with pytest.raises(ServiceValidationError) as unknown:
        await act(hass, "invite", person="Nobody")
    assert unknown.value.translation_key == "unknown_person"
    assert await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow()) == []
    await hass.config.async_update(internal_url=None, external_url=None)
    hass.config.api = None
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "invite", person="Eileen")
    assert caught.value.translation_key == "no_url"
    # Nothing was made that nobody could be told of.
    assert "invitation_made" not in await kinds(hass, hub)


async def test_the_address_at_home_will_do(hass: HomeAssistant, hub: Hub) -> None:
    """Without an address outside, the one at home is used."""
    await hass.config.async_update(external_url=None)
    assert (await act(hass, "invite"))["url"].startswith("http://192.168.1.2:8123/familiar_faces/")


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_close_invitations(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """All that are open are closed, also the one that is shown."""
    first, second = await act(hass, "invite"), await act(hass, "invite", person=eileen)
    assert await act(hass, "close_invitations") == {"closed": 2}
    assert [await opens(hass, hub, each["url"]) for each in (first, second)] == [None, None]
    await hass.async_block_till_done()
    assert hass.states.get(IMAGE).state == "unavailable"
    assert await act(hass, "close_invitations") == {"closed": 0}
    assert (await kinds(hass, hub)).count("invitation_closed") == 2


# On the device page


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_button_and_image(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client: ClientSessionGenerator, config_folder: Path
) -> None:
    """The button opens an invitation whose QR code the image shows; its token is in nothing that is kept."""
    client = await hass_client()
    assert hass.states.get(IMAGE).state == "unavailable"
    assert (await client.get(f"/api/image_proxy/{IMAGE}")).status != HTTPStatus.OK
    await hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True)
    await hass.async_block_till_done()
    invited = hub.invitations.shown[eileen]
    assert await opens(hass, hub, invited.url) == invited.invitation_id
    shown = await client.get(f"/api/image_proxy/{IMAGE}")
    assert shown.status == HTTPStatus.OK
    assert shown.content_type == "image/png"
    body = await shown.read()
    assert body == qr_png(invited.url)
    state = hass.states.get(IMAGE)
    assert state is not None
    assert state.state == invited.created_at.isoformat()

    token = token_of(invited.url)
    states = json.dumps([each.as_dict() for each in hass.states.async_all()], default=str)
    assert "image.eileen_invitation" in states
    assert token not in states
    assert token not in repr(invited)
    await hub.async_stop()
    files = [path for path in config_folder.rglob("*") if path.is_file()]
    assert any("familiar_faces" in str(path) for path in files)
    assert [path for path in files if token.encode() in path.read_bytes()] == []


async def test_what_every_user_sees_is_off(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Anyone who sees the QR code sees and ends what is kept of a person, so the owner has to switch it on.

    So have they the button that forgets somebody at one press.
    """
    await hub.invitations.async_invite(eileen)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    for entity_id in (BUTTON, IMAGE, "button.eileen_forget"):
        entity = registry.async_get(entity_id)
        assert entity is not None
        assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert hass.states.get(entity_id) is None


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_only_administrators_press(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_admin_user: MockUser
) -> None:
    """The buttons let in the users that the actions let in: a user who may press buttons neither invites nor forgets."""
    group = await hass.auth.async_get_group("system-users")
    assert group is not None
    user = MockUser(groups=[group]).add_to_hass(hass)
    for button in (BUTTON, "button.eileen_forget"):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                "button",
                "press",
                {"entity_id": button},
                blocking=True,
                context=Context(user_id=user.id),
            )
    assert hub.invitations.shown == {}
    assert eileen in hub.people
    # An automation, which has no user, and an administrator.
    await hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True)
    assert eileen in hub.invitations.shown
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": "button.eileen_forget"},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    assert eileen not in hub.people


async def test_a_new_one_closes_the_one_before(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Pressing again shows another code, and the first link opens nothing more."""
    first = await hub.invitations.async_invite(eileen)
    second = await hub.invitations.async_invite(eileen)
    assert await opens(hass, hub, first.url) is None
    assert await opens(hass, hub, second.url) == second.invitation_id
    assert hub.invitations.shown[eileen].url == second.url


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_image_ends_with_the_invitation(
    hass: HomeAssistant, hub: Hub, eileen: str, freezer: FrozenDateTimeFactory
) -> None:
    """At the very second at which the invitation ends there is nothing left to show."""
    invited = await hub.invitations.async_invite(eileen)
    await hass.async_block_till_done()
    freezer.move_to(invited.expires_at - timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get(IMAGE).state == invited.created_at.isoformat()
    assert await opens(hass, hub, invited.url) == invited.invitation_id
    freezer.move_to(invited.expires_at)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get(IMAGE).state == "unavailable"
    assert hub.invitations.shown == {}
    assert await opens(hass, hub, invited.url) is None


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_image_ends_when_it_is_used(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Once somebody has used the invitation, its code is no longer shown, and opens nothing."""
    invited = await hub.invitations.async_invite(eileen)
    await hass.async_block_till_done()
    assert hass.states.get(IMAGE).state != "unavailable"
    consent = hub.people[eileen].consents[0]

    def use() -> None:
        hub.vault.links.accept(
            token_of(invited.url),
            person_id="passed-over",
            name="passed over",
            consent=replace(consent, consent_id="new"),
            now=dt_util.utcnow(),
        )

    await hass.async_add_executor_job(use)
    # As the page behind the link does.
    await hub.async_refresh_people()
    await hass.async_block_till_done()
    assert hass.states.get(IMAGE).state == "unavailable"
    assert hub.invitations.shown == {}
    log = await kinds(hass, hub)
    assert [kind for kind in log if kind.startswith("invitation")] == ["invitation_made", "invitation_used"]


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_nothing_is_shown_after_a_restart(
    hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry
) -> None:
    """The invitation is open still, but its code is known to nobody now."""
    invited = await hub.invitations.async_invite(eileen)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    again: Hub = entry.runtime_data
    assert again is not hub
    assert hass.states.get(IMAGE).state == "unavailable"
    assert await opens(hass, again, invited.url) == invited.invitation_id


async def test_forgetting_closes_it(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Forgetting somebody closes their invitation and their link, and says so on the receipt."""
    invited = await hub.invitations.async_invite(eileen)
    await hass.async_block_till_done()
    receipt = await hub.forgetting.async_forget(eileen)
    assert receipt is not None
    assert receipt.invitations == 1
    await hass.async_block_till_done()
    assert hub.invitations.shown == {}
    assert await opens(hass, hub, invited.url) is None


# In the dialogs


async def test_add_person_by_invitation(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The first question offers it; the QR code and the link are shown, and the dialog adds nobody."""
    before = set(entry.subentries)
    result = await start(hass, entry)
    assert (result["type"], result["menu_options"]) == (FlowResultType.MENU, ["here", "invite"])
    result = await choose(hass, result, "invite")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "invite")
    url = result["description_placeholders"]["url"]
    opened = await opens(hass, hub, url)
    assert opened is not None
    assert result["data_schema"]({}) == {"link": url}
    assert result["description_placeholders"]["qr"] == qr_markdown(url)
    assert quote(url, safe="") in result["description_placeholders"]["mail"]
    until = dt_util.as_local(dt_util.utcnow() + timedelta(hours=24))
    assert result["description_placeholders"]["until"].startswith(
        f"{say_day(hass, until.date())}, {until:%H:}"
    )
    # Looked at twice, as when the page is loaded again, it is the same one.
    assert hass.config_entries.subentries.async_get(result["flow_id"])["step_id"] == "invite"
    result = await configure(hass, result, {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invited")
    assert set(entry.subentries) == before
    assert await opens(hass, hub, url) == opened
    assert (await kinds(hass, hub)).count("invitation_made") == 1


async def test_renew_by_invitation(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str
) -> None:
    """A person's dialog invites them to renew, which the device page then shows too."""
    result = await change(hass, entry, eileen)
    assert {"renew", "own_link"} <= set(result["menu_options"])
    result = await choose(hass, result, "renew")
    assert result["description_placeholders"]["name"] == "Eileen"
    assert result["description_placeholders"]["url"] == hub.invitations.shown[eileen].url
    result = await configure(hass, result, {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invited")


async def test_new_personal_link(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str) -> None:
    """A person's dialog makes them a new link, and the one before opens nothing from then on."""

    async def make() -> str:
        result = await choose(hass, await change(hass, entry, eileen), "own_link")
        assert result["menu_options"] == ["new_own_link", "reconfigure"], "it asks first"
        result = await choose(hass, result, "new_own_link")
        url: str = result["description_placeholders"]["url"]
        assert url.startswith(f"{BASE}/familiar_faces/me/")
        assert result["data_schema"]({}) == {"link": url}
        result = await configure(hass, result, {})
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "link_made")
        return url

    async def whose(url: str) -> str | None:
        return await hass.async_add_executor_job(hub.vault.links.person_of, token_of(url))

    first = await make()
    assert await whose(first) == eileen
    second = await make()
    assert (await whose(first), await whose(second)) == (None, eileen)
    assert (await kinds(hass, hub)).count("link_made") == 2


async def test_dialogs_that_cannot(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without an address, somebody forgotten meanwhile, a closed vault: each dialog says so and ends."""
    caplog.set_level(logging.DEBUG)
    renew, own = await change(hass, entry, eileen), await change(hass, entry, eileen)
    new = await start(hass, entry)
    await hass.async_add_executor_job(hub.vault.forget, eileen, dt_util.utcnow())
    for result, option, reason in ((renew, "renew", "nothing_stored"), (own, "own_link", "nothing_stored")):
        result = await choose(hass, result, option)
        if option == "own_link":
            result = await choose(hass, result, "new_own_link")
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)
    await hass.config.async_update(internal_url=None, external_url=None)
    hass.config.api = None
    result = await choose(hass, new, "invite")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_url")
    await hass.config.async_update(external_url=BASE)
    new = await start(hass, entry)
    await hass.async_add_executor_job(hub.vault.close)
    result = await choose(hass, new, "invite")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_link")
    assert "/invitation/" not in caplog.text


# The codes


def test_codes_can_be_read() -> None:
    """Each form of the QR code holds the same modules, dark on white, with a quiet border around them."""
    url = f"{BASE}/familiar_faces/invitation/{'aB-_' * 10}abc"
    kind, _, svg = unquote(qr_data_uri(url)).partition(",")
    assert kind.startswith("data:image/svg+xml")
    assert svg.startswith("<svg")
    assert "fill='#fff'" in svg
    assert url not in svg
    with Image.open(BytesIO(qr_png(url))) as image:
        pixels = image.convert("L")
    modules = pixels.width // 8
    assert pixels.width == pixels.height
    assert all(pixels.getpixel((x, 8 * 3)) == 255 for x in range(pixels.width))
    # The finder pattern in the corner, behind the four light modules of the border.
    row = [pixels.getpixel((8 * module + 4, 8 * 4 + 4)) for module in range(modules)]
    assert row[:12] == [255] * 4 + [0] * 7 + [255]
    assert set(pixels.tobytes()) == {0, 255}


def test_codes_differ() -> None:
    """Another address is another code."""
    for code in (qr_data_uri, qr_png):
        assert len({code(f"{BASE}/{number}") for number in range(3)}) == 3


async def test_forgotten_with_its_image_switched_off(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """An invitation is in nobody's memory by then, whether or not it was shown."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    er.async_get(hass).async_update_entity(IMAGE, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await hub.invitations.async_invite(person_id)
    assert set(hub.invitations.shown) == {person_id}
    await hub.forgetting.async_forget(person_id)
    assert hub.invitations.shown == {}
