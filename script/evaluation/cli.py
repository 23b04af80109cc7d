"""The command line of script/eval."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
import json
import math
from pathlib import Path
import sys
from typing import Any, NoReturn

from custom_components.familiar_faces.visits.look import FRAME_EVERY, LOOK_FRAMES

from . import (
    calibrate,
    conditions,
    empty,
    enrolment,
    everything,
    folders,
    homes,
    identify,
    peer,
    pictures_of_people,
    verify,
    visits,
)
from .engine import Engines, Sight, weights_home
from .errors import InputError
from .tables import table

PEOPLE = Path(__file__).resolve().parents[2] / "custom_components" / "familiar_faces" / "people"
"""Where a calibration is kept."""
PHOTOS = 5
"""Photos in a visit, when it is made of photos."""

IDENTIFY = """
DIR holds gallery/<person>/ (photos to enrol), probe/<person>/ (other pictures of the same people) and
unknown/ (pictures of anybody else, in folders or not). The labelled face is the one nearest the middle.

rank1, tpir_fpir_* and not_detected are shares of all probes; every face that was found takes part, however
poor, and one that was not found is missed. TPIR at FPIR 1 %: the share of probes whose own person is resembled
most, and more than the threshold that 1 % of all unknown pictures exceed.

decisions: what the product says of one picture, as the action identify does of an image. right, wrong, unclear,
stranger and unusable (no face found, or too poor to be compared) are shares of all probes and add up to 1;
strangers_named is the share of all unknown pictures that are given a name.

Photos are judged as when somebody is enrolled, cropped to the labelled face; enrolled says how many were
refused, and how many the owner has to insist on.
"""

VERIFY = """
FILE is in the format of LFW's pairs.txt, with or without folds; DIR holds <name>/<name>_NNNN.jpg. The accuracy
is the mean over the folds (ten, when the file has none), each tested at the threshold that is best for the
others. The first picture of a pair is looked at as a reference photo, the second as a camera's, in its
condition. A pair with a face that was not found counts as called different.
"""

VISITS = """
DIR holds <person>/ with clips (mkv, mp4, avi, mov, webm) and folders of pictures, the frames of a burst in the
order of their names. Each is one visit: one look, as after a ring, through the shipped look, tracker, decision
and open visits. People are enrolled from --gallery (<person>/ with photos); without it, from the sharpest usable
frame of each third of their first clip, which then is no visit. People in unknown/ or not in the gallery are
strangers; so is everybody once more, against a gallery without them.

DIR may be a set for identify, too: then its gallery is enrolled, and each visit is made of --photos or more
probes of one person. Photos of different days differ more than the frames of a visit, so each is weaker alone
and they are more evidence together; unknown people with a single photo take no part.

--together puts two people into each picture: the clips of the first half beside those of the second, where these
show somebody else. Each individual then has a visit of their own, told apart by where in the picture a face is: who
gets the name of the person beside them is named wrongly. As a stranger, each stands beside the other one.

A visit is right when its person was named and nobody else, wrong when anybody else was. These and unclear,
stranger and unusable are shares of all visits and add up to 1; strangers_named is the share of all strangers'
visits with a name; frames_median is how many frames were looked at until the right name.
"""


TABLES = """
DIR holds the sets that docs/accuracy.md names: identify, cfp-frontal, cfp-profile, yaleb-s2 to yaleb-s5, clips and
verify. Those that are there are measured in all conditions, each as its own command does it; relaxed is strangers
named at that strictness, all else is for balanced. promises is what calibrate --write counted. Everything takes
three quarters of an hour on two cores; --table and --set choose a part, and may be given more than once.
"""

EMPTY = """
DIR holds pictures that show nobody, in folders or not: of your own door, or of anything. Parts of them in many sizes
and kinds of light, and as many doors that are drawn, are searched as a look searches. faces is what is taken for one,
usable_faces those that would be compared, visitors those that a look of six frames would make a visit of.
"""

CALIBRATE = """
DIR is a set for identify, looked at as it is and in seven conditions; of --strangers, people in DIR's gallery are
left out. Fitted are the middle of the embedding space, the distribution of strangers and the
probability, and with --write they take the place of the integration's.

