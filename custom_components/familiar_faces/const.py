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
CONF_WHERE: Final = "where"
CONF_FORGETTING: Final = "forgetting"
"""Ids of people who were removed and could not be erased yet: tried again at every start."""
CONF_PEOPLE: Final = "people"
"""Ids of the people who were shown when this was written. It tells, at a start, somebody who was removed while
this did not run from somebody whom a crash kept from being shown."""
CONF_SWITCHED_OFF: Final = "switched_off"
"""Ids of the cameras, and `hub.HUB`, at which recognition is switched off. Here and not among the restored
states, because those are written every quarter of an hour: what was switched off has to stay off."""
CONF_UNANNOUNCED: Final = "unannounced"
"""Ids of the people and cameras that no alert tells of, and of the alerts that are switched off."""
CONF_MUTED: Final = "muted"
"""Of whom and of what somebody is not told for a while, see `alerts.mutes`."""
BOOKKEEPING: Final = {CONF_FORGETTING, CONF_MUTED, CONF_PEOPLE, CONF_SWITCHED_OFF, CONF_UNANNOUNCED}
"""What the entry's data holds besides what the owner chose."""

# The options
CONF_STRICTNESS: Final = "strictness"
CONF_CONSENT_DAYS: Final = "consent_days"
CONF_CHILD_CONSENT_DAYS: Final = "child_consent_days"
CONF_VISIT_DAYS: Final = "visit_days"
CONF_PICTURE_DAYS: Final = "picture_days"
CONF_REVIEW_HOURS: Final = "review_hours"
CONF_UNSEEN_DAYS: Final = "unseen_days"
CONF_AUDIT_DAYS: Final = "audit_days"
CONF_INVITATION_HOURS: Final = "invitation_hours"
CONF_NOTICE: Final = "notice"
"""Whether the public papers can be seen."""
CONF_RESPONSIBLE: Final = "responsible"
CONF_CONTACT: Final = "contact"
CONF_LANGUAGE: Final = "language"
"""In which language pages are shown to whoever asks for none."""

# A camera subentry
CONF_CAMERA: Final = "camera"
CONF_MODE: Final = "mode"
CONF_PUBLIC_SPACE: Final = "public_space"
CONF_TRIGGERS: Final = "triggers"

# A person subentry
CONF_PERSON_ID: Final = "person_id"
CONF_LINKED_ENTITY: Final = "linked_entity"
CONF_CHILD: Final = "child"

CONSENT_TEXT_VERSION: Final = "3"

INVITATION_PATH: Final = f"/{DOMAIN}/invitation/{{token}}"
OWN_PATH: Final = f"/{DOMAIN}/me/{{token}}"

EVENT_VISIT: Final = f"{DOMAIN}_visit"
"""The event that the logbook describes: that there was a visit, with neither a name nor a person's id."""
ATTR_DECISION: Final = "decision"
ATTR_VISIT_ID: Final = "visit_id"

PRESENT_FOR: Final = timedelta(minutes=5)
"""How long a person counts as present after they were last seen."""
OCCUPIED_FOR: Final = timedelta(seconds=30)
"""How long a camera shows a familiar person or a stranger after the last look that saw one."""
ENGINE_PATIENCE: Final = 10.0
"""Seconds that a dialog waits for an engine that is still starting."""
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


def signal_changed(entry_id: str) -> str:
    """Return the signal that something the entities show has changed."""
    return f"{DOMAIN}_{entry_id}_changed"


def signal_look(entry_id: str) -> str:
    """Return the signal that a look goes on; it carries `visits.news.LookNews`."""
    return f"{DOMAIN}_{entry_id}_look"


def signal_visit(entry_id: str) -> str:
    """Return the signal that a visit was decided; it carries a `Visit` and its `Timing`."""
    return f"{DOMAIN}_{entry_id}_visit"


def signal_seen_again(entry_id: str) -> str:
    """Return the signal that a visit goes on; it carries the `Visit`."""
    return f"{DOMAIN}_{entry_id}_seen_again"


def signal_forgotten(entry_id: str) -> str:
    """Return the signal that a person was forgotten; it carries the person's id."""
    return f"{DOMAIN}_{entry_id}_forgotten"


def signal_corrected(entry_id: str) -> str:
    """Return the signal that a visit was not whose it was said to be; it carries a `vault.records.Corrected`."""
    return f"{DOMAIN}_{entry_id}_corrected"


def signal_subentry(entry_id: str) -> str:
    """Return the signal that a subentry was added; it carries the subentry."""
    return f"{DOMAIN}_{entry_id}_subentry"


def signal_told(entry_id: str) -> str:
    """Return the signal that an alert told somebody of a visit, or that it is shown no more that it did."""
    return f"{DOMAIN}_{entry_id}_told"
