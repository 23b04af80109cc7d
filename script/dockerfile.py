"""Reads the instructions of a Dockerfile: as many of Docker's as ours needs, and no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
import re
import shlex

KNOWN = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "USER"}
_NAME = re.compile(r"\$\{(\w+)\}")


class DockerfileError(ValueError):
    """Something that this does not know, or that is no Dockerfile."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction that changes files."""

    kind: str
    """`RUN` or `COPY`."""
    words: tuple[str, ...]
    """The command line for the shell; or what is copied, and where to."""
    source: str = ""
    """The stage that is copied from, empty for the checkout."""


@dataclass(slots=True)
class Stage:
    """What one FROM begins, with all that it takes over from the stage that it is made of."""

    name: str
    base: str
    """An image, or the name of an earlier stage."""
    steps: list[Step] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def read(text: str, arguments: Mapping[str, str] | None = None) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name, in its order; raise DockerfileError.

    `arguments` are given as with `docker build --build-arg`.
    """
    everywhere: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    here: dict[str, str] = {}
    for line in lines(text):
        kind, _, rest = line.partition(" ")
        if kind not in KNOWN:
            raise DockerfileError(f"{kind} is not known")
        if kind == "ARG":
            name, _, value = rest.partition("=")
            (everywhere if stage is None else here)[name] = (arguments or {}).get(name, value)
        elif kind == "FROM":
            stage, here = _from(filled(rest, everywhere), stages), {}
            stages[stage.name] = stage
        elif stage is None:
            raise DockerfileError(f"{kind} stands before FROM")
        else:
            _add(stage, kind, rest if kind == "RUN" else filled(rest, here))
    return stages


def lines(text: str) -> list[str]:
    """Return the instructions, each on one line."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [line.strip() for line in re.sub(r"\\\n\s*", " ", kept).splitlines() if line.strip()]


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the arguments filled in; raise DockerfileError for one that is not declared."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise DockerfileError(f"{match[1]} is not declared")
        return values[match[1]]

    return _NAME.sub(value, text)


def _from(rest: str, stages: Mapping[str, Stage]) -> Stage:
    match rest.split():
        case [base, "AS", name] if name not in stages:
            pass
        case _:
            raise DockerfileError(f"FROM {rest}: each stage has a name of its own")
    earlier = stages.get(base)
    if earlier is None:
        return Stage(name, base)
    return Stage(
        name,
        base,
        env=dict(earlier.env),
        labels=dict(earlier.labels),
        ports=list(earlier.ports),
        user=earlier.user,
    )


def _add(stage: Stage, kind: str, rest: str) -> None:
    match kind:
        case "RUN":
            stage.steps.append(Step("RUN", (rest,)))
        case "COPY":
            words = rest.split()
            source = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
            stage.steps.append(Step("COPY", tuple(words), source))
        case "ENV":
            stage.env |= _pairs(rest)
        case "LABEL":
            stage.labels |= _pairs(rest)
        case "EXPOSE":
            stage.ports += rest.split()
        case "USER":
            stage.user = rest
        case "ENTRYPOINT":
            stage.entrypoint = _listed(rest)
        case "CMD":
            stage.command = _listed(rest)
        case "HEALTHCHECK":
            stage.health = _listed(rest.partition(" CMD ")[2])


def _pairs(rest: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(rest)]
    return {name: value for name, _, value in pairs}


def _listed(rest: str) -> list[str]:
    try:
        words = json.loads(rest)
    except ValueError as err:
        raise DockerfileError(f"not a list of words: {rest}") from err
    return [str(word) for word in words]
