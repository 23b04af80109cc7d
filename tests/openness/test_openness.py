"""What can be reached from outside, who may reach it, and what strangers find there."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
import re
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

from aiohttp import hdrs, web
from homeassistant.auth.models import User
from homeassistant.components import frontend, webhook
from homeassistant.components.media_source.const import DATA_MEDIA_SOURCE_PLATFORMS
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er, intent, llm
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces import llm as our_llm
from custom_components.familiar_faces.alerts.pictures import PICTURE_PATH
from custom_components.familiar_faces.const import (
    CONF_CONTACT,
    CONF_NOTICE,
    CONF_RESPONSIBLE,
    CONF_REVIEW_HOURS,
    DOMAIN,
)
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages import guard
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from demo.home import HOME, LATITUDE, LONGITUDE

from ..common.doors import Kind, Who, doors
from ..common.pictures import astronaut, enrolment_photos, jpeg, stranger
from ..common.steps import VISITOR, enrol, ring, visits
from ..common.whereabouts import found_in
from ..conftest import FrontDoor

OURS = f"custom_components.{DOMAIN}"
OTHER_WAYS = (Kind.WEBHOOK, Kind.PANEL, Kind.MEDIA, Kind.LLM, Kind.INTENT, Kind.TOOL)
WRONG_LINK = "A" * 43
WRONG = dict.fromkeys(("invitation", "own"), WRONG_LINK) | {
    "picture": PICTURE_PATH.format(picture_id="A" * 22)
}
"""What stands in paths for links that nobody was given."""


def views(hass: HomeAssistant) -> dict[str, HomeAssistantView | None]:
    """Return the views that are ours, by methods and path; None for a route that has no view."""
    methods: dict[str, set[str]] = {}
    found: dict[str, HomeAssistantView | None] = {}
    for route in hass.http.app.router.routes():
        if route.method in (hdrs.METH_OPTIONS, hdrs.METH_ANY):
            # Home Assistant's own answer to what a browser asks before it asks another site, and our own to whatever
            # nobody asks: see `test_every_other_method_is_answered_alike`.
            continue
        path = route.resource.canonical if route.resource is not None else ""
        view = view_of(route)
        handler = view if view is not None else route.handler
        module = type(handler).__module__ if view is not None else getattr(handler, "__module__", "")
        if str(module).startswith(OURS) or DOMAIN in path:
            # Asking for the head alone gives less than GET.
            method = hdrs.METH_GET if route.method == hdrs.METH_HEAD else route.method
            methods.setdefault(path, set()).add(method)
            found[path] = view
    return {f"{' '.join(sorted(methods[path]))} {path}": view for path, view in found.items()}


def view_of(route: web.AbstractRoute) -> HomeAssistantView | None:
    """Return the view that Home Assistant has wrapped up in a route's handler."""
    for cell in getattr(route.handler, "__closure__", None) or ():
        if isinstance(cell.cell_contents, HomeAssistantView):
            return cell.cell_contents
    return None


def is_ours(thing: object, name: str) -> bool:
    """Return whether something was registered by the integration, or as if it had been."""
    return str(getattr(thing, "__module__", "")).startswith(OURS) or name.startswith(DOMAIN)


