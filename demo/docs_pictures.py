"""The pictures in the docs, of the home that the first hour has just made: one walk takes them all."""

import asyncio
from dataclasses import replace
from pathlib import Path
import tempfile
from typing import Any

from playwright.async_api import Browser, FloatRect, Page, Route

from . import docs_panel
from .album import Album
from .alerts import BLURRED
from .automations import AUTOMATIONS, FILLED, Walk
from .browser import SETTLED, Look, logged_in
from .client import DemoFailed, Json
from .editor import Editor
from .home import DOMAIN, PASSWORD
from .house import CAMERA, FAMILIAR, NAME, STRANGERS
from .pictures import ASTRONAUT
from .scene import photos
from .stage import DOOR, Stage, say
from .visitor import visiting

# The same portrait, as rain on the glass makes it: nobody else's picture is to be seen in the docs.
PEOPLE = {**DOOR, BLURRED: replace(ASTRONAUT, blurred=0.09)}
"""Who comes to the door."""
APART_SECONDS = 32
"""Anyone who comes sooner after somebody else may still be on the same visit."""
RESPONSIBLE = {"responsible": "Anna de Vries", "contact": "anna@example.org"}
NOTICE = f"/{DOMAIN}/notice"
LINES_HEIGHT = 700
"""Pixels of the list of Activity from its beginning."""
PANE = FloatRect(x=256, y=0, width=1024, height=900)
"""Where a page of the frontend is, beside the list of pages."""
NO_ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>'
PHONE_LOOK = Look("phone", 375, 900, dark=True)


async def take_before_anybody(chromium: Browser, stage: Stage, album: Album) -> None:
    """Take what is to be seen only before anybody is recognised."""
    async with logged_in(chromium, stage.url) as frontend:
        await album.tried(docs_panel.todo(frontend, album))


async def take(chromium: Browser, stage: Stage, album: Album) -> None:
    """Take all others, in English; raise DemoFailed when one is missing."""
    await stage.house.ring(STRANGERS[0])
    await album.tried(_of_home_assistant(chromium, stage, album))
    await album.tried(_of_automations(chromium, stage, album))
    await asyncio.sleep(APART_SECONDS)
    await stage.house.ring(BLURRED)
    await asyncio.sleep(APART_SECONDS)
    await album.tried(_of_a_notification(chromium, stage, album))
    await _publish_notice(stage)
    await _of_the_panel(chromium, stage, album)
    await album.tried(_of_a_visitor(chromium, stage, album))
    album.check()
    say(f"The pictures of the docs are in {album.folder}.")


async def _of_home_assistant(chromium: Browser, stage: Stage, album: Album) -> None:
    """Take the pages of the integration, of a camera and of a person, the dialog of an alert, and Activity."""

    async def shoot(page: Page, step: str) -> None:
        match step:
            case "integration" | "front-door" | "person":
                await album.page(step, page)
            case "alert-1-about":
                await album.element("alert-about", page.get_by_role("dialog").last)
            case "alert-3-who-is-told":
                await album.element("alert-who-is-told", page.get_by_role("dialog").last)
            case "logbook":
                await album.element("logbook", page.locator("ha-logbook").first, LINES_HEIGHT)

    async with logged_in(chromium, stage.url, shoot=shoot) as frontend:
        await frontend.show_integration("integration")
        await frontend.show_device(CAMERA, "front-door")
        await frontend.show_device(NAME, "person")
        await frontend.look_at_alert()
        await frontend.look_at_news()


async def _of_automations(chromium: Browser, stage: Stage, album: Album) -> None:
    """Make automations in the editor, and take their triggers, conditions and blueprints."""
    editor_shown = {
        "trigger-familiar-person-seen": "triggers",
        "trigger-stranger-seen": "triggers",
        "trigger-unclear-visitor-seen": "triggers",
        "condition-person-is-present": "conditions",
        "condition-visitor-was-seen": "conditions",
    }
    first = AUTOMATIONS[0].title
    blueprints = {f"blueprint-{each.blueprint.split(': ')[1].replace(' ', '-')}" for each in FILLED}

    async def shoot(page: Page, step: str) -> None:
        if step in editor_shown:
            await album.part(editor_shown[step], page.locator("ha-automation-sidebar"))
        elif step in blueprints:
            await album.part("blueprints", page.locator("blueprint-automation-editor"))
        elif step == "device-triggers":
            await album.element(step, page.get_by_role("dialog").last)
        elif step == f"automation-{first.lower().replace(' ', '-')}-trigger":
            await album.page("automation-editor", page, PANE)

    walk = Walk(
        stage.house,
        stage.client,
        stage.socket,
        say,
        None,
        # Those that a picture shows.
        automations=[each for each in AUTOMATIONS if each.trigger.device is None],
        filled=FILLED,
    )
    async with logged_in(chromium, stage.url, shoot=shoot) as frontend:
        await frontend.page.route("**/api/brands/**", _without_gaps)
        await walk.make(frontend)
        states: list[Json] = await stage.client.get("states")
        made = {each["attributes"].get("friendly_name"): each["attributes"].get("id") for each in states}
        await Editor(frontend).look_at(made[first], first)
    album.put_together("triggers", columns=3, most=662)
    album.put_together("conditions", columns=2, most=662)
    album.put_together("blueprints", columns=2, most=900, scale=0.6)