reliability: of frames whose best candidate has a probability between the bounds, the mean probability
(expected) and the share that are that person (observed); strangers and people enrolled weigh the same, in
households of five, and each fifth of the people is judged by a fit to the others.

counted: what became of hard visits (a frame of 24 px, a dark one and a blurred one) at each strictness.
"""


PICTURES = """
DIR holds clips of people, in <person>/; FILES, photos, of which some are drawn as a print and as a screen that
somebody holds before the camera. Looks have five frames, and a photo by itself one.

In each condition: looks; frames with a usable face; judged, how many of these could be judged (in colour, in good
light, not too small); below, the share of these below the limit; pictures, the looks that get no name for it.
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """End with a sentence."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return 0, or 2 when something given cannot be used."""
    asked = _parser().parse_args(arguments)
    try:
        result = asked.measure(asked)
    except InputError as err:
        print(f"eval {asked.command}: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(json.dumps(result) if asked.json else table(result))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="eval", description="Measure how well people are recognised.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    pairs = _command(commands, "verify", "Are two pictures of one person?", VERIFY, _verify)
    pairs.add_argument("--pairs", type=Path, required=True, metavar="FILE")
    pairs.add_argument("--images", type=Path, required=True, metavar="DIR")
    pairs.add_argument(
        "--threshold", type=_cosine, metavar="T", help="test all pairs at this cosine instead of in folds"
    )
    people = _command(commands, "identify", "Who of the people enrolled is it?", IDENTIFY, _identify)
    people.add_argument("folder", type=Path, metavar="DIR")
    clips = _command(commands, "visits", "What are clips and bursts told to be?", VISITS, _visits)
    clips.add_argument("folder", type=Path, metavar="DIR")
    clips.add_argument("--gallery", type=Path, metavar="DIR", help="photos to enrol, in <person>/")
    clips.add_argument(
        "--every",
        type=conditions.between(float, FRAME_EVERY, 10),
        default=FRAME_EVERY,
        metavar="S",
        help=f"seconds between two frames: of the camera or of the engine, whichever is slower"
        f" (default {FRAME_EVERY})",
    )
    clips.add_argument(
        "--photos",
        type=conditions.between(int, 1, LOOK_FRAMES),
        default=PHOTOS,
        metavar="N",
        help=f"photos of a visit at least, of a set for identify (default {PHOTOS})",
    )
    clips.add_argument(
        "--home",
        type=conditions.between(int, 1, 100),
        metavar="N",
        help="enrol N people only, in homes drawn at random, where all others are strangers",
    )
    clips.add_argument(
        "--together", action="store_true", help="two people in each picture, side by side, a visit each"
    )
    refit = _command(commands, "calibrate", "What does a similarity mean?", CALIBRATE, _calibrate)
    refit.add_argument("folder", type=Path, metavar="DIR")
    refit.add_argument("--strangers", type=Path, metavar="DIR", help="more strangers, in <person>/")
    refit.add_argument("--write", action="store_true", help="write what was fitted into the integration")
    doors = _command(commands, "empty", "What is taken for a face where nobody is?", EMPTY, _empty)
    doors.add_argument("folder", type=Path, metavar="DIR")
    doors.add_argument(
        "--pictures",
        type=conditions.between(int, 2, 100_000),
        default=empty.MANY,
        metavar="N",
        help=f"how many to look at (default {empty.MANY})",
    )
    shown = _command(commands, "pictures", "Which faces are told to be a picture?", PICTURES, _pictures)
    shown.add_argument("folder", type=Path, metavar="DIR")
    shown.add_argument("--photos", type=Path, required=True, metavar="FILES")
    shown.add_argument(
        "--many",
        type=conditions.between(int, 1, 10_000),
        default=pictures_of_people.MANY,
        metavar="N",
        help=f"how many photos are drawn (default {pictures_of_people.MANY})",
    )
    everywhere = _command(commands, "tables", "All tables of docs/accuracy.md", TABLES, _tables)
    everywhere.add_argument("folder", type=Path, metavar="DIR")
    everywhere.add_argument(
        "--table", action="append", choices=everything.TABLES, help="this table only (default: all)"
    )
    everywhere.add_argument(
        "--set",
        action="append",
        choices=(*everything.SETS, everything.CLIPS, everything.PAIRS),
        help="this set only (default: all that are there)",
    )
    for command in (pairs, people):
        command.add_argument("--peer", choices=peer.NAMES, help="measure DeepFace.represent beside it")
    return parser


def _command(commands: Any, name: str, title: str, more: str, measure: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=title,
        description=title,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(measure=measure)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument(
        "--min-face",
        type=conditions.between(int, 10, 1000),
        metavar="PX",
        help="narrowest face that the engine is asked for (default: as a look asks)",
    )
    conditions.add_arguments(command)
    return command


def _verify(asked: argparse.Namespace) -> dict[str, Any]:
    condition = conditions.chosen(asked)
    pairs = folders.read_pairs(asked.pairs, asked.images)
    # What the file cannot do is said before the long part.
    verify.check(pairs, asked.threshold)
    with Engines(weights_home()) as engines:
        scored = verify.observe(engines, pairs, Sight(condition, asked.min_face))
    result = verify.figures(scored.pairs, scored.scores, scored.not_detected, asked.threshold)
    if asked.peer:
        with peer.Represent(weights_home()) as other:
            result["peer"] = peer.verify(other, scored, condition, asked.threshold)
    return {**result, "condition": str(condition)}


def _identify(asked: argparse.Namespace) -> dict[str, Any]:
    condition = conditions.chosen(asked)
    people = folders.read_people(asked.folder)
    with Engines(weights_home()) as engines:
        enrolled = enrolment.enrol(engines, people.gallery)
        observed = identify.observe(engines, people, Sight(condition, asked.min_face))
    result = {**identify.figures(observed, enrolled.gallery), "enrolled": enrolled.to_json()}
    if asked.peer:
        with peer.Represent(weights_home()) as other:
            result["peer"] = peer.identify(other, people.gallery, observed, condition)
    return {**result, "condition": str(condition)}


def _visits(asked: argparse.Namespace) -> dict[str, Any]:
    condition = conditions.chosen(asked)
    with Engines(weights_home()) as engines:
        seen = visits.observe(
            engines,
            asked.folder,
            Sight(condition, asked.min_face),
            gallery=asked.gallery,
            every=asked.every,
            photos=asked.photos,
            together=asked.together,
        )
    found = visits.figures(seen) if asked.home is None else homes.figures(seen, asked.home)
    return {**found, "condition": str(condition)}


def _calibrate(asked: argparse.Namespace) -> dict[str, Any]:
    if not conditions.chosen(asked).as_is:
        raise InputError("it is calibrated in all conditions: choose none")
    people = folders.read_people(asked.folder)
    with Engines(weights_home()) as engines:
        data = calibrate.observe(engines, people, asked.strangers, asked.min_face)
    if asked.write and len(set(data.names)) < calibrate.ENOUGH_STRANGERS:
        raise InputError(
            f"{calibrate.ENOUGH_STRANGERS} strangers at least are needed to replace the calibration"
        )
    fitted, middle, result = calibrate.calibrate(data)
    if asked.write:
        calibrate.write(PEOPLE, fitted, middle, result, calibrate.spaces(data.model))
    return result


def _empty(asked: argparse.Namespace) -> dict[str, Any]:
    if not conditions.chosen(asked).as_is:
        raise InputError("empty doors are looked at in many conditions: choose none")
    with Engines(weights_home()) as engines:
        return empty.measure(engines, asked.folder, asked.pictures)


def _pictures(asked: argparse.Namespace) -> dict[str, Any]:
    if not conditions.chosen(asked).as_is:
        raise InputError("pictures are judged in several conditions: choose none")
    with Engines(weights_home()) as engines:
        return pictures_of_people.measure(engines, asked.folder, asked.photos, asked.many)


def _tables(asked: argparse.Namespace) -> dict[str, Any]:
    if not conditions.chosen(asked).as_is:
        raise InputError("the sets are measured in all conditions: choose none")

    def say(row: everything.Row) -> None:
        print(f"{row.table}: {row.folder}, {row.condition}: {row.values}", file=sys.stderr, flush=True)

    wanted = everything.Asked(asked.folder, asked.min_face)
    wanted = replace(wanted, tables=asked.table or wanted.tables, sets=asked.set or wanted.sets)
    return everything.measure(wanted, weights_home(), say)


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -1 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a cosine, from -1 to 1")
    return value