@pytest.fixture
def all_pages(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Switch everything on that there is to see."""
    hass.config.latitude, hass.config.longitude, hass.config.location_name = LATITUDE, LONGITUDE, HOME
    said = {CONF_NOTICE: True, CONF_RESPONSIBLE: "The owner", CONF_CONTACT: "owner@example.com"}
    hass.config_entries.async_update_entry(entry, options={**entry.options, **said, CONF_REVIEW_HOURS: 24})


@pytest.fixture
async def public(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    all_pages: None,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Have somebody enrolled, invited and just seen, and a stranger; return what stands in paths for it."""
    person_id = await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    visitor = hass.states.get(VISITOR)
    assert visitor is not None
    now = dt_util.utcnow()
    (camera_id,) = hub.watchers
    alert = ConfigSubentry(
        data=MappingProxyType({"who": ["stranger"], "recipients": ["here:"]}),
        subentry_type="alert",
        title="Strangers",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, alert)
    await hass.async_block_till_done()
    # Wrong links are answered ever more slowly, which has its own tests.
    monkeypatch.setattr(guard, "FREE", 1000)
    monkeypatch.setattr(guard, "FREE_IN_ALL", 1000)
    item = ReviewItem("somebody", camera_id, "stranger", now)

    def keep() -> tuple[str, str]:
        hub.vault.review.add(item, jpeg(stranger()))
        _, invited = hub.vault.links.invite(person_id=None, expires_at=now + timedelta(hours=1), now=now)
        return invited, hub.vault.links.new_link(person_id, now)

    invitation, own = await hass.async_add_executor_job(keep)
    return {
        "language": "en",
        "name": "pages.css",
        "person_id": person_id,
        "visit_id": item.visit_id,
        "rest": "else",
        "invitation": invitation,
        "own": own,
        "own_visit_id": visitor.attributes["visit_id"],
        "photo_id": hub.people[person_id].templates[0].template_id,
        "picture": hub.alerts.pictures.async_offer(hass, "episode", jpeg(stranger())) or "",
    }


async def test_every_view_is_known(hass: HomeAssistant, hub: Hub) -> None:
    """Each view is in the table, and is one of Home Assistant's views, with its checks."""
    found = views(hass)
    assert set(found) == set(doors(Kind.VIEW))
    assert [what for what, view in found.items() if view is None] == []


async def test_each_view_lets_in_whom_the_table_says(
    hass_client_no_auth: ClientSessionGenerator,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
    hass: HomeAssistant,
    public: dict[str, str],
) -> None:
    """Nobody without an account or a link sees a page that is not public, and no user one for administrators."""
    nobody, admin = await hass_client_no_auth(), await hass_client()
    user = await hass_client(hass_read_only_access_token)
    refused = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    wrong = public | WRONG
    for door in doors(Kind.VIEW).values():
        *methods, path = door.what.split(" ")
        url = (door.path or path).format(**public)
        for method in methods:
            if door.who is not Who.ANYBODY:
                shut = (door.path or path).format(**wrong)
                assert (await nobody.request(method, shut)).status in refused, door
            if door.who is Who.ADMIN:
                assert (await user.request(method, url)).status in refused, door
        if hdrs.METH_GET in methods and not door.nothing:
            # Otherwise the refusals above would tell nothing.
            allowed = admin if door.who in (Who.ADMIN, Who.USER) else nobody
            answer = await allowed.get(url)
            assert answer.status == HTTPStatus.OK, door
            await answer.read()


@pytest.mark.parametrize(
    "method", ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "PATCH"]
)
async def test_every_other_method_is_answered_alike(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, public: dict[str, str], method: str
) -> None:
    """A right link, a wrong one, a paper and a path that there never was: to other methods there is nothing."""
    client = await hass_client_no_auth()
    answers = set()
    paths = [
        (door.path or door.what.split(" ")[-1]).format_map(values)
        for door in doors(Kind.VIEW).values()
        for values in (defaultdict(lambda: "x", public), defaultdict(lambda: "x", public | WRONG))
    ]
    asked_by = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for path in [each for each in paths if each.startswith("/familiar_faces/")]:
        answer = await client.request(method, path, headers=asked_by)
        kept = {key: value for key, value in answer.headers.items() if key not in ("Date", "Content-Length")}
        answers.add((answer.status, str(sorted(kept.items())), await answer.read()))
    assert len(answers) == 1, answers
    ((status, headers, _),) = answers
    assert status == HTTPStatus.NOT_FOUND
    assert "Allow" not in headers
    assert "Access-Control" not in headers


async def test_strangers_are_given_nothing(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, public: dict[str, str]
) -> None:
    """Without an account or a link no view gives a name, a picture or a place."""
    client = await hass_client_no_auth()
    values = defaultdict(lambda: "x", public | WRONG)
    for what in views(hass):
        door = doors(Kind.VIEW).get(what)
        *methods, path = what.split(" ")
        url = (door.path if door and door.path else path).format_map(values)
        for method in methods:
            answer = await client.request(method, url, data={})
            body = await answer.read()
            assert b"Eileen" not in body, what
            assert answer.content_type not in ("image/jpeg", "image/png", "application/zip"), what
            # A drawing may be part of a page, such as a QR code, and a photo may not.
            assert not re.search(rb"data:image/(?!svg)", body), what
            assert found_in(body + str(answer.headers).encode()) == [], what


async def test_every_command_is_known(hass: HomeAssistant, hub: Hub, hass_read_only_user: User) -> None:
    """Each command of the websocket is in the table, and refuses who may not use it."""
    commands: dict[str, Any] = hass.data.get("websocket_api", {})
    found = {name: handler for name, (handler, _) in commands.items() if is_ours(handler, name)}
    assert set(found) == set(doors(Kind.COMMAND))
    for name, handler in found.items():
        if doors(Kind.COMMAND)[name].who is Who.ADMIN:
            with pytest.raises(Unauthorized):
                handler(hass, SimpleNamespace(user=hass_read_only_user), {"id": 1, "type": name})


