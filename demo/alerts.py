"""The story of a household that is told who is at the door: each of them what they are to know, and once."""

from dataclasses import dataclass, field

from . import home
from .client import Client, DemoFailed, Websocket
from .house import CAMERA, FAMILIAR, NAME, House, Say
from .phones import ANDROID, IOS, Phone, Receiver
from .pictures import GUEST
from .scene import selfies
from .told import Told, differences

OWNER = home.USER.capitalize()
PIXEL, IPHONE = f"{OWNER}'s Pixel", f"{NAME}'s iPhone"
FRIEND = "Robin"
"""Agreed too, and is nobody of the household."""
UNKNOWN, BLURRED = "a stranger", "somebody in the rain"
PATIENCE_SECONDS = 20
QUIET_SECONDS = 3
"""How long it is waited for a notification that ought not to be."""
ASKED_AGAIN = "Not them"
DOORS = {FRIEND: CAMERA, NAME: "Back door", UNKNOWN: "Garage", BLURRED: "Garden gate"}
"""Who comes, in this order, and where: who comes to one door within half a minute comes together."""


@dataclass(slots=True)
class Story:
    """What happened."""

    told: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """How that differs from what was to be told."""


@dataclass(slots=True)
class Household:
    """Two users with a phone each, one of them is recognised too."""

    house: House
    receiver: Receiver
    owner: Phone
    other: Phone


def expected() -> list[Told]:
    """Return what is to be told, step by step."""
    mute, who, both = "Mute 1 h", "Who is it?", ("Right", ASKED_AGAIN)

    def told(step: str, phone: str, message: str, tag: int, buttons: tuple[str, ...], **how: bool) -> Told:
        camera = DOORS.get(step, DOORS[FRIEND])
        return Told(step, phone, camera, message, tag, buttons=(*buttons, mute), **how)

    result: list[Told] = []
    for tag, (step, door) in enumerate(DOORS.items(), start=1):
        message = f"{_CALLED.get(step, step)} is at the {door.lower()}."
        named = step in (FRIEND, NAME)
        # Of an unclear visit an administrator may write who it was.
        missed = ("It was …",) if step == BLURRED else ()
        # Only who may add people is asked who it is.
        result += [
            told(step, PIXEL, f"Someone is at the {door.lower()}.", tag, (who,)),
            told(step, PIXEL, message, tag, both if named else (*missed, who), silent=True, picture=named),
        ]
        if step != NAME:
            # Nobody is told of themselves.
            result.append(told(step, IPHONE, message, tag, both if named else (), picture=named))
    corrected = f"It was not {FRIEND} at the {DOORS[FRIEND].lower()}."
    result += [
        told(ASKED_AGAIN, PIXEL, corrected, 1, (who,), silent=True),
        told(ASKED_AGAIN, IPHONE, corrected, 1, (), silent=True),
    ]
    return result


_CALLED = {UNKNOWN: "A stranger", BLURRED: "An unidentified visitor"}
"""What is said of those who have no name."""


async def set_up(
    house: House, client: Client, other: Client, socket: Websocket, receiver: Receiver
) -> Household:
    """Give the owner and somebody else of the household a phone, and choose what they are told."""
    user = (await socket.command("config/auth/create", name=NAME, group_ids=["system-users"]))["user"]
    await socket.command(
        "config/auth_provider/homeassistant/create",
        user_id=user["id"],
        username=FAMILIAR,
        password=home.PASSWORD,
    )
    await socket.command("person/create", name=NAME, user_id=user["id"], device_trackers=[])
    await other.log_in(FAMILIAR, home.PASSWORD)
    pixel = await receiver.add_phone(PIXEL, ANDROID, client)
    iphone = await receiver.add_phone(IPHONE, IOS, other)
    await house.add_person(entity=f"person.{FAMILIAR}")
    await house.add_person(FRIEND, selfies(GUEST))
    entries = await socket.command("config_entries/get", domain="mobile_app")
    keys = {each["title"]: f"phone:{each['entry_id']}" for each in entries}
    if missing := {PIXEL, IPHONE} - keys.keys():
        raise DemoFailed(f"Home Assistant does not know {', '.join(sorted(missing))}.")
    await house.add_alert("At once", keys[PIXEL], early=True)
    await house.add_alert("Once it is known", keys[IPHONE], early=False)
    return Household(house, receiver, pixel, iphone)


async def play(household: Household, say: Say) -> Story:
    """Play the story; return what was told."""
    house, receiver = household.house, household.receiver
    await house.listen()
    right = expected()
    for step, door in DOORS.items():
        await come(household, step, door, say)
        await receiver.hear(step, _count(right, step), PATIENCE_SECONDS, QUIET_SECONDS)
    receiver.step = ASKED_AGAIN
    first = next(iter(household.other.shown), "")
    say(f"{NAME} looks at the first notification and presses “{ASKED_AGAIN}”: it was not {FRIEND}.")
    await household.other.press(first, ASKED_AGAIN)
    await receiver.hear(ASKED_AGAIN, _count(right, ASKED_AGAIN), PATIENCE_SECONDS, QUIET_SECONDS)
    return Story(list(receiver.told), differences(right, receiver.told))


async def come(household: Household, visitor: str, door: str, say: Say) -> None:
    """Let somebody come to a door and ring."""
    household.receiver.step = visitor
    say(f"{visitor[0].upper()}{visitor[1:]} rings at the {door.lower()}.")
    if await household.house.ring(visitor.lower(), PATIENCE_SECONDS, door) is None:
        say("-> Nothing new: who rings again within half a minute is still on the same visit.")


def _count(told: list[Told], step: str) -> int:
    return sum(each.step == step for each in told)


def summary(story: Story) -> dict[str, object]:
    """Return it for programs."""
    return {"right": not story.wrong, "notifications": [each.as_json for each in story.told]}
