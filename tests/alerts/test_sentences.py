"""The sentences of notifications, in every language."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.alerts.sentences import async_message
from custom_components.familiar_faces.alerts.telling import Kind, Part
from custom_components.familiar_faces.wording.words import LANGUAGES, in_sentence

WHO = {
    "stranger": Kind.STRANGER,
    "unclear": Kind.UNCLEAR,
    "someone": Kind.SOMEONE,
    "not": Kind.CORRECTED,
}


def parts(*people: str, camera_id: str = "front") -> list[Part]:
    """Return people as a recipient is told of them; with a capital they are familiar."""
    return [
        Part(WHO.get(each, Kind.FAMILIAR), camera_id, f"{index} {each}", "Anna" if each == "not" else each)
        for index, each in enumerate(people)
    ]


async def said(hass: HomeAssistant, language: str, *told: Part, front: str = "Front door") -> str:
    """Return what is said of people."""
    hass.config.language = language
    return await async_message(hass, told, {"front": front, "back": "Back door"})


@pytest.mark.parametrize(
    ("people", "en", "nl", "de"),
    [
        (
            ["unclear", "Anna"],
            "An unidentified visitor and Anna are at the front door.",
            "Een niet herkende persoon en Anna zijn bij de camera Front door.",
            "Eine nicht erkannte Person und Anna sind an der Kamera Front door.",
        ),
        (
            ["unclear"],
            "An unidentified visitor is at the front door.",
            "Een niet herkende persoon is bij de camera Front door.",
            "Eine nicht erkannte Person ist an der Kamera Front door.",
        ),
        (
            ["Anna", "unclear", "Bob"],
            "Anna, an unidentified visitor and Bob are at the front door.",
            "Anna, een niet herkende persoon en Bob zijn bij de camera Front door.",
            "Anna, eine nicht erkannte Person und Bob sind an der Kamera Front door.",
        ),
        (
            ["unclear", "Anna", "Bob"],
            "An unidentified visitor, Anna and Bob are at the front door.",
            "Een niet herkende persoon, Anna en Bob zijn bij de camera Front door.",
            "Eine nicht erkannte Person, Anna und Bob sind an der Kamera Front door.",
        ),
        (
            ["stranger", "Anna", "stranger"],
            "2 strangers and Anna are at the front door.",
            "2 onbekenden en Anna zijn bij de camera Front door.",
            "2 fremde Personen und Anna sind an der Kamera Front door.",
        ),
        (
            ["unclear", "unclear", "unclear"],
            "3 unidentified visitors are at the front door.",
            "3 niet herkende personen zijn bij de camera Front door.",
            "3 nicht erkannte Personen sind an der Kamera Front door.",
        ),
        (
            ["Anna", "stranger", "Bob", "stranger", "Carla", "Dirk", "unclear"],
            "Anna, 2 strangers, Bob, Carla and 2 more are at the front door.",
            "Anna, 2 onbekenden, Bob, Carla en nog 2 zijn bij de camera Front door.",
            "Anna, 2 fremde Personen, Bob, Carla und 2 weitere sind an der Kamera Front door.",
        ),
        (
            ["not", "Bob"],
            "It was not Anna at the front door. Bob is at the front door.",
            "Het was niet Anna bij de camera Front door. Bob is bij de camera Front door.",
            "Das war nicht Anna an der Kamera Front door. Bob ist an der Kamera Front door.",
        ),
    ],
)
async def test_sentences(hass: HomeAssistant, people: list[str], en: str, nl: str, de: str) -> None:
    """It is a sentence, no matter who comes together."""
    assert [await said(hass, language, *parts(*people)) for language in LANGUAGES] == [en, nl, de]


async def test_two_cameras(hass: HomeAssistant) -> None:
    """Each camera has its sentence, and those of a kind are counted at each."""
    told = [*parts("stranger", "Anna"), *parts("stranger", camera_id="back")]
    assert await said(hass, "en", *told) == (
        "A stranger and Anna are at the front door. A stranger is at the back door."
    )


@pytest.mark.parametrize(
    ("camera", "en"),
    [
        ("Front door", "front door"),
        ("Garage", "garage"),
        ("Doorbell", "doorbell"),
        ("Front Door Cam", "Front Door Cam"),
        ("Reolink", "Reolink"),
        ("Ring", "Ring"),
        ("Reolink doorbell", "Reolink doorbell"),
        ("CCTV", "CCTV"),
        ("DOOR", "DOOR"),
        ("G4 doorbell", "G4 doorbell"),
        ("Anna's room", "Anna's room"),
        ("front door", "front door"),
        ("", ""),
        (" ", " "),
    ],
)
def test_cameras_within_a_sentence(camera: str, en: str) -> None:
    """English writes places small and names as they are; German writes all of them as they are."""
    assert in_sentence(camera, "en") == en
    assert in_sentence(camera, "de") == camera
