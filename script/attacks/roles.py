"""Who has an account here, or none at all: what each of them gets of others, over REST, the websocket and the views."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from demo import home
from demo.client import Client, DemoFailed, Json
from demo.house import NAME

from .attack import Room
from .grounds import USERS, VISITOR, Grounds, Home
from .outcome import Promise, Trial

ROOM = Room(Promise.ROLES, "docs/security.md#users-of-this-home-assistant")
ANONYMOUS = "anonymous"
REFUSED = (401, 403, 404)
CAMERA_ENTITY = "camera.front_door"
MEDIA = f"media-source://{home.DOMAIN}"
INBOX = f"{MEDIA}/review"
FOR_ALL = {"last_visits", "who_is_here"}
"""The actions that tell each user what that user's states tell anyway."""
MANY, AT_ONCE = 40, 8
"""How often one asks who is in a picture before it is called unlimited."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks."""

    name: str
    session: aiohttp.ClientSession
    url: str
    client: Client | None
    """None for nobody."""

    async def status(self, method: str, path: str, data: Json | None = None) -> int:
        """Return how a request is answered."""
        headers = {} if self.client is None else {"Authorization": f"Bearer {await self.client.token()}"}
        async with self.session.request(
            method, f"{self.url}{path}", json=data, headers=headers, allow_redirects=False
        ) as response:
            await response.read()
            return response.status

    async def command(self, kind: str, **data: Any) -> Any:
        """Send a websocket command; return its result, and a DemoFailed that says why there is none."""
        assert self.client is not None
        async with await self.client.websocket() as socket:
            try:
                return await socket.command(kind, **data)
            except DemoFailed as err:
                return err


async def _askers(at: Home, *, users: bool = False) -> list[Asker]:
    """Return everybody who is no administrator; `users`: only those with an account."""
    found = [] if users else [Asker(ANONYMOUS, at.session, at.url, None)]
    for user in USERS:
        client = Client(at.session, at.url)
        await client.log_in(user, user)
        found.append(Asker(user, at.session, at.url, client))
    return found


def _actions(visit_id: str) -> dict[str, Json]:
    """Return the actions that are for administrators alone, with what would do something."""
    return {
        "enrol": {"person": NAME, "image": {"media_content_id": "media-source://x/y", "media_content_type": "image/jpeg"}},
        "correct_visit": {"visit_id": visit_id, "correct": False},
        "invite": {},
        "close_invitations": {},
        "record_consent": {
            "person": NAME, "given_by": NAME, "method": "in_person", "keeping": "visits", "pictures": True,
        },
        "withdraw_consent": {"person": NAME},
        "forget": {"person": NAME},
        "mentions": {"person": NAME},
        "receipts": {},
        "export": {"person": NAME},
        "purge": {},
        "verify_audit": {},
        "audit_log": {},
        "mute": {},
        "discard_review": {"all": True},
        "identify": {"camera": CAMERA_ENTITY},
    }  # fmt: skip


@ROOM.attack()
async def actions_of_others(grounds: Grounds, trial: Trial) -> None:
    """Perform the actions of administrators over REST and over the websocket."""
    at = await grounds.live()
    before = await at.people()
    answering = {"invite", "mentions", "receipts", "export", "verify_audit", "audit_log", "identify"}
    listed = await at.owner.get("services")
    there = {name for each in listed if each["domain"] == home.DOMAIN for name in each["services"]}
    tried = set(_actions(""))
    trial.holds(
        there == tried | FOR_ALL, f"these actions are not tried, or gone: {there ^ (tried | FOR_ALL)}"
    )
    for asker in await _askers(at):
        for action, data in _actions(grounds.visits[VISITOR]).items():
            query = "?return_response" if action in answering else ""
            status = await asker.status("POST", f"/api/services/{home.DOMAIN}/{action}{query}", data)
            trial.holds(status in REFUSED, f"{asker.name} may perform {action} ({status})")
            if asker.client is not None:
                result = await asker.command(
                    "call_service",
                    domain=home.DOMAIN,
                    service=action,
                    service_data=data,
                    return_response=action in answering,
                )
                trial.holds(
                    isinstance(result, DemoFailed) and "nauthorized" in str(result),
                    f"{asker.name} may perform {action} over the websocket: {result}",
                )
    trial.holds(await at.people() == before, "somebody who may not has changed who is recognised")


@ROOM.attack()
async def actions_by_detours(grounds: Grounds, trial: Trial) -> None:
    """Perform them by an automation's way: a script, an event, an intent, a template."""
    at = await grounds.live()
    for asker in await _askers(at, users=True):
        for kind, data in (
            ("execute_script", {"sequence": [{"action": f"{home.DOMAIN}.forget", "data": {"person": NAME}}]}),
            ("subscribe_events", {"event_type": f"{home.DOMAIN}_visit"}),
            ("config/auth/list", {}),
            ("backup/info", {}),
        ):
            result = await asker.command(kind, **data)
            trial.holds(isinstance(result, DemoFailed), f"{asker.name} may send {kind}")
    trial.holds(NAME in await at.people(), f"{NAME} was forgotten by somebody who may not")


