"""What the integration's source says of its translations: the keys and placeholders that it asks for."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType

import custom_components.familiar_faces as integration
from custom_components.familiar_faces.consent.record import Refusal
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.engine_trouble import Elsewhere
from custom_components.familiar_faces.people.guidance import Hint
from custom_components.familiar_faces.people.photos import PhotoReason

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / DOMAIN


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), path.name)


def load(*names: str) -> ModuleType:
    """Return a module of the integration."""
    return import_module(".".join((integration.__name__, *names)))


def name_of(node: ast.AST) -> str:
    """Return the last word of a name such as `ir.async_create_issue`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Find the calls of functions with these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in names:
            yield node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Find the functions and methods."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Return the named arguments of a call."""
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}


def keys_of(node: ast.expr | None) -> set[str]:
    """Return the keys of a literal dict; none for no dict."""
    if not isinstance(node, ast.Dict):
        assert node is None, f"not a literal dict: {ast.unparse(node)}"
        return set()
    return {ast.literal_eval(key) for key in node.keys if key is not None}


def strings(node: ast.AST, scope: ast.AST, module: ModuleType) -> set[str]:
    """Return the strings that an expression may be, as far as the source says."""

    def any_of(nodes: list[ast.expr]) -> set[str]:
        return {text for each in nodes for text in strings(each, scope, module)}

    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=orelse):
            return any_of([body, orelse])
        case ast.BoolOp(values=nodes) | ast.List(elts=nodes) | ast.Tuple(elts=nodes):
            return any_of(nodes)
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            enum = vars(module).get(name)
            return {getattr(enum, attr)} if isinstance(enum, type) and issubclass(enum, StrEnum) else set()
        case ast.Call(func=ast.Name(id="list"), args=[ast.Name(id=name)]):
            return {str(member) for member in vars(module)[name]}
        case ast.Name(id=name) if isinstance(value := vars(module).get(name), str):
            return {value}
        case ast.Name(id=name):
            return any_of([value for value in values_of(name, scope) if not mentions(value, name)])
    return set()


def values_of(name: str, scope: ast.AST) -> Iterator[ast.expr]:
    """Find what a variable is set to, or what is put into a list of that name."""
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=target), attr="append" | "insert"), args=[*_, value]
            ) if target == name:
                yield value


def mentions(node: ast.AST, name: str) -> bool:
    """Return whether an expression speaks of a variable."""
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def path_of(name: str) -> Path:
    """Return the source file of a module of the integration."""
    return FOLDER / f"{name.replace('.', '/')}.py"


def descriptions_in(path: Path) -> list[ast.Call]:
    """Find the descriptions of entities that a source file makes."""
    nodes = ast.walk(parse(path))
    return [
        node for node in nodes if isinstance(node, ast.Call) and name_of(node.func).endswith("Description")
    ]


def modules_of(platform: str) -> list[str]:
    """Return the modules of a platform: its own, and those it imports that describe entities of it."""
    imported = {
        node.module
        for node in ast.walk(parse(path_of(platform)))
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module is not None
    }
    files = sorted(name for name in imported if path_of(name).is_file())
    return [platform, *(name for name in files if descriptions_in(path_of(name)))]


@dataclass
class Flow:
    """What a flow shows, by the words of its source."""

    methods: set[str] = field(default_factory=set)
    shown: dict[str, set[str]] = field(default_factory=dict)
    """The placeholders of each step."""
    menus: dict[str, set[str]] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    aborts: set[str] = field(default_factory=set)
    progress: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    """The steps that show progress; their title, if they have one, knows no placeholders."""


def steps_of(path: Path) -> set[str]:
    """Return the steps that a source file has."""
    names = {function.name for function in functions(parse(path))}
    return {name.removeprefix("async_step_") for name in names if name.startswith("async_step_")}


def flow_names() -> list[str]:
    """Return the modules of flows; those whose steps another one inherits are a part of it."""
    names = [path.stem for path in sorted((FOLDER / "flows").glob("*.py")) if steps_of(path)]
    inherited = {part for name in names for part in parts_of(name) if part != name}
    return [name for name in names if name not in inherited]


def parts_of(name: str) -> list[str]:
    """Return a flow's module, and those of `flows` that it inherits steps from."""
    module = load("flows", name)
    package = module.__name__.removesuffix(name)
    classes = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__
    ]
    found = {base.__module__ for each in classes for base in each.__mro__}
    return [
        name,
        *sorted({each.removeprefix(package) for each in found if each.startswith(package)} - {name}),
    ]


