"""How an engine is asked: what single requests and streams share."""


def query_of(
    *,
    min_face: int,
    max_faces: int,
    crops: bool,
    portraits: bool,
    mirrored: bool,
    rotate: int,
    search_turned: bool = False,
    search_shadows: bool = False,
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
    if upload:
        query["upload"] = "1"
    return query
