"""The action `identify`."""

from pathlib import Path
from typing import Any

from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import HUB, Hub

from .conftest import CAMERA, FrontDoor
from .pictures import astronaut, enrolment_photos, frame, stranger
from .steps import enrol


async def identify(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Call the action, and return its answer."""
    answer = await hass.services.async_call(DOMAIN, "identify", data, blocking=True, return_response=True)
    assert answer is not None
    return dict(answer)


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


async def test_uploaded_image(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, config_folder: Path
) -> None:
    """A picture of a real media source that lies on this machine can be asked about."""
    await enrol(hass, entry, enrolment_photos())
    media = config_folder / "media"
    media.mkdir()
    (media / "party.jpg").write_bytes(frame(astronaut()))
    (media / "notes.txt.jpg").write_bytes(b"not a picture")
    hass.config.media_dirs = {"local": str(media)}
    assert await async_setup_component(hass, "media_source", {})

    def image(name: str) -> dict[str, str]:
        return {
            "media_content_id": f"media-source://media_source/local/{name}",
            "media_content_type": "image/jpeg",
        }

    answer = await identify(hass, image=image("party.jpg"))
    assert [face["name"] for face in answer["faces"]] == ["Eileen"]
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, image=image("notes.txt.jpg"))
    assert caught.value.translation_key == "image_rejected"
    with pytest.raises(HomeAssistantError):
        await identify(hass, image=image("../../secrets.yaml"))


async def test_image_that_lies_elsewhere(
    hass: HomeAssistant, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that would have to be fetched from somewhere is refused: nothing is asked of strangers."""

    async def resolve(*args: object) -> PlayMedia:
        return PlayMedia("http://example.com/a.jpg", "image/jpeg")

    monkeypatch.setattr("custom_components.familiar_faces.services.media_source.async_resolve_media", resolve)
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
    hub.async_switch_recognition(False, HUB)
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, camera=CAMERA)
    assert caught.value.translation_key == "recognition_off"
    hub.async_switch_recognition(True, HUB)
    await hub.engine.stop()
    with pytest.raises(HomeAssistantError) as failed:
        await identify(hass, camera=CAMERA)
    assert failed.value.translation_key == "engine_failed"
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await identify(hass, camera=CAMERA)
    assert caught.value.translation_key == "not_loaded"
