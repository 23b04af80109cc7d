"""Which pictures are evidence: those made since, and no others."""

from custom_components.familiar_faces.capture.known_pictures import (
    LATELY,
    REMEMBERED,
    Freshness,
    KnownPictures,
    digest_of,
)

from ..common.pictures import astronaut, jpeg, taken_anew


def test_first_picture_may_be_an_old_one() -> None:
    """After a pause a new picture may be from any moment of it; its successor cannot."""
    known = KnownPictures()
    assert known.judge(b"a", 100.0, 100.1) is Freshness.UNPROVEN
    assert known.judge(b"b", 100.2, 100.3) is Freshness.FRESH
    assert known.judge(b"c", 100.3 + LATELY + 0.1, 104.0) is Freshness.UNPROVEN
    assert known.judge(b"d", 104.1, 109.0) is Freshness.FRESH, "a slow camera is a live one anyway"


def test_known_pictures_are_never_fresh() -> None:
    """However often, in whatever order, and after whatever pause they are given again."""
    known = KnownPictures()
    for number, digest in enumerate((b"a", b"b", b"c")):
        known.judge(digest, number, number + 0.1)
    for number, digest in enumerate((b"c", b"a", b"b", b"a")):
        assert known.judge(digest, number + 3.0, number + 3.1) is Freshness.REPEATED
    assert known.judge(b"a", 9999.0, 9999.1) is Freshness.REPEATED


def test_a_repeated_picture_keeps_the_next_one_fresh() -> None:
    """A snapshot that changes while it is waited for was made just now."""
    known = KnownPictures()
    known.judge(b"a", 0.0, 0.1)
    assert known.judge(b"a", 60.0, 60.1) is Freshness.REPEATED
    assert known.judge(b"b", 60.8, 60.9) is Freshness.FRESH


def test_bounded() -> None:
    """Only so many are remembered, those that were given last."""
    known = KnownPictures()
    for number in range(REMEMBERED + 1):
        known.judge(b"%d" % number, number, number + 0.1)
    assert known.judge(b"1", 9999.0, 9999.0) is Freshness.REPEATED
    assert known.judge(b"0", 9999.0, 9999.0) is Freshness.FRESH, "it was forgotten"
    assert len(known._digests) == REMEMBERED


def test_a_clock_in_the_metadata_makes_no_new_picture() -> None:
    """A camera that repeats its picture with another time in it repeats its picture."""
    picture = jpeg(astronaut())
    comment = b"\xff\xfe\x00\x0a12:34:56"
    later = b"\xff\xfe\x00\x0a12:34:57"
    dated = [picture[:2] + each + picture[2:] for each in (comment, later)]
    assert digest_of(dated[0]) == digest_of(dated[1]) == digest_of(picture)
    assert digest_of(taken_anew(picture)) != digest_of(taken_anew(picture)) != digest_of(picture)
