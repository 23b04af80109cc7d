"""Diagnostics: how everything is doing. No name, face, picture, address or token is in it."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .alerts.rule import WEEKDAYS, Rule
from .const import CONF_MODE, CONF_TRIGGERS, CONF_WHERE
from .hub import FamiliarFacesConfigEntry, Hub
from .internals.missing import async_missing
from .people.calibration import SFACE, Strictness


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry
) -> dict[str, Any]:
    """Return diagnostics for a config entry."""
    hub = entry.runtime_data
    now = dt_util.utcnow()
    consents = Counter(
        str(person.consent.state(now)) if person.consent else "none" for person in hub.people.values()
    )
    return {
        "engine": {
            "where": entry.data[CONF_WHERE],
            "status": hub.engine.status,
            # The kind alone: the sentence may name a host or a folder.
            "problem": type(hub.engine.problem).__name__ if hub.engine.problem else None,
            "reason": getattr(hub.engine.problem, "reason_key", None),
            "latency_ms": hub.engine.latency_ms,
            "model": hub.gallery.model if hub.gallery is not None else None,
        },
        "stored": asdict(hub.stored) if hub.stored is not None else None,
        "next_purge": hub.next_purge,
        "consents": dict(consents),
        "held": len(hub.roster.held),
        "review_inbox": {
            "kept_for": hub.retention.review,
            "on": hub.review.on,
            "waiting": hub.review.waiting,
        },
        "alerts": [_alert(rule) for rule in hub.alerts.all_rules],
        "strictness": _strictness(hub),
        "photos": sorted(len(person.templates) for person in hub.people.values()),
        "recognition": hub.recognition(),
        "visits_today": hub.visits_today,
        "missing_in_home_assistant": async_missing(hass),
        "cameras": [
            {
                "mode": entry.subentries[watcher.camera_id].data[CONF_MODE],
                "triggers": len(entry.subentries[watcher.camera_id].data.get(CONF_TRIGGERS, ())),
                "recognition": watcher.recognition,
                "fitness": {
                    "state": watcher.fitness_state,
                    "faces": watcher.fitness.faces,
                    "face_width": watcher.fitness.face_width,
                },
                "time_to_name_ms": watcher.time_to_name,
            }
            for watcher in hub.watchers.values()
        ],
    }


def _alert(rule: Rule) -> dict[str, Any]:
    """Return what an alert does, without its people and recipients."""
    return {
        "who": sorted(rule.who),
        "people": len(rule.people),
        "cameras": None if rule.cameras is None else len(rule.cameras),
        "limited_in_time": rule.after is not None or rule.before is not None or rule.weekdays < set(WEEKDAYS),
        "home": rule.home,
        "recipients": dict(Counter(key.partition(":")[0] for key in rule.recipients)),
        "early": rule.early,
        "pictures": rule.pictures,
        "every_seconds": rule.every.total_seconds(),
        "critical": rule.critical,
        "answers": rule.answers,
    }


def _strictness(hub: Hub) -> dict[str, Any]:
    """Return what was chosen, and from which similarities a name would be said at each strictness."""
    people = len(hub.gallery) if hub.gallery is not None else 0
    return {
        "chosen": hub.strictness,
        "people": people,
        "stranger_below": round(SFACE.stranger_threshold(people), 3),
        "margin": SFACE.margin,
        "thresholds": {
            each: {
                "one_frame": round(SFACE.familiar_threshold(people, 1, each), 3),
                "several_frames": round(SFACE.familiar_threshold(people, 2, each), 3),
            }
            for each in Strictness
        },
    }
