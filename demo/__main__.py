"""Run the demo: `script/demo`, `script/demo --check`."""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
import json
import os
from pathlib import Path
import sys

import aiohttp

from . import alerts, engines, home, supervisor
from .camera import Camera
from .client import Client, DemoFailed
from .house import CAMERA, FAMILIAR, GLANCE_SECONDS, NAME, STRANGERS, VISIT_SECONDS, House, Ring
from .phones import ANDROID, PHONE, receiving
from .pictures import ASTRONAUT, GUEST, NEIGHBOUR, PictureMissing
from .scene import photos
from .stage import DOOR, say, staged
from .until_told import until_told

NOWHERE = Path(os.devnull)
HOUSEHOLD = {
    FAMILIAR: ASTRONAUT,
    alerts.FRIEND.lower(): GUEST,
    alerts.UNKNOWN: NEIGHBOUR,
    # As rain on the glass makes it: the face is found, and too poor to be compared.
    alerts.BLURRED: replace(NEIGHBOUR, blurred=0.09),
}
"""Who comes when a household is told of it."""


def main() -> int:
    """Run the demo and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument(
        "--scenario",
        choices=("door", "forget", "alerts", "automations", "first-hour", "restart"),
        default="door",
        help="door: somebody who agreed rings, and a stranger (the default); forget: a visitor agrees on their own "
        "phone, is recognised, says no, and every byte is searched for them; alerts: two phones are told who is at "
        "the door, nobody of themselves, and a wrong name is put right from one of them; automations: some are made by hand in Home Assistant's editor, "
        "and have to run; with --screenshots one of every trigger, condition and blueprint; first-hour: from nothing to a "
        "named visitor and a notification by clicks alone, which are counted, in each language and at each width; restart: Home Assistant is restarted, and its "
        "plug pulled, while somebody looks at the panel in Chromium",
    )
    parser.add_argument(
        "--engine",
        choices=tuple(engines.KINDS),
        default=engines.THIS_MACHINE,
        help="; ".join(f"{kind}: {what}" for kind, what in engines.KINDS.items()),
    )
    parser.add_argument("--check", action="store_true", help="run once without waiting for anyone, and stop")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="use this new folder, and leave it there")
    parser.add_argument("--port", type=int, help=f"Home Assistant's port, 0 for any (default: {home.PORT})")
    parser.add_argument(
        "--in-browser",
        nargs="?",
        type=Path,
        const=NOWHERE,
        metavar="DIR",
        help="set it up by hand, in Home Assistant's frontend in Chromium; take pictures of the steps into a folder",
    )
    parser.add_argument("--language", action="append", help="of the first hour (default: en, de and nl)")
    parser.add_argument(
        "--width", action="append", type=int, help="of the first hour (default: 1280 and 375)"
    )
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="DIR",
        help="take every picture in the docs after the first hour in English, on a desktop",
    )
    parser.add_argument(
        "--screenshots", type=Path, metavar="DIR", help="the same, with pictures of every page"
    )
    asked = parser.parse_args()
    if asked.engine != engines.THIS_MACHINE and (
        asked.scenario != "door" or asked.in_browser is not None or asked.screenshots is not None
    ):
        parser.error("--engine is for the scenario door, without a browser")
    try:
        return asyncio.run(until_told(_run(asked)))
    except DemoFailed as err:
        print(f"[demo] {err}", file=sys.stderr)
    except PictureMissing as err:
        print(f"[demo] A picture is missing: {err}. Run script/setup demo again.", file=sys.stderr)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as err:
        print(f"[demo] Home Assistant stopped answering: {err!r}.", file=sys.stderr)
    except KeyboardInterrupt, asyncio.CancelledError:
        print("[demo] Stopped.", file=sys.stderr)
        return 130
    return 1


async def _run(asked: argparse.Namespace) -> int:
    cache = Path(os.environ.get("FF_CACHE") or Path.home() / ".cache" / "familiar-faces-dev")
    with home.folder(cache / "homes", asked.keep) as folder:
        port = home.free_port(asked.port)
        return await _SCENARIOS[asked.scenario](asked, folder, port)


async def _door(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """Somebody who agreed rings, and a stranger."""
    async with (
        engines.made(asked.engine, folder) as place,
        staged(
            folder,
            port,
            DOOR,
            *((supervisor.SUPERVISED,) if place.announced else ()),
            prepare=supervisor.install if place.announced else None,
            prelude=place.prelude,
        ) as stage,
    ):
        house = stage.house
        if asked.in_browser is not None or asked.screenshots is not None:
            pictures = asked.screenshots or (asked.in_browser if asked.in_browser != NOWHERE else None)
            await _set_up_in_browser(
                house, stage.camera, stage.url, folder, pictures, everywhere=asked.screenshots is not None
            )
        else:
            if place.announced:
                await house.accept_app()
            else:
                await house.add_integration(place.elsewhere)
            await house.add_cameras()
            await house.add_person()
        await house.listen()
        familiar = await _ring(house, FAMILIAR)
        stranger = await _ring(house, STRANGERS[0])
        right = _judge(familiar, stranger)
        if asked.screenshots is not None:
            await _take_screenshots(stage.url, asked.screenshots)
        if not asked.check:
            await _play(house, stage.url)
            return 0
    # Only now, with nothing running now: the last line is for programs.
    print(json.dumps(_summary(familiar, stranger)), flush=True)
    return 0 if right else 1


async def _forget(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """Somebody agrees on their own phone, is recognised, and says no; then they are searched for."""
    from . import forget

    async with staged(folder, port) as stage:
        await stage.house.add_integration()
        await stage.house.add_cameras()
        story = await forget.play(
            stage.house,
            stage.client,
            folder,
            say,
            pause=None if asked.check else _pause,
            pictures=asked.screenshots,
        )
    found = await asyncio.to_thread(forget.look_for, folder, story, say)
    if not story.right:
        say("WRONG: not all of it went as it should; see the last line.")
    print(json.dumps(forget.summary(story, found)), flush=True)
    return 0 if story.right and not found.places else 1


async def _alerts(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """Two phones are told who is at the door."""
    async with AsyncExitStack() as stack:
        # Before and after Home Assistant: the sender is never left without somebody who takes it.
        receiver = await stack.enter_async_context(receiving(say))
        home_of = staged(folder, port, HOUSEHOLD, "mobile_app", doors=alerts.DOORS.values())
        stage = await stack.enter_async_context(home_of)
        await stage.house.add_integration()
        await stage.house.add_cameras()
        other = Client(stage.session, stage.url)
        household = await alerts.set_up(stage.house, stage.client, other, stage.socket, receiver)
        story = await alerts.play(household, say)
        if asked.screenshots is not None:
            await _take_screenshots(stage.url, asked.screenshots)
        if not asked.check:
            await _play_alerts(household, stage.url)
    if story.wrong:
        say("WRONG: it was not told as it should have been (-: missing, +: not expected):")
        print("\n".join(story.wrong), flush=True)
    print(json.dumps(alerts.summary(story)), flush=True)
    return 1 if story.wrong else 0


async def _automations(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """Automations are made by hand in Home Assistant's editor, and have to run."""
    from . import automations

    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving(say))
        home_of = staged(folder, port, HOUSEHOLD, "mobile_app", prepare=automations.prepare)
        stage = await stack.enter_async_context(home_of)
        await stage.house.add_integration()
        await stage.house.add_cameras()
        await stage.house.add_person()
        await receiver.add_phone(PHONE, ANDROID, stage.client)
        await stage.house.listen()
        walk = automations.Walk(stage.house, stage.client, stage.socket, say, asked.screenshots)
        story = await walk.go()
        if not asked.check:
            await _pause(f"Look around at {stage.url}, and press Enter to stop.")
    print(json.dumps(automations.summary(story)), flush=True)
    return 0 if story.right else 1