async def test_every_action_is_known(hass: HomeAssistant, hub: Hub, hass_read_only_user: User) -> None:
    """Each action is in the table, and refuses who may not perform it."""
    found = hass.services.async_services_for_domain(DOMAIN)
    assert set(found) == set(doors(Kind.ACTION))
    for name, service in found.items():
        # Empty, and so no more than a knock: who may not is refused before anything is read.
        call = ServiceCall(hass, DOMAIN, name, {}, Context(user_id=hass_read_only_user.id))
        refused = False
        try:
            await cast(Callable[[ServiceCall], Awaitable[Any]], service.job.target)(call)
        except Unauthorized:
            refused = True
        except Exception:  # noqa: BLE001
            # Let in, and then told that something is missing.
            refused = False
        assert refused == (doors(Kind.ACTION)[name].who is Who.ADMIN), name


async def test_every_entity_that_can_be_used_is_known(
    hass: HomeAssistant, hub: Hub, public: dict[str, str]
) -> None:
    """Each picture, button and switch is in the table, and is off when every user is not meant to have it.

    Every user sees what an entity shows, and presses what is there to press, unless the entity asks who it is.
    """
    entries = er.async_entries_for_config_entry(er.async_get(hass), hub.entry.entry_id)
    usable = {
        Kind.IMAGE: "image",
        Kind.BUTTON: "button",
        Kind.SWITCH: "switch",
        Kind.CALENDAR: "calendar",
    }
    known = {"binary_sensor", "event", "sensor", *usable.values()}
    assert {each.domain for each in entries} <= known
    group = await hass.auth.async_get_group("system-users")
    assert group is not None
    user = MockUser(groups=[group]).add_to_hass(hass)
    for kind, domain in usable.items():
        found = {str(each.translation_key): each for each in entries if each.domain == domain}
        assert set(found) == set(doors(kind))
        for key, each in found.items():
            door = doors(kind)[key]
            assert (each.disabled_by is not None) == door.off, key
            if door.who is Who.ADMIN and not door.off:
                with pytest.raises(Unauthorized):
                    await hass.services.async_call(
                        domain,
                        "press",
                        {"entity_id": each.entity_id},
                        blocking=True,
                        context=Context(user_id=user.id),
                    )


async def test_there_is_no_other_way_in(hass: HomeAssistant, hub: Hub) -> None:
    """Webhooks, panels, media and tools for language models are in the table as well."""
    for domain in ("frontend", "media_source", "intent", "llm"):
        assert await async_setup_component(hass, domain, {})
    # In a home the frontend is there first.
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    assert await other_ways(hass) == {kind: set(doors(kind)) for kind in OTHER_WAYS}


async def other_ways(hass: HomeAssistant) -> dict[Kind, set[str]]:
    """Return what else of ours can be reached."""
    webhooks: dict[str, Any] = hass.data.get("webhook", {})
    panels: dict[str, Any] = hass.data.get("frontend_panels", {})
    media = set()
    if DATA_MEDIA_SOURCE_PLATFORMS in hass.data:
        sources = await hass.data[DATA_MEDIA_SOURCE_PLATFORMS].async_get_platforms()
        media = {name for name, source in sources.items() if is_ours(type(source), name)}
    return {
        Kind.WEBHOOK: {each.name for each in webhooks.values() if each.domain == DOMAIN},
        Kind.PANEL: {path for path in panels if DOMAIN in path.replace("-", "_")},
        Kind.MEDIA: media,
        Kind.LLM: {each.id for each in llm.async_get_apis(hass) if is_ours(type(each), each.id)},
        Kind.INTENT: {
            each.intent_type for each in intent.async_get(hass) if is_ours(type(each), each.intent_type)
        },
        Kind.TOOL: {
            each.name
            for each in vars(our_llm).values()
            if isinstance(each, type) and issubclass(each, llm.Tool) and hasattr(each, "name")
        },
    }


async def test_a_new_door_is_noticed(hass: HomeAssistant, hub: Hub) -> None:
    """The tests above see what is registered beside the views, under other names, or from elsewhere."""

    async def given_away(request: web.Request) -> web.Response:
        return web.Response()

    async def webhook_handler(hass: HomeAssistant, webhook_id: str, request: web.Request) -> None:
        """Never called."""

    class Map(HomeAssistantView):
        url = "/api/faces_map"
        name = "api:faces_map"
        requires_auth = False

        get = staticmethod(given_away)

    Map.__module__ = f"{OURS}.pages.map"
    before = set(views(hass))
    hass.http.register_view(Map())
    hass.http.app.router.add_get(f"/local/{DOMAIN}/faces.json", given_away)
    assert set(views(hass)) - before == {"GET /api/faces_map", f"GET /local/{DOMAIN}/faces.json"}

    assert await async_setup_component(hass, "webhook", {})
    webhook.async_register(hass, DOMAIN, "Faces", "faces", webhook_handler)
    frontend.async_register_built_in_panel(hass, "iframe", frontend_url_path="familiar-faces")
    found = await other_ways(hass)
    assert (found[Kind.WEBHOOK], found[Kind.PANEL]) == ({"Faces"}, {"familiar-faces"})