async def _without_gaps(route: Route) -> None:
    """Show nothing in the place of another integration's icon that this machine cannot fetch, and no broken picture."""
    answer = await route.fetch()
    if answer.ok:
        await route.fulfill(response=answer)
    else:
        await route.fulfill(body=NO_ICON, content_type="image/svg+xml")


async def _of_a_notification(chromium: Browser, stage: Stage, album: Album) -> None:
    """Have an alert notify in Home Assistant itself, and take what it says."""
    await stage.house.add_alert("Visitors", "here:", early=False)
    # Those of the automations, and what they would say of the next ring.
    await stage.client.call("automation", "turn_off", {"entity_id": "all"})
    await stage.client.call("persistent_notification", "dismiss_all", {})
    await _ring_again(stage)
    async with logged_in(chromium, stage.url) as frontend:
        await frontend.show("/config/dashboard")
        page = frontend.page
        await page.locator("#sidebar-notifications").click()
        shown = page.locator("notification-drawer notification-item").filter(has_text=NAME).first
        await shown.wait_for()
        # The drawer slides in.
        await page.wait_for_timeout(SETTLED)
        bar, item = (
            await page.locator("notification-drawer ha-header-bar").bounding_box(),
            await shown.bounding_box(),
        )
        if bar is None or item is None:
            raise DemoFailed("The notification is not to be seen.")
        bottom = item["y"] + item["height"] + 16
        clip = FloatRect(x=bar["x"], y=bar["y"], width=bar["width"], height=bottom - bar["y"])
        await album.page("notification", page, clip)


async def _ring_again(stage: Stage) -> None:
    ring = await stage.house.ring(FAMILIAR)
    if ring is None or ring.person != NAME:
        raise DemoFailed(f"{NAME} was not named again: {ring}.")


async def _publish_notice(stage: Stage) -> None:
    """Have the notice for visitors be public."""
    flow = await stage.client.options_flow(stage.house.entry_id)
    await flow.choose("init", "notice")
    await flow.answer("notice", {"notice": True, "language": "en", **RESPONSIBLE})


async def _of_the_panel(chromium: Browser, stage: Stage, album: Album) -> None:
    """Take the panel's tabs and its card; at the end the person is forgotten."""
    async with logged_in(chromium, stage.url) as frontend:
        await album.tried(docs_panel.visits(frontend, album))
    async with logged_in(chromium, stage.url, PHONE_LOOK) as frontend:
        await album.tried(docs_panel.on_a_phone(frontend, album))
    await stage.client.call(DOMAIN, "invite", {}, answer=True)
    async with logged_in(chromium, stage.url) as frontend:
        await album.tried(docs_panel.card(frontend, album))
        await album.tried(docs_panel.people(frontend, album))
        await stage.camera.show(FAMILIAR, ready=3)
        await album.tried(docs_panel.walk_up(frontend, album))
        await album.tried(docs_panel.cameras(frontend, album))
        await stage.camera.show(None)
        await album.tried(docs_panel.privacy(frontend, album))
    await _give_account(stage)
    async with logged_in(chromium, stage.url, user=FAMILIAR) as frontend:
        await album.tried(docs_panel.me(frontend, album))
    async with logged_in(chromium, stage.url) as frontend:
        await album.tried(docs_panel.forget(frontend, album))


async def _give_account(stage: Stage) -> None:
    """Have the person log in to Home Assistant as somebody of their own."""
    socket, house = stage.socket, stage.house
    made = await socket.command("config/auth/create", name=NAME, group_ids=["system-users"])
    await socket.command(
        "config/auth_provider/homeassistant/create",
        user_id=made["user"]["id"],
        username=FAMILIAR,
        password=PASSWORD,
    )
    await socket.command("person/create", name=NAME, user_id=made["user"]["id"], device_trackers=[])
    listed: list[dict[str, Any]] = await socket.command(
        "config_entries/subentries/list", entry_id=house.entry_id
    )
    (person,) = (each["subentry_id"] for each in listed if each["subentry_type"] == "person")
    flow = await stage.client.subentry_flow(house.entry_id, "person", person)
    await flow.choose("reconfigure", "details")
    await flow.answer("details", {"name": NAME, "linked_entity": f"person.{FAMILIAR}"})


async def _of_a_visitor(chromium: Browser, stage: Stage, album: Album) -> None:
    """Take the notice, and the pages of somebody who is invited, on their phone."""
    invitation = await stage.client.call(DOMAIN, "invite", {}, answer=True)
    with tempfile.TemporaryDirectory() as folder:
        async with visiting(chromium, Path(folder), sharp=True) as visitor:
            await visitor.read_invitation(invitation["url"])
            await album.page("visitor-consent-phone", visitor.page)
            await visitor.agree(NAME)
            await visitor.take_selfie(photos()[0])
            await visitor.finish()
            await album.page("visitor-own-page-phone", visitor.page)
            await visitor.page.goto(f"{stage.url}{NOTICE}")
            await album.page("notice-phone", visitor.page)