async def _first_hour(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """From nothing to a notification by clicks alone, in each language and at each width."""
    from . import automations, docs_pictures, first_hour

    languages, widths = asked.language or first_hour.LANGUAGES, asked.width or first_hour.WIDTHS
    if asked.docs is not None and not (asked.language or asked.width):
        languages, widths = first_hour.DOCS[:1], first_hour.DOCS[1:]
    pictures = asked.screenshots or (asked.in_browser if asked.in_browser != NOWHERE else None)
    took: dict[str, dict[str, int]] = {}
    wrong: list[str] = []
    for language in languages:
        for width in widths:
            walk = f"{language}-{width}"
            place = folder / walk
            place.mkdir()
            async with AsyncExitStack() as stack:
                receiver = await stack.enter_async_context(receiving(say))
                docs = asked.docs if (language, width) == first_hour.DOCS else None
                home_of = staged(
                    place,
                    home.free_port(0),
                    docs_pictures.PEOPLE,
                    "mobile_app",
                    prepare=None if docs is None else automations.prepare,
                )
                clicks = await first_hour.play(
                    await stack.enter_async_context(home_of), receiver, language, width, pictures, docs=docs
                )
            say(f"{walk}: {clicks.steps['name']} clicks to the name, {clicks.steps['phone']} to the phone.")
            took[walk] = clicks.steps
            wrong += [f"{walk}: {each}" for each in first_hour.too_many(clicks)]
    for each in wrong:
        say(f"WRONG: {each}")
    print(json.dumps({"right": not wrong, "clicks": took}), flush=True)
    return 1 if wrong else 0


async def _restart(asked: argparse.Namespace, folder: Path, port: int) -> int:
    """Home Assistant is started again while somebody looks at the panel."""
    from . import restart

    async with staged(folder, port, doors=(CAMERA, restart.BACK_DOOR)) as stage:
        await stage.house.add_integration()
        await stage.house.add_cameras()
        await stage.house.add_person()
        await stage.house.listen()
        story = await restart.play(stage, folder, port, asked.screenshots)
    print(json.dumps({"shown": story.shown, "loaded": story.loaded, "errors": story.errors}), flush=True)
    return 0


async def _set_up_in_browser(
    house: House, camera: Camera, url: str, folder: Path, pictures: Path | None, *, everywhere: bool
) -> None:
    """Set Familiar Faces up as its owner does: in a browser, with clicks."""
    from . import browser

    paths = []
    for number, photo in enumerate(photos(), start=1):
        paths.append(folder / f"{NAME.lower()}-{number}.jpg")
        await asyncio.to_thread(paths[-1].write_bytes, photo)
    async with browser.opened() as chromium:
        # Only before it is set up can its first pages be seen.
        for look in browser.LOOKS if everywhere else ():
            async with browser.logged_in(chromium, url, look, pictures) as frontend:
                await frontend.begin_integration()
                await frontend.choose_engine()
                await frontend.close()
        async with browser.logged_in(chromium, url, folder=pictures) as frontend:
            await frontend.add_integration()
            await house.wait_for_engine()
            say("In the browser: Familiar Faces was added, and its engine prepared.")
            await camera.show(FAMILIAR, ready=1)
            say(f"In the browser: the still of the camera shows {await frontend.add_camera(CAMERA)}")
            await camera.show(None)
            for said in await frontend.add_person(NAME, paths):
                say(f"In the browser: {said}")
            page = await frontend.show_device(NAME, "device-person-new")
            missing = [each for each in (NAME, "Consent", "Last seen") if each not in page]
            if missing:
                raise DemoFailed(f"The page of {NAME} does not show: {', '.join(missing)}.\n{page}")
            say(f"In the browser: {NAME} has a page.")
            await frontend.choose_strictness("Strict")
            say("In the browser: Strict was chosen.")


async def _take_screenshots(url: str, folder: Path) -> None:
    """Take pictures of every page, on a desktop and a telephone, light and dark."""
    from . import browser

    async with browser.opened() as chromium:
        for look in browser.LOOKS:
            async with browser.logged_in(chromium, url, look, folder) as frontend:
                await frontend.look_around()
    say(f"The pictures of the pages are in {folder}.")


async def _ring(house: House, visitor: str, patience: float = VISIT_SECONDS) -> Ring | None:
    """Let somebody ring, and say in plain words what came of it."""
    say(f"{NAME if visitor == FAMILIAR else visitor.capitalize()} rings at the front door.")
    ring = await house.ring(visitor, patience)
    if ring is None:
        say("-> Nothing new: who rings again within half a minute is still on the same visit.")
        return None
    took = f"{ring.ms} ms after the ring, {ring.camera_ms} ms of which the camera took for its pictures"
    if ring.decision == "familiar":
        say(f"-> {ring.person} is at the front door, {(ring.confidence or 0):.1%} sure, said {took}.")
    elif ring.decision == "stranger":
        say(f"-> Somebody unknown is at the front door, said {took}. Nothing is kept of them.")
    else:
        say(f"-> Somebody is at the front door who cannot be made out, said {took}.")
    return ring


def _judge(familiar: Ring | None, stranger: Ring | None) -> bool:
    """Return whether the right one was named, and nobody else."""
    named = familiar is not None and (familiar.decision, familiar.person) == ("familiar", NAME)
    unnamed = stranger is not None and (stranger.decision, stranger.person) == ("stranger", None)
    if not named:
        say(f"WRONG: {NAME} was not named.")
    if not unnamed:
        say("WRONG: the stranger was not told to be one.")
    return named and unnamed


def _summary(familiar: Ring | None, stranger: Ring | None) -> dict[str, dict[str, object]]:
    return {
        "familiar": {
            "person": familiar and familiar.person,
            "confidence": familiar and familiar.confidence,
            "ms": familiar and familiar.ms,
        },
        "stranger": {"decision": stranger and stranger.decision, "ms": stranger and stranger.ms},
        "engine": {"ms": familiar and familiar.engine_ms},
    }


async def _pause(question: str) -> None:
    """Let the viewer look around until they press Enter."""
    print(f"\n  {question}   user: {home.USER}   password: {home.PASSWORD}\n", flush=True)
    await (await _keyboard()).readline()


async def _keyboard() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def _play(house: House, url: str) -> None:
    """Let the viewer ring, until they have seen enough."""
    strangers = 0
    choices = f"Enter: {NAME} rings.   s and Enter: a stranger rings.   q and Enter, or Ctrl-C: stop."
    async for key in _keys(url, choices):
        if key == "s":
            strangers += 1
            await _ring(house, STRANGERS[strangers % len(STRANGERS)], GLANCE_SECONDS)
        elif not key:
            await _ring(house, FAMILIAR, GLANCE_SECONDS)


async def _play_alerts(household: alerts.Household, url: str) -> None:
    """Let the viewer have people come, until they have seen enough."""
    keys = {"": alerts.FRIEND, "e": NAME, "s": alerts.UNKNOWN, "u": alerts.BLURRED}
    async for key in _keys(
        url,
        "Enter: Robin rings.   e, s or u and Enter: Eileen, a stranger or somebody in the rain rings.",
        "All at the front door: anyone who comes there within half a minute comes together.",
        "q and Enter, or Ctrl-C: stop.",
    ):
        if key in keys:
            await alerts.come(household, keys[key], CAMERA, say)


async def _keys(url: str, *lines: str) -> AsyncGenerator[str]:
    """Say what can be typed, and yield each line that is, until the viewer has seen enough."""
    print(f"\n  Home Assistant: {url}   user: {home.USER}   password: {home.PASSWORD}")
    print(f"  Who came: {url}/familiar-faces")
    print("".join(f"  {each}\n" for each in lines), flush=True)
    reader = await _keyboard()
    while line := await reader.readline():
        key = line.decode(errors="replace").strip().lower()
        if key == "q":
            return
        yield key
    # Nobody can press a key: stay until stopped.
    await asyncio.Event().wait()


_SCENARIOS = {
    "door": _door,
    "forget": _forget,
    "alerts": _alerts,
    "automations": _automations,
    "first-hour": _first_hour,
    "restart": _restart,
}


if __name__ == "__main__":
    sys.exit(main())
