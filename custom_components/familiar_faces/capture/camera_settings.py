"""How a camera is set up, as its subentry says."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.components.image.const import DOMAIN as IMAGE_DOMAIN
from homeassistant.core import split_entity_id

from ..const import (
    CONF_CAMERA,
    CONF_EVENT_PICTURE,
    CONF_EVENT_TYPES,
    CONF_JUDGE,
    CONF_MODE,
    CONF_ONE_PICTURE,
    CONF_POSTERS,
    CONF_ROLES,
    CONF_SECONDS,
    CONF_SOURCE,
    CONF_STREAM,
    CONF_TRIGGERS,
    CONF_TURN,
    CONF_WAIT,
    Mode,
    PictureSource,
    Role,
    StreamOpen,
)
from ..visits.look import LOOK_SECONDS
from ..visits.posters import MOST, Poster

MAX_WAIT = 30.0
MIN_SECONDS, MAX_SECONDS = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The owner's choices for a camera. What is missing or damaged is as in a camera that was just added."""

    camera: str
    """Entity id of the camera, or of an image entity where there is no camera."""
    mode: Mode
    triggers: tuple[str, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)
    event_types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    source: PictureSource | None = None
    """None: the stream where there is one, else stills."""
    event_picture: str | None = None
    stream: StreamOpen = StreamOpen.ON_TRIGGER
    one_picture: bool = False
    judge: bool = False
    """Whether faces that look like a print or a screen are not named."""
    turn: int = 0
    wait: float = 0.0
    seconds: float = LOOK_SECONDS
    posters: tuple[Poster, ...] = ()
    """Faces in its pictures that are pictures themselves, and are ignored."""

    @property
    def by_event(self) -> bool:
        """Return whether pictures are those of events, about one per ring."""
        return self.source is PictureSource.EVENT or is_image(self.camera)


def camera_settings(data: Mapping[str, Any]) -> CameraSettings:
    """Return the settings in the data of a camera's subentry."""
    mode = Mode(data[CONF_MODE])
    roles = _mapping(data, CONF_ROLES)
    types = _mapping(data, CONF_EVENT_TYPES)
    turn = data.get(CONF_TURN, 0)
    return CameraSettings(
        camera=data[CONF_CAMERA],
        mode=mode,
        triggers=tuple(data.get(CONF_TRIGGERS, ())),
        roles={key: Role(role) for key, role in roles.items() if role in tuple(Role)},
        event_types={key: frozenset(map(str, chosen)) for key, chosen in types.items() if chosen},
        source=_one_of(PictureSource, data.get(CONF_SOURCE)),
        event_picture=data.get(CONF_EVENT_PICTURE),
        stream=_one_of(StreamOpen, data.get(CONF_STREAM)) or default_stream(mode),
        one_picture=data.get(CONF_ONE_PICTURE) is True,
        judge=data.get(CONF_JUDGE) is True,
        turn=turn if turn in (90, 180, 270) else 0,
        wait=_number(data.get(CONF_WAIT), 0.0, 0.0, MAX_WAIT),
        seconds=_number(data.get(CONF_SECONDS), LOOK_SECONDS, MIN_SECONDS, MAX_SECONDS),
        posters=_posters(data),
    )


def changed(
    data: Mapping[str, Any],
    *,
    turn: int | None = None,
    stream: StreamOpen | None = None,
    roles: Mapping[str, Role] | None = None,
    ignored: Collection[Poster] = (),
    seen: Collection[str] = (),
) -> dict[str, Any]:
    """Return the data of a camera's subentry with other choices; None leaves one as it is.

    `ignored`: posters to ignore from now on; the oldest are dropped when there are too many. `seen`: the ids of those
    to ignore no longer. Raise KeyError for the role of what starts no look at this camera, and for an unknown poster.
    """
    settings, new = camera_settings(data), dict(data)
    if turn is not None:
        new[CONF_TURN] = turn
    if stream is not None:
        new[CONF_STREAM] = str(stream)
    if roles is not None:
        for entity_id in roles:
            if entity_id not in settings.triggers:
                raise KeyError(entity_id)
        new[CONF_ROLES] = {key: str(role) for key, role in {**settings.roles, **roles}.items()}
    if ignored or seen:
        posters = {each.poster_id: each for each in settings.posters}
        for poster_id in seen:
            del posters[poster_id]
        posters |= {each.poster_id: each for each in ignored}
        new[CONF_POSTERS] = [each.to_json() for each in posters.values()][-MOST:]
    return new


def is_image(entity_id: str) -> bool:
    """Return whether an entity that was chosen as a camera is an image entity, which shows events only."""
    return split_entity_id(entity_id)[0] == IMAGE_DOMAIN


def default_stream(mode: Mode) -> StreamOpen:
    """Return when the stream of a camera is open unless the owner says otherwise: a bell is answered at once."""
    return StreamOpen.ON_TRIGGER if mode is Mode.ON_MOTION else StreamOpen.WARM


def _posters(data: Mapping[str, Any]) -> tuple[Poster, ...]:
    found = data.get(CONF_POSTERS)
    read = [Poster.read(each) for each in found] if isinstance(found, list | tuple) else []
    return tuple(each for each in read if each is not None)[:MOST]


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _one_of[T](kind: type[T], value: object) -> T | None:
    try:
        return kind(value)  # type: ignore[call-arg]
    except ValueError:
        return None


def _number(value: object, default: float, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return min(max(float(value), least), most)
