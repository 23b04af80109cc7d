"""Anyone who has the disk afterwards: every byte of the home is searched for somebody who was forgotten."""

import asyncio

from demo.forget import look_into
from demo.scene import selfies
from demo.search import Needles, search

from .attack import Room
from .grounds import FACE_OF, FACES, VISITOR, Grounds
from .guest import confirmed
from .outcome import Promise, Trial

ROOM = Room(Promise.BYTES, "docs/forgetting.md#what-forgetting-does")
RECEIPT_SECONDS = 30
WRITTEN_SECONDS = 2.0
LOGS = ("home-assistant.log", "console.log")
"""What the receipt names as not reached: what somebody's automations had written there stays."""


@ROOM.attack()
async def bytes_of_the_forgotten(grounds: Grounds, trial: Trial) -> None:
    """Search the folder, the database and the logs for the name, the photos and the face data of who withdrew."""
    at = await grounds.live()
    guest = at.guest(grounds.links[VISITOR])
    needles, name = Needles(), Needles()
    for each in (needles, name):
        each.add_name(VISITOR)
    for photo in selfies(FACES[FACE_OF[VISITOR]]):
        needles.add_data("selfie", photo)
    ring = await grounds.ring_anew(at, VISITOR)
    trial.holds(ring is not None, f"{VISITOR} rang, and nothing came of it")
    exported = await guest.get(f"{guest.own}/download")
    look_into(exported.body, needles)
    # What the household's automations did with the name is written a moment later.
    await asyncio.sleep(WRITTEN_SECONDS)
    before = await asyncio.to_thread(search, grounds.lived_in, name)
    trial.holds(before.places, "the search finds nothing while there is something")
    answer = await guest.withdraw()
    trial.holds(confirmed(answer), f"withdrawing is answered {answer.status}")
    person_ids = {each["person_id"] for each in await _forgotten(grounds)}
    for _ in range(RECEIPT_SECONDS):
        if not person_ids or all([await _finished(grounds, each) for each in person_ids]):
            break
        await asyncio.sleep(1)
    states = await at.owner.get("states")
    trial.holds(VISITOR.lower() not in str(states).lower(), f"a state still tells of {VISITOR}")
    await grounds.end_live()
    found = await asyncio.to_thread(search, grounds.lived_in, needles)
    for what, places in found.places.items():
        left = [each for each in places if not each.startswith(LOGS)]
        trial.holds(not left, f"{what} of {VISITOR} is left in {', '.join(left)}")
    trial.holds(found.files > 100, f"only {found.files} files were searched")


async def _forgotten(grounds: Grounds) -> list[dict[str, str]]:
    """Return the newest entry of the audit log about somebody who was forgotten."""
    at = await grounds.live()
    told = await at.act("audit_log", {"limit": 20}) or {"entries": []}
    return [each for each in told["entries"] if each["kind"] == "forgotten"][:1]


async def _finished(grounds: Grounds, person_id: str) -> bool:
    told = await (await grounds.live()).act("receipts", {"person_id": person_id})
    return told is not None and told["receipts"][0]["finished_at"] is not None