@ROOM.attack()
async def views_of_others(grounds: Grounds, trial: Trial) -> None:
    """Open the views of administrators, with a token and with a path that one had signed."""
    at = await grounds.live()
    visit = grounds.visits[VISITOR]
    kept = (await at.act("export", {"person": VISITOR}) or {}).get("person_id", "")
    trial.holds(kept, f"{VISITOR} has no id to try it with")
    paths = [
        f"/api/{home.DOMAIN}/export/{kept}",
        f"/api/{home.DOMAIN}/review/{visit}",
        f"/api/{home.DOMAIN}/notification/{visit}",
        f"/{home.DOMAIN}/record/en",
        f"/api/config/config_entries/entry/{at.house.entry_id}",
        f"/api/diagnostics/config_entry/{at.house.entry_id}",
    ]
    for asker in await _askers(at):
        for path in paths:
            method = "DELETE" if "config_entries/entry" in path else "GET"
            status = await asker.status(method, path)
            trial.holds(status in REFUSED, f"{asker.name} may open {path.rpartition('/')[0]} ({status})")
            if asker.client is None or method == "DELETE":
                continue
            signed = await asker.command("auth/sign_path", path=path, expires=60)
            if not isinstance(signed, DemoFailed):
                anybody = Asker(f"a path that {asker.name} signed", at.session, at.url, None)
                status = await anybody.status("GET", signed["path"])
                trial.holds(status in REFUSED, f"{anybody.name} opens {path.rpartition('/')[0]} ({status})")


@ROOM.attack()
async def setup_by_others(grounds: Grounds, trial: Trial) -> None:
    """Change the set-up: flows, subentries, the button that forgets, the media folder."""
    at = await grounds.live()
    listed = await at.socket.command("config_entries/subentries/list", entry_id=at.house.entry_id)
    (person,) = [each for each in listed if each["title"] == VISITOR]
    registry = await at.socket.command("config/entity_registry/list")
    forget = [
        each["entity_id"]
        for each in registry
        if each["platform"] == home.DOMAIN and "forget" in each["entity_id"]
    ]
    for asker in await _askers(at, users=True):
        for kind, data in (
            (
                "config_entries/subentries/delete",
                {"entry_id": at.house.entry_id, "subentry_id": person["subentry_id"]},
            ),
            ("config_entries/subentries/list", {"entry_id": at.house.entry_id}),
        ):
            result = await asker.command(kind, **data)
            trial.holds(isinstance(result, DemoFailed), f"{asker.name} may send {kind}")
        for path, data in (
            ("/api/config/config_entries/flow", {"handler": home.DOMAIN}),
            ("/api/config/config_entries/subentries/flow", {"handler": [at.house.entry_id, "person"]}),
            ("/api/config/config_entries/options/flow", {"handler": at.house.entry_id}),
        ):
            status = await asker.status("POST", path, data)
            trial.holds(
                status in REFUSED, f"{asker.name} may begin {path.rpartition('/api/config/')[2]} ({status})"
            )
        for entity in forget:
            status = await asker.status("POST", "/api/services/button/press", {"entity_id": entity})
            # One that is off is in no list of things that can be pressed: nothing happens.
            trial.holds(status != 200 or VISITOR in await at.people(), f"{asker.name} may press {entity}")
        folders = _children(await asker.command("media_source/browse_media", media_content_id=MEDIA))
        within = _children(await asker.command("media_source/browse_media", media_content_id=INBOX))
        trial.holds(INBOX not in folders and not within, f"{asker.name} may look through the review inbox")
    shown = _children(await at.socket.command("media_source/browse_media", media_content_id=MEDIA))
    trial.holds(INBOX in shown, "the review inbox is elsewhere than where others looked for it")
    trial.holds(VISITOR in await at.people(), f"{VISITOR} was removed by somebody who may not")


def _children(media: Any) -> list[str]:
    """Return the ids of what a folder of the media browser holds; nothing where it cannot be opened."""
    return (
        []
        if isinstance(media, DemoFailed)
        else [each["media_content_id"] for each in media["children"] or []]
    )


@ROOM.attack()
async def identify_without_end(grounds: Grounds, trial: Trial) -> None:
    """Ask who is in a picture: how often, what is told, and whether it is written down."""
    at = await grounds.live()
    before = await at.act("audit_log", {"limit": 1000}) or {"entries": []}
    answer = await at.act("identify", {"camera": CAMERA_ENTITY})
    trial.holds(answer is not None, "the owner is not told who is there")
    trial.holds("similarity" not in str(answer), "the answer holds raw similarities")
    after = await at.act("audit_log", {"limit": 1000}) or {"entries": []}
    kinds = [each["kind"] for each in after["entries"][: len(after["entries"]) - len(before["entries"])]]
    trial.holds(any("identif" in each for each in kinds), "that somebody asked is not in the audit log")
    limited = False
    for _ in range(MANY // AT_ONCE):
        told = await asyncio.gather(*(_identify(at) for _ in range(AT_ONCE)))
        limited = any(each and "busy" not in each.lower() for each in told)
        if limited:
            break
    trial.holds(limited, f"{MANY} times it was asked without a limit")


async def _identify(at: Home) -> str:
    """Return why it was refused to say who is at the door; empty when it was said."""
    try:
        await at.owner.call(home.DOMAIN, "identify", {"camera": CAMERA_ENTITY}, answer=True)
    except DemoFailed as err:
        return str(err)
    return ""
