"""Reads the sets: pairs of pictures, people to tell apart."""

from dataclasses import dataclass
from pathlib import Path

from .engine import Picture
from .errors import InputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class People:
    """A set to identify people with."""

    gallery: dict[str, list[Picture]]
    probes: list[Picture]
    """Other pictures of the people in the gallery."""
    unknown: list[Picture]
    """Pictures of people who are not in it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, of one person or of two."""

    first: Path
    second: Path
    same: bool
    fold: int | None
    """Which part of the set it belongs to, as the file says; None when the file has no parts."""


def read_people(folder: Path) -> People:
    """Return the set in a folder of `gallery/<person>/`, `probe/<person>/` and `unknown/`; raise InputError."""
    gallery = read_gallery(folder / "gallery")
    probes = [
        Picture(path, person.name) for person in subfolders(folder / "probe") for path in pictures(person)
    ]
    if strange := sorted({str(probe.label) for probe in probes} - set(gallery)):
        raise InputError(f"{folder / 'probe'} has {strange[0]}, who is not in {folder / 'gallery'}")
    unknown = [Picture(path, None) for path in everywhere(folder / "unknown")]
    for name, found in (("probe", probes), ("unknown", unknown)):
        if not found:
            raise InputError(f"{folder / name} has no pictures")
    return People(gallery, probes, unknown)


def read_gallery(folder: Path) -> dict[str, list[Picture]]:
    """Return the pictures of each person in a folder of `<person>/`; raise InputError."""
    people = {
        person.name: [Picture(path, person.name) for path in pictures(person)]
        for person in subfolders(folder)
    }
    if not people:
        raise InputError(f"{folder} has no folders of people")
    for name, found in people.items():
        if not found:
            raise InputError(f"{folder / name} has no pictures")
    return people


def read_pairs(file: Path, images: Path) -> list[Pair]:
    """Return the pairs of an LFW pairs file; raise InputError.

    A line of `name, number, number` is a pair of one person, one of `name, number, name, number` of two. The
    first line may say how many folds there are and how many pairs of each kind are in one, or only the
    latter: then, as without it, the file has no folds. The picture is `<images>/<name>/<name>_<number>.jpg`,
    its number of four digits. See http://vis-www.cs.umass.edu/lfw/README.txt.
    """
    try:
        lines = [line.split() for line in file.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            f"{file} cannot be read: {getattr(err, 'strerror', None) or 'it is not text'}"
        ) from err
    if not images.is_dir():
        raise InputError(f"{images} is not a folder")
    folds, of_each, begin = 1, None, 0
    if lines and 1 <= len(lines[0]) <= 2 and all(word.isdecimal() for word in lines[0]):
        *some, of_each = map(int, lines[0])
        folds, begin = (some[0] if some else 1), 1
    pairs: list[Pair] = []
    for number, words in enumerate(lines[begin:], begin + 1):
        if not words:
            continue
        fold = len(pairs) // (2 * of_each) if folds > 1 and of_each else None
        pairs.append(_pair(file, images, number, words, fold))
    if not pairs:
        raise InputError(f"{file} has no pairs")
    if of_each is not None and len(pairs) != 2 * of_each * folds:
        raise InputError(f"{file} says it has {2 * of_each * folds} pairs and has {len(pairs)}")
    return pairs


def _pair(file: Path, images: Path, number: int, words: list[str], fold: int | None) -> Pair:
    match words:
        case [name, one, other] if one.isdecimal() and other.isdecimal():
            people = ((name, one), (name, other))
        case [name, one, other_name, other] if one.isdecimal() and other.isdecimal():
            people = ((name, one), (other_name, other))
        case _:
            raise InputError(f"{file} line {number} is not a pair: {' '.join(words)}")
    paths = [images / name / f"{name}_{int(index):04d}.jpg" for name, index in people]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{file} line {number} names {path}, which is missing")
    return Pair(paths[0], paths[1], len(words) == 3, fold)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in the order of their names; raise InputError."""
    return [path for path in _listed(folder) if path.is_dir()]


def pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder, in the order of their names; raise InputError."""
    return files(folder, PICTURES)


def files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files of a kind in a folder, in the order of their names; raise InputError."""
    return [path for path in _listed(folder) if path.suffix.lower() in suffixes and path.is_file()]


def everywhere(folder: Path) -> list[Path]:
    """Return the pictures in a folder and in its folders."""
    return [*pictures(folder), *(path for each in subfolders(folder) for path in pictures(each))]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as err:
        raise InputError(f"{folder} cannot be read: {err.strerror}") from err
