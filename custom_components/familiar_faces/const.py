"""Constants of Familiar Faces."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

DOMAIN: Final = "familiar_faces"
MANUFACTURER: Final = "Familiar Faces"

SUBENTRY_CAMERA: Final = "camera"
SUBENTRY_PERSON: Final = "person"
SUBENTRY_ALERT: Final = "alert"

# The config entry
CONF_FINGERPRINT = "fingerprint"
CONF_OTHER_URLS = "other_urls"
CONF_WHERE: Final = "where"
CONF_APP: Final = "app"
"""The slug of the app (add-on) that the engine runs in, when that announced itself."""
CONF_FORGETTING: Final = "forgetting"
"""Ids of people who were removed and could not be erased yet: tried again at every start."""
CONF_PEOPLE: Final = "people"
"""Ids of the people who were shown when this was written. It tells, at a start, somebody who was removed while
this did not run from a person that a crash kept from being shown."""
CONF_SWITCHED_OFF: Final = "switched_off"
"""Ids of the cameras, and `EVERYWHERE`, at which recognition is switched off. Here and not among the restored
states, because those are written every quarter of an hour: what was switched off has to stay off."""
EVERYWHERE: Final = "hub"
"""Stands for all cameras together among what is switched off."""
CONF_UNANNOUNCED: Final = "unannounced"
"""Ids of the people and cameras without notifications, and of the alerts that are switched off."""
CONF_MUTED: Final = "muted"
"""People and cameras muted for a recipient for a while, see `alerts.mutes`."""
CONF_NAMED: Final = "named"
"""Whether a name was ever said, and neither whose nor when."""
BOOKKEEPING: Final = {
    CONF_FORGETTING,
    CONF_MUTED,
    CONF_NAMED,
    CONF_PEOPLE,
    CONF_SWITCHED_OFF,
    CONF_UNANNOUNCED,
}
"""What the entry's data holds besides what the owner chose."""

# The options
CONF_STRICTNESS: Final = "strictness"
CONF_WORKERS: Final = "workers"
CONF_CONSENT_DAYS: Final = "consent_days"
CONF_CHILD_CONSENT_DAYS: Final = "child_consent_days"
CONF_VISIT_DAYS: Final = "visit_days"
CONF_PICTURE_DAYS: Final = "picture_days"
CONF_REVIEW_HOURS: Final = "review_hours"
CONF_UNSEEN_DAYS: Final = "unseen_days"
CONF_AUDIT_DAYS: Final = "audit_days"
CONF_INVITATION_HOURS: Final = "invitation_hours"
CONF_HOLD_STRANGERS: Final = "hold_strangers"
"""Whether strangers' pictures, too, are in memory for some minutes, so that somebody can say who it was."""
CONF_NOTICE: Final = "notice"
"""Whether the public papers can be seen."""
CONF_RESPONSIBLE: Final = "responsible"
CONF_CONTACT: Final = "contact"
CONF_LANGUAGE: Final = "language"
"""The language of pages for visitors whose browser asks for no known one."""

# A camera subentry
CONF_CAMERA: Final = "camera"
CONF_MODE: Final = "mode"
CONF_PUBLIC_SPACE: Final = "public_space"
CONF_TRIGGERS: Final = "triggers"
CONF_ROLES: Final = "roles"
"""By a trigger's entity id, whether it is a bell or detects motion; `Role`."""
CONF_EVENT_TYPES: Final = "event_types"
"""By a trigger's entity id, which of an event entity's types start a look."""
CONF_SOURCE: Final = "source"
"""Where pictures come from; `PictureSource`."""
CONF_EVENT_PICTURE: Final = "event_picture"
"""The image entity of the camera's event pictures."""
CONF_STREAM: Final = "stream"
"""When the camera's stream is open; `StreamOpen`."""
CONF_ONE_PICTURE: Final = "one_picture"
"""Whether one picture is enough for a name: of a camera that makes one a ring."""
CONF_JUDGE: Final = "judge"
"""Whether faces that look like a print or a screen are not named, in colour and by day."""
CONF_TURN: Final = "turn"
"""By how many degrees clockwise pictures have to be turned to be upright."""
CONF_POSTERS: Final = "posters"
"""Where faces are in the camera's pictures that are pictures themselves; see `visits/posters.py`."""
CONF_WAIT: Final = "wait"
"""Seconds to wait after a trigger, before the first picture is taken."""
CONF_SECONDS: Final = "seconds"
"""How long a look takes at most, in seconds."""

