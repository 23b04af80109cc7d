"""Forged answers from notifications: whatever an app sends, what was not offered to its user does nothing."""

from random import Random
from typing import Any

from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts.answers import EVENT_ANSWERED, PREFIX
from custom_components.familiar_faces.hub import Hub

from ..common.alerting import a_user, add_alert, audited, everything, press, ring_and_tell
from ..common.phone import NewPhone
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, visits
from ..conftest import FrontDoor


def forged(random: Random, real: list[str]) -> Any:
    """Return what might be sent instead of an answer."""
    token = random.choice(real)
    body = token.removeprefix(PREFIX)
    where = random.randrange(len(body))
    nested: Any = token
    for _ in range(random.randrange(1, 60)):
        nested = [nested] if random.random() < 0.5 else {"action": nested}
    return random.choice(
        [
            PREFIX + "".join(random.sample(body, len(body))),
            PREFIX + body[:where] + random.choice("AZaz09-_") * 2 + body[where + 1 :],
            token.swapcase(),
            token.lower(),
            token[:-1],
            f"{token}{random.choice(' =/x')}",
            f" {token}",
            f"{token}\0",
            f"{PREFIX}{token}",
            body,
            token.replace("A", "\u0391").replace("e", "\u0435") + "\u200d",
            "".join(f"%{ord(each):02x}" for each in token),
            PREFIX,
            "",
            PREFIX + "A" * random.choice([43, 10_000, 300_000]),
            "💥" * random.randrange(1, 500),
            random.choice(["URI", "REPLY", "right", "not_them", "mute", "who", "*", "None"]),
            random.choice([None, True, False, 0, -1, 1e308, 2**60]),
            [token],
            {"action": token},
            {token: token},
            nested,
        ]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_forged(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    seed: int,
) -> None:
    """Of hundreds of forged, replayed and others' answers none changes anything; the real ones work afterwards."""
    random = Random(seed)
    phone = await new_phone("Pixel", await a_user(hass, "Anna", GROUP_ID_USER))
    add_alert(hass, entry, phone)
    bert = await new_phone("Bert")
    add_alert(hass, entry, bert)
    eileen = await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    # One is spent, those of Bert's first notification were withdrawn, and those of each are the other's.
    mute = phone.action("Mute 1 h")
    await press(hass, phone, "Mute 1 h")
    withdrawn = [each["action"] for each in bert.pushed[0]["data"]["actions"]]
    of_anna = [phone.action(title) for title in ("Right", "Not them")]
    of_bert = [bert.action(title) for title in ("Right", "Not them", "Mute 1 h")]
    before = await everything(hass, hub)
    for _ in range(300):
        sender, others = random.choice([(phone, of_bert), (bert, of_anna)])
        action = random.choice(
            [
                forged(random, [*of_anna, *of_bert]),
                random.choice(others),
                random.choice([mute, *withdrawn]),
            ]
        )
        data = {"action": action, "user_id": random.choice([phone.user_id, bert.user_id]), "tag": "x"}
        if random.random() < 0.1:
            del data["action"]
        event = EVENT_ANSWERED
        if random.random() < 0.1:
            # The right one, by the wrong event.
            event = random.choice(["mobile_app_notification_cleared", "ios.notification_action_fired"])
            data["action"] = random.choice(of_anna)
        await sender.fire(event, data)
    for body in (b"", b"{", b"[]", b'{"type": "fire_event"}', b'{"type": "fire_event", "data": [1]}'):
        await phone.client.post(f"/api/webhook/{phone.webhook_id}", data=body)
    assert await everything(hass, hub) == before
    await press(hass, phone, "Right")
    await press(hass, bert, "Not them")
    assert [each.details["answer"] for each in await audited(hass, hub)] == ["mute", "right", "not_them"]
    assert {each.person_id for each in await audited(hass, hub)} == {eileen}