def read_flow(name: str) -> Flow:
    """Read the source of a flow, with all that it inherits."""
    flow = Flow()
    sources = [(load("flows", part), parse(FOLDER / "flows" / f"{part}.py")) for part in parts_of(name)]
    for module, tree in sources:
        for call in calls(tree, "Required", "Optional"):
            flow.fields |= strings(call.args[0], tree, module)
        for function in functions(tree):
            flow.methods |= {function.name.removeprefix("async_step_")} - {function.name}
            for call in calls(function, "async_show_form", "async_show_menu"):
                given = keywords(call)
                # A step that two share is named by those who call it.
                steps = strings(given["step_id"], function, module) or {
                    ast.literal_eval(caller.args[0])
                    for _, each in sources
                    for caller in calls(each, function.name)
                }
                for step in steps:
                    flow.shown[step] = keys_of(given.get("description_placeholders"))
                    if "menu_options" in given:
                        flow.menus[step] = strings(given["menu_options"], function, module)
            for call in calls(function, "async_show_progress"):
                action = keywords(call)["progress_action"]
                # What is known only while it runs is what helps somebody before a camera.
                flow.progress |= strings(action, function, module) or {str(hint) for hint in Hint}
                flow.waiting |= strings(keywords(call)["step_id"], function, module)
            for call in calls(function, "async_abort"):
                # Without a reason it is another flow that ends.
                if "reason" in (given := keywords(call)):
                    flow.aborts |= strings(given["reason"], function, module)
            flow.errors |= {
                text for value in errors_in(function) for text in strings(value, function, module)
            }
            if any(each.id == "ConsentRefused" for each in ast.walk(function) if isinstance(each, ast.Name)):
                flow.errors |= {str(refusal) for refusal in Refusal}
            if any(calls(function, "key_elsewhere")):
                # Of a token that is refused the form says so at its field.
                flow.errors |= {str(each) for each in Elsewhere} - {Elsewhere.REFUSED}
            if any(calls(function, "name_refused")):
                flow.errors |= strings_returned("recognising.renaming", "name_refused")
    return flow


def strings_returned(module: str, function: str) -> set[str]:
    """Return the strings that a function returns."""
    (found,) = [each for each in functions(parse(path_of(module))) if each.name == function]
    return {
        each.value.value
        for each in ast.walk(found)
        if isinstance(each, ast.Return)
        and isinstance(each.value, ast.Constant)
        and isinstance(each.value.value, str)
    }


def errors_in(function: ast.AST) -> Iterator[ast.expr]:
    """Find the values of `errors`, and of a dict that is returned as such."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value):
                yield value
            case (
                ast.Assign(targets=[ast.Name(id="errors")], value=ast.Dict(values=values))
                | ast.Return(value=ast.Dict(values=values))
            ):
                yield from values


def reasons_of_the_environment() -> set[str]:
    """Return the keys of why the engine cannot run on this machine."""
    reasons: set[str] = set()
    for name in ("environment", "fetching", "installing", "machine", "private_runtime", "room"):
        module, tree = load("host", name), parse(FOLDER / "host" / f"{name}.py")
        reasons |= {key for key, _ in vars(module).get("MEANINGS", ())}
        for function in functions(tree):
            for call in calls(function, "EnvironmentFailed", "failure"):
                if not isinstance(call.args[0], ast.Starred):
                    reasons |= strings(call.args[0], function, module)
            if function.name == "unsupported":
                returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
                reasons |= {
                    text
                    for each in returned
                    if isinstance(each, ast.Tuple)
                    for text in strings(each.elts[0], function, module)
                }
    return reasons


def reasons_of_quality() -> set[str]:
    """Return why a face may be unusable."""
    # Not imported: OpenCV lives with the engine alone.
    judge = next(each for each in functions(parse(FOLDER / "engine" / "quality.py")) if each.name == "judge")
    return {text for value in values_of("reason", judge) for text in strings(value, judge, integration)}


def verdicts_on_photos() -> set[str]:
    """Return the keys of what is said of a photo."""
    module, tree = load("people", "photos"), parse(FOLDER / "people" / "photos.py")
    verdicts = reasons_of_quality()
    for call in calls(tree, "PhotoVerdict"):
        verdicts |= strings(call.args[0], tree, module)
    warnings = {text for call in calls(tree, "append") for text in strings(call.args[0], tree, module)}
    assert verdicts | warnings == {str(reason) for reason in PhotoReason}
    # Said when the owner insists; it is no verdict.
    return verdicts | {"insisted"} | {f"warning_{warning}" for warning in warnings}


def sentences_of_the_consent() -> set[str]:
    """Return the keys of what a consent text is made of, and of how it is handed over."""
    tree = parse(FOLDER / "consent" / "text.py")
    (paragraphs,) = values_of("paragraphs", tree)
    plain = {node.value for node in ast.walk(paragraphs) if isinstance(node, ast.Constant)}
    by_whom = {
        f"{stem}{kind}"
        for stem in plain
        if isinstance(stem, str) and stem.endswith("_")
        for kind in ("adult", "child")
    }
    periods = {key for unit in ("month", "day", "hour") for key in (f"one_{unit}", f"{unit}s")}
    sentences = {each for each in plain if isinstance(each, str) and not each.endswith("_")}
    return sentences | by_whom | periods | {"read_adult", "read_child"}


def values_of_the_consent() -> set[str]:
    """Return the placeholders that a consent text fills in."""
    tree = parse(FOLDER / "consent" / "text.py")
    (values,) = values_of("values", tree)
    assert isinstance(values, ast.Dict)
    named = {ast.literal_eval(key) for key in values.keys if key is not None}
    periods = next(node for node in ast.walk(tree) if isinstance(node, ast.DictComp)).generators[0].iter
    assert isinstance(periods, ast.Tuple)
    return (
        named
        | {ast.literal_eval(each.elts[0]) for each in periods.elts if isinstance(each, ast.Tuple)}
        | {"count"}
    )