# A person subentry
CONF_PERSON_ID: Final = "person_id"
CONF_LINKED_ENTITY: Final = "linked_entity"
CONF_CHILD: Final = "child"

CONSENT_TEXT_VERSION: Final = "4"

ROOT: Final = f"/{DOMAIN}"
PAPERS: Final = {
    "notice": f"{ROOT}/notice",
    "sign": f"{ROOT}/sign",
    "policy": f"{ROOT}/retention",
    "model": f"{ROOT}/model",
}
"""The public papers and their paths."""
RECORD: Final = f"{ROOT}/record/{{language}}"
"""The path of the record. A signature covers the query, so the language is a part of the path."""
INVITATION_PATH: Final = f"{ROOT}/invitation/{{token}}"
OWN_PATH: Final = f"{ROOT}/me/{{token}}"
WHO_PATH: Final = f"{ROOT}/who/{{token}}"
"""Where "Who is it?" of a notification leads."""

EVENT_VISIT: Final = f"{DOMAIN}_visit"
"""The event that the logbook describes: that there was a visit, with neither a name nor a person's id."""
ATTR_CAMERA_FETCH_MS: Final = "camera_fetch_ms"
ATTR_CAMERA_ID: Final = "camera_id"
ATTR_CONFIDENCE: Final = "confidence"
ATTR_DECISION: Final = "decision"
ATTR_ENGINE_MS: Final = "engine_ms"
ATTR_FRAMES: Final = "frames"
ATTR_MS: Final = "ms"
ATTR_PERSON_ID: Final = "person_id"
ATTR_PERSON_NAME: Final = "person_name"
ATTR_QUALITY: Final = "quality"
ATTR_REASON: Final = "reason"
ATTR_VISIT_ID: Final = "visit_id"

# By these, entities are found that show visits
KEY_PRESENT: Final = "present"
KEY_SEEN: Final = "seen"
KEY_VISITOR: Final = "visitor"

PRESENT_FOR: Final = timedelta(minutes=5)
"""How long a person counts as present after they were last seen."""
OCCUPIED_FOR: Final = timedelta(seconds=30)
"""How long a camera shows a familiar person or a stranger after the last look that saw one."""
ENGINE_PATIENCE: Final = 10.0
"""Seconds that a dialog waits for an engine that is still starting."""
PHOTO_SECONDS: Final = 60.0
"""Seconds that a photo may take: one of 200 megapixels takes ten on a slow machine, and is searched four times."""
PURGE_INTERVAL: Final = timedelta(hours=1)


class Where(StrEnum):
    """Where the engine runs."""

    THIS_MACHINE = "this_machine"
    ANOTHER_MACHINE = "another_machine"


class Mode(StrEnum):
    """When a camera is looked at."""

    ON_RING = "on_ring"
    ON_MOTION = "on_motion"
    ALWAYS = "always"


class PictureSource(StrEnum):
    """Where the pictures of a camera come from."""

    STREAM = "stream"
    STILL = "still"
    EVENT = "event"


class StreamOpen(StrEnum):
    """When the stream of a camera is open."""

    WARM = "warm"
    """All the time, so that a name is there at once."""
    ON_TRIGGER = "on_trigger"
    """From a trigger on, until a little after the look."""
    NEVER = "never"


class Role(StrEnum):
    """What a trigger means."""

    BELL = "bell"
    MOTION = "motion"
