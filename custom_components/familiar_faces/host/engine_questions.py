"""How an engine is asked: what single requests and streams share."""

from typing import TypedDict

from ..engine.protocol import MAX_FACES, MIN_FACE


class Asked(TypedDict, total=False):
    """What is asked about a picture."""

    min_face: int
    """Width of the smallest face that counts, pixels."""
    max_faces: int
    crops: bool
    portraits: bool
    mirrored: bool
    rotate: int
    """Degrees clockwise, 0, 90, 180 or 270, by which it is turned first."""
    search_turned: bool
    """When nobody is upright in it, look for them in the picture turned, and return those; `Faces.turned` says by how
    much."""
    search_shadows: bool
    """When nobody is found, search again with the shadows lifted; only for an engine whose answers say whether they
    were (`Faces.in_shadow`)."""
    judge: bool
    """Say of each face how likely it is no picture; only for an engine that says that it can (`Faces.judges`)."""
    upload: bool
    """Somebody sent it in, and it comes behind every camera's picture."""


def query_of(
    *,
    min_face: int = MIN_FACE,
    max_faces: int = MAX_FACES,
    crops: bool = False,
    portraits: bool = False,
    mirrored: bool = False,
    rotate: int = 0,
    search_turned: bool = False,
    search_shadows: bool = False,
    judge: bool = False,
    upload: bool = False,
) -> dict[str, str]:
    """Return the query that asks for the faces in a picture, see `engine.wishes`."""
    query = {
        "min_face": str(min_face),
        "max_faces": str(max_faces),
        "crops": str(int(crops)),
        "portraits": str(int(portraits)),
        "mirrored": str(int(mirrored)),
    }
    # Only when asked for: an engine before them knows no such words.
    if rotate:
        query["rotate"] = str(rotate)
    if search_turned:
        query["search_turned"] = "1"
    if search_shadows:
        query["search_shadows"] = "1"
    if judge:
        query["judge"] = "1"
    if upload:
        query["upload"] = "1"
    return query
