"""Every way in from outside, kept by hand."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """In which way something is reached."""

    VIEW = "view"
    COMMAND = "websocket command"
    ACTION = "action"
    WEBHOOK = "webhook"
    PANEL = "panel"
    MEDIA = "media source"
    LLM = "LLM API"
    INTENT = "intent"
    TOOL = "tool of language models"
    IMAGE = "image entity"
    BUTTON = "button entity"
    SWITCH = "switch entity"
    CALENDAR = "calendar entity"


class Who(StrEnum):
    """Who may reach it."""

    ANYBODY = "anybody who knows the address of Home Assistant"
    LINK = "anyone who was given the link, which nobody can guess"
    USER = "users of Home Assistant"
    ADMIN = "administrators"


@dataclass(frozen=True)
class Door:
    """A way in from outside, and the reason for it."""

    kind: Kind
    what: str
    """For a view its methods and its path."""
    who: Who
    why: str
    path: str = ""
    """For a view whose path does not name what is in the fixture `public`: the path that does."""
    nothing: bool = False
    """Whether there is never anything to see."""
    off: bool = False
    """Whether an entity is off until the owner switches it on."""


ANY_METHOD = "GET POST"
"""How the pages behind a link are reached. To any other method all pages answer that there is nothing."""

# Kept by hand: whatever is new fails the tests below until somebody has written down why it may be reached,
# and who asks. None of these may give pictures, names or places to a third party.
DOORS = (
    Door(
        Kind.VIEW,
        "GET /familiar_faces/static/{name}",
        Who.ANYBODY,
        "the stylesheet and drawings of the pages, the same in every home",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/notice",
        Who.ANYBODY,
        "what happens at the door, for anyone who stands before it; off until the owner switches it on",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/sign",
        Who.ANYBODY,
        "the notice's address to print; off until the owner switches it on",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/retention",
        Who.ANYBODY,
        "the retention policy, which some laws want public; off until the owner switches it on",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/model",
        Who.ANYBODY,
        "how well the models recognise; off until the owner switches it on",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/record/{language}",
        Who.ADMIN,
        "the record of processing, to read and print in a browser",
    ),
    Door(
        Kind.VIEW,
        "GET /api/image_proxy/image.front_door_last_familiar_visitor",
        Who.USER,
        "the picture of an image entity, as Home Assistant itself gives it, which no browser may store",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/{{rest}}",
        Who.ANYBODY,
        "one answer to everything else, so that a wrong and an expired link look alike",
        nothing=True,
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/invitation/{{token}}",
        Who.LINK,
        "lets the invited read what they would agree to, and agree; works once and for a day",
        "/familiar_faces/invitation/{invitation}",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}",
        Who.LINK,
        "shows a person what is kept of them, without an account",
        "/familiar_faces/me/{own}",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/choices",
        Who.LINK,
        "lets a person change what they agreed to",
        "/familiar_faces/me/{own}/choices",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/photos",
        Who.LINK,
        "takes a person's own photos",
        "/familiar_faces/me/{own}/photos",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/photos/{{photo_id}}",
        Who.LINK,
        "shows a person their own photo",
        "/familiar_faces/me/{own}/photos/{photo_id}",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/photos/{{photo_id}}/remove",
        Who.LINK,
        "removes a person's own photo",
        "/familiar_faces/me/{own}/photos/{photo_id}/remove",
        nothing=True,
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/done",
        Who.LINK,
        "ends a person's own enrolment",
        "/familiar_faces/me/{own}/done",
        nothing=True,
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/visits/{{visit_id}}",
        Who.LINK,
        "shows a person the picture of their own visit",
        "/familiar_faces/me/{own}/visits/{own_visit_id}",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/download",
        Who.LINK,
        "hands a person all that is kept of them",
        "/familiar_faces/me/{own}/download",
    ),
    Door(
        Kind.VIEW,
        f"{ANY_METHOD} /familiar_faces/me/{{token}}/withdraw",
        Who.LINK,
        "lets a person withdraw, which nobody can stop",
        "/familiar_faces/me/{own}/withdraw",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/export/{person_id}",
        Who.ADMIN,
        "hands the owner what is kept of one person; by a link only an administrator's action makes",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/audit",
        Who.ADMIN,
        "hands the owner the audit log, which names nobody; by a login or a path that an administrator had signed",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/review/{visit_id}",
        Who.ADMIN,
        "shows a picture of the review inbox, which is off until the owner switches it on",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/visit/{visit_id}",
        Who.USER,
        "shows the picture of a visit in the panel, to users who may be told of the visit and its camera",
        "/api/familiar_faces/visit/{own_visit_id}",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/photo/{person_id}/{template_id}",
        Who.USER,
        "shows a reference photo in the panel, to administrators and to the person whose it is",
        "/api/familiar_faces/photo/{person_id}/{photo_id}",
    ),
    Door(
        Kind.VIEW,
        "POST /api/familiar_faces/photo/{person_id}",
        Who.USER,
        "takes a reference photo from the panel, from administrators and from the person whose it is",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/panel/familiar-faces.js",
        Who.ANYBODY,
        "the program of the panel and the card, the same in every home",
    ),
    Door(
        Kind.VIEW,
        "GET /api/familiar_faces/notification/{picture_id}",
        Who.LINK,
        "shows the picture of a notification to the phone that was told, for ten minutes",
        "{picture}",
    ),
    Door(
        Kind.VIEW,
        "GET /familiar_faces/who/{token}",
        Who.LINK,
        "leads an administrator from a notification to where people are enrolled, once; shows nothing itself",
        "/familiar_faces/who/{own}",
        nothing=True,
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/visits/list",
        Who.USER,
        "lists visits a page at a time, as far as the user may read the states that say the same",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/visits/subscribe",
        Who.USER,
        "tells the panel and the card of visits as they come, as far as the user may read the states",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/visits/details",
        Who.USER,
        "says what a visit rests on and until when it is kept, as far as the user may be told of it",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/visits/answer",
        Who.USER,
        "changes who the cameras recognise, eight seconds later; people say it of their own visits alone",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/visits/undo",
        Who.USER,
        "takes such a change back before it is made",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/people/subscribe",
        Who.ADMIN,
        "tells the panel who is known, and which invitations are open, without their links",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/subscribe",
        Who.USER,
        "tells administrators, and people of themselves, what is kept of a person and what they agreed to",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/photo",
        Who.USER,
        "sets a reference photo aside, uses or erases it; people erase their own alone",
    ),
    Door(Kind.COMMAND, "familiar_faces/person/invite", Who.ADMIN, "makes a link by which somebody can agree"),
    Door(Kind.COMMAND, "familiar_faces/person/uninvite", Who.ADMIN, "takes such a link back"),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/link",
        Who.ADMIN,
        "makes the link by which somebody sees what is kept of them",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/export",
        Who.USER,
        "makes the link to what is kept of a person, for administrators and for that person",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/mentions",
        Who.ADMIN,
        "lists where else a name is mentioned, before its person is forgotten",
    ),
    Door(Kind.COMMAND, "familiar_faces/person/forget", Who.ADMIN, "erases a person"),
    Door(
        Kind.COMMAND,
        "familiar_faces/me/mute",
        Who.USER,
        "mutes the own phones of a user: a person, a camera, or all of it",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/person/walk_up",
        Who.ADMIN,
        "takes photos of a person with a camera that they agreed to, and shows what it sees meanwhile",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/unnamed/subscribe",
        Who.ADMIN,
        "lists the review inbox, which is off until the owner switches it on, without a picture",
    ),
    Door(Kind.COMMAND, "familiar_faces/unnamed/erase", Who.ADMIN, "erases pictures of the review inbox"),
    Door(
        Kind.COMMAND,
        "familiar_faces/me/offer",
        Who.USER,
        "shows a user who is one of the people what they would agree to",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/me/choose",
        Who.USER,
        "lets a user who is one of the people change what they agreed to",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/me/withdraw",
        Who.USER,
        "lets a user who is one of the people say no, which erases what is kept of them",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/cameras/list",
        Who.ADMIN,
        "says how the cameras do and how they are set up",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/cameras/look",
        Who.ADMIN,
        "shows what a camera sees now, with the faces in it measured and named by nobody; noted, and nothing is kept",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/cameras/change",
        Who.ADMIN,
        "sets how a camera's pictures lie, when its stream is open, what its triggers mean, and which posters are ignored",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/cameras/weeks",
        Who.ADMIN,
        "says how many visits to each camera had a name, and how many not and why, as numbers of whole weeks",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/privacy/summary",
        Who.ADMIN,
        "says what is kept, since when and until when, where the engine runs, and where the papers are",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/privacy/audit",
        Who.ADMIN,
        "reads the audit log, with the names of those who are still on record",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/privacy/verify",
        Who.ADMIN,
        "says whether the audit log is as it was written",
    ),
    Door(
        Kind.COMMAND,
        "familiar_faces/privacy/receipts",
        Who.ADMIN,
        "reads the receipts of erasures, which name nobody",
    ),
    Door(
        Kind.PANEL, "familiar-faces", Who.USER, "the panel in the sidebar; what it shows its commands decide"
    ),
    Door(
        Kind.ACTION,
        "identify",
        Who.ADMIN,
        "says who is in a picture, of those who agreed to that; logged, and limited to 20 times and one each 30 s",
    ),
    Door(
        Kind.ACTION,
        "last_visits",
        Who.USER,
        "says who came, as far as the user may read the states that say the same",
    ),
    Door(
        Kind.ACTION,
        "who_is_here",
        Who.USER,
        "says who is there, as far as the user may read the states that say the same",
    ),
    Door(Kind.ACTION, "enrol", Who.ADMIN, "adds a face to those that the cameras recognise"),
    Door(Kind.ACTION, "correct_visit", Who.ADMIN, "changes who the cameras recognise"),
    Door(Kind.ACTION, "invite", Who.ADMIN, "makes a link by which somebody can be enrolled"),
    Door(Kind.ACTION, "close_invitations", Who.ADMIN, "takes such links back"),
    Door(Kind.ACTION, "record_consent", Who.ADMIN, "says that somebody agreed to be recognised"),
    Door(Kind.ACTION, "withdraw_consent", Who.ADMIN, "erases a person who no longer agrees"),
    Door(Kind.ACTION, "forget", Who.ADMIN, "erases a person"),
    Door(
        Kind.ACTION,
        "mentions",
        Who.ADMIN,
        "lists where else a name is mentioned, in the home's own files and history",
    ),
    Door(Kind.ACTION, "receipts", Who.ADMIN, "tells what was erased, without a name"),
    Door(Kind.ACTION, "export", Who.ADMIN, "makes the link to what is kept of one person"),
    Door(Kind.ACTION, "purge", Who.ADMIN, "erases what is past its time"),
    Door(Kind.ACTION, "verify_audit", Who.ADMIN, "checks the audit log"),
    Door(Kind.ACTION, "audit_log", Who.ADMIN, "shows who did what with whose data"),
    Door(
        Kind.ACTION,
        "mute",
        Who.ADMIN,
        "keeps everybody else from being told, for up to a week; recipients mute their own phone by its button",
    ),
    Door(Kind.ACTION, "discard_review", Who.ADMIN, "erases pictures of the review inbox"),
    Door(
        Kind.INTENT,
        "FamiliarFacesWhoIsThere",
        Who.USER,
        "says who is there, of what is exposed to the assistant and the user may read",
    ),
    Door(
        Kind.INTENT,
        "FamiliarFacesLastSeen",
        Who.USER,
        "says when somebody was last seen, if they are exposed to the assistant and the user may read it",
    ),
    Door(
        Kind.INTENT,
        "FamiliarFacesDidAStrangerCome",
        Who.USER,
        "says whether a stranger came, to cameras that are exposed and the user may read",
    ),
    Door(
        Kind.TOOL,
        "familiar_faces__who_is_at_the_door",
        Who.USER,
        "tells a language model that the owner chose what the intent says",
    ),
    Door(
        Kind.TOOL,
        "familiar_faces__when_last_seen",
        Who.USER,
        "tells a language model that the owner chose what the intent says, of a name that it was given",
    ),
    Door(
        Kind.TOOL,
        "familiar_faces__did_a_stranger_come",
        Who.USER,
        "tells a language model that the owner chose what the intent says",
    ),
    Door(Kind.MEDIA, "familiar_faces", Who.ADMIN, "lists the review inbox, as its pictures are shown"),
    Door(
        Kind.IMAGE,
        "last_visitor",
        Who.USER,
        "shows who came, to the household, with the picture that they agreed to",
    ),
    Door(
        Kind.IMAGE,
        "last_picture",
        Who.USER,
        "shows somebody as last seen, with the picture that they agreed to",
    ),
    Door(
        Kind.IMAGE,
        "invitation",
        Who.USER,
        "shows a code by which all that is kept of somebody can be seen and ended",
        off=True,
    ),
    Door(Kind.BUTTON, "purge", Who.USER, "erases what is past its time, which happens every hour anyway"),
    Door(Kind.BUTTON, "invite", Who.ADMIN, "makes the link that the image shows", off=True),
    Door(Kind.BUTTON, "forget", Who.ADMIN, "erases a person", off=True),
    Door(
        Kind.BUTTON,
        "test",
        Who.USER,
        "tells those an alert is for anyway that this is a test; it says nothing of anybody",
    ),
    Door(
        Kind.CALENDAR,
        "visits",
        Who.USER,
        "lists who came and when, as far as it is kept; users see the same as states, one visit at a time",
    ),
    Door(Kind.SWITCH, "recognition", Who.USER, "stops and starts recognition, as the household likes"),
    Door(Kind.SWITCH, "notifications", Who.USER, "says whether somebody, or a camera, is notified of"),
    Door(Kind.SWITCH, "alert", Who.USER, "stops and starts an alert, as the household likes"),
)


def doors(kind: Kind) -> dict[str, Door]:
    """Return the doors of a kind by what they are."""
    return {door.what: door for door in DOORS if door.kind is kind}
