"""A home in which somebody was enrolled and recognised, and what must not be found of her once she is forgotten."""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing import home_traces
from demo.search import base64_of

from ..conftest import an_entry
from .home import Home, MakeRecorder, home
from .pictures import astronaut, enrolment_photos
from .steps import enrol, ring, visits

NAME = "Zyxandra"
VAULT = Path(".storage", DOMAIN)


@dataclass
class Evidence:
    """What must not be found of somebody: texts anywhere, ids outside of the vault, and 32 bytes of any picture."""

    person_id: str
    entity_ids: list[str]
    texts: dict[str, bytes]
    slices: set[bytes]

    def find(self, folder: Path) -> list[str]:
        """Return where anything of it is found, in every file of a folder."""
        found: list[str] = []
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            data = path.read_bytes()
            place = path.relative_to(folder)
            low = data.lower()
            found += [f"{what} in {place}" for what, text in self.texts.items() if text.lower() in low]
            if VAULT not in place.parents and self.person_id.encode() in data:
                # The vault's audit log and tombstone know who was here by a random id.
                found.append(f"the id in {place}")
            if any(data[at : at + 32] in self.slices for at in range(len(data) - 31)):
                found.append(f"a face or template in {place}")
        return found


def texts_of(name: str) -> dict[str, bytes]:
    """Return a name as files may hold it; its slug, in the ids of entities, is the name in lower case."""
    return {
        "the name": name.encode(),
        "the name in UTF-16": name.encode("utf-16-le"),
    } | {f"the name in base64, {at}": text for at, text in enumerate(base64_of(name.encode()))}


async def evidence_of(running: Home, person_id: str) -> Evidence:
    """Read from the vault what must be gone."""
    hass, vault = running.hass, running.hub.vault

    def read() -> tuple[dict[str, bytes], set[bytes]]:
        person = vault.person(person_id)
        texts, slices = texts_of(person.name), set[bytes]()
        for number, template in enumerate(person.templates):
            raw = template.embedding.astype("<f4").tobytes()
            texts[f"template {number} in base64"] = base64.b64encode(raw)[:64]
            slices |= {raw[at : at + 32] for at in range(len(raw) - 31)}
            photo = vault.reference_photo(template.template_id)
            slices |= {photo[at : at + 32] for at in range(0, len(photo) - 31, 32)}
        (visit,) = vault.visits()
        picture = vault.visit_picture(visit.visit_id)
        assert picture is not None
        slices |= {picture[at : at + 32] for at in range(0, len(picture) - 31, 32)}
        return texts, slices

    texts, slices = await hass.async_add_executor_job(read)
    entity_ids = sorted(home_traces.async_entity_ids(hass, [person_id]))
    return Evidence(person_id, entity_ids, texts, slices)


@contextmanager
def everything_switched_on() -> Generator[None]:
    """Have the owner switch on what is off at first: the more entities there are, the more is there to be found."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        yield


async def live_in(folder: Path, make_recorder: MakeRecorder) -> Evidence:
    """Have somebody be enrolled and recognised in a new home, stop it, and return what tells of her."""
    with everything_switched_on():
        async with home(folder, make_recorder, an_entry()) as running:
            person_id = await enrol(running.hass, running.entry, enrolment_photos(), name=NAME)
            running.front_door.frames = visits(astronaut())
            await ring(running.hass, running.hub)
            visitor = running.hass.states.get("sensor.front_door_last_visitor")
            assert visitor is not None
            assert visitor.state == NAME
            await running.settle()
            return await evidence_of(running, person_id)


async def ask(running: Home, person_id: str) -> None:
    """Ask for it as an action or the person's own page does."""
    receipt = await running.hub.forgetting.async_forget(person_id, "asked")
    assert receipt is not None
    assert receipt.finished_at is not None
