"""Translations: whole in every language, and word for word what the code asks for."""

import ast
from collections.abc import Callable
from pathlib import Path
import re
from typing import Any

from homeassistant.helpers.entity import EntityDescription
import pytest
import yaml

import custom_components.familiar_faces as integration
from custom_components.familiar_faces.alerts.answers import Answer
from custom_components.familiar_faces.alerts.telling import Kind
from custom_components.familiar_faces.capture.trying import Finding
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.enrolment.walking_up import Ended
from custom_components.familiar_faces.erasing.mentions import Kind as Mentioned
from custom_components.familiar_faces.erasing.stores import Store
from custom_components.familiar_faces.flows import receipt_words
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.household.engine_trouble import Elsewhere
from custom_components.familiar_faces.media_source import BY
from custom_components.familiar_faces.seen.pictured import INBOX
from custom_components.familiar_faces.seen.spoken import Sentence
from custom_components.familiar_faces.vault.errors import VaultError
from custom_components.familiar_faces.visits.fitness import Fitness
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason
from custom_components.familiar_faces.wording.vault_errors import Failed, key_of
from tests.common.texts import ENGLISH_TREE, TEXTS, flatten, placeholders, read_json

from ..common.source import (
    FOLDER,
    ROOT,
    calls,
    descriptions_in,
    flow_names,
    functions,
    keys_of,
    keywords,
    load,
    modules_of,
    name_of,
    parse,
    parts_of,
    path_of,
    read_flow,
    reasons_of_quality,
    reasons_of_the_environment,
    sentences_of_the_consent,
    steps_of,
    strings,
    strings_returned,
    values_of_the_consent,
    verdicts_on_photos,
)

SAME_AS_ENGLISH = {
    "de": {"Engine", "Name", "Person", "Stream", "Token"},
    "nl": {
        "1 week",
        "Camera",
        "Contact",
        "Engine",
        "Model",
        "Open",
        "Privacy",
        "Stream",
        "Token",
        "links",
    },
}
"""The words that a language shares with English."""
ENGLISH = re.compile(r"\b(again|and|from|the|their|them|this|with|you|your)\b", re.IGNORECASE)
"""Words that stand in no Dutch or German sentence."""
ABORTS_OF_HOME_ASSISTANT = {
    "already_configured",
    "already_in_progress",
    "reauth_successful",
    "reconfigure_successful",
    "single_instance_allowed",
}
URL = re.compile(r"\b(www\.|[a-z0-9]{2,6}://)[a-z0-9.-]+\.[a-z]{2,5}\b", re.IGNORECASE)
"""As Home Assistant's own check: links come from placeholders."""


ENGLISH_TEXTS = flatten(ENGLISH_TREE)
OTHER_LANGUAGES = sorted(TEXTS.keys() - {"en"})


# The languages


def test_languages() -> None:
    """The integration speaks English, Dutch and German."""
    assert set(TEXTS) == {"de", "en", "nl"}


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_same_keys(language: str) -> None:
    """No language lacks a text, and none has one too many."""
    texts = flatten(TEXTS[language])
    assert sorted(ENGLISH_TEXTS.keys() - texts.keys()) == []
    assert sorted(texts.keys() - ENGLISH_TEXTS.keys()) == []


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_same_shape(language: str) -> None:
    """Every text has the placeholders, the Markdown and the last mark of the English one."""

    def shape(text: str) -> tuple[object, ...]:
        last = text[-1] if text[-1] in ".:?!" else ""
        return placeholders(text), [text.count(mark) for mark in ("**", "`", "\n\n", "\n> ", "](")], last

    wrong = {
        key: (text, ENGLISH_TEXTS[key])
        for key, text in flatten(TEXTS[language]).items()
        if key in ENGLISH_TEXTS and shape(text) != shape(ENGLISH_TEXTS[key])
    }
    assert wrong == {}


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_nothing_left_in_english(language: str) -> None:
    """No text was left in English, as a whole or in part."""
    texts = flatten(TEXTS[language])
    words = {key: re.sub(r"\{\w+\}", "", text).strip() for key, text in texts.items()}
    # Not the signs of units (s, ms, px): they are the same in every language.
    same = {
        texts[key]
        for key, rest in words.items()
        if re.search(r"[^\W\d_]{3}", rest) and texts[key] == ENGLISH_TEXTS.get(key)
    }
    assert same == SAME_AS_ENGLISH[language]
    assert {key: texts[key] for key, rest in words.items() if ENGLISH.search(rest)} == {}


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_form(language: str) -> None:
    """Texts are fit for Home Assistant's check of translations and its frontend."""
    for key, text in flatten(TEXTS[language]).items():
        assert re.fullmatch(r"[a-z0-9]+([_.-][a-z0-9]+)*", key)
        assert text, key
        assert text == text.strip(), key
        assert "  " not in text, key
        assert all(name.isidentifier() for name in placeholders(text)), key
        assert not re.search(r"'\{\w+\}'|<[a-z]|" + URL.pattern, text, re.IGNORECASE), key


# Entities


def descriptions(platform: str) -> list[EntityDescription]:
    """Return what the entities of a platform are described by."""
    found: list[EntityDescription] = []
    for value in [value for name in modules_of(platform) for value in vars(load(name)).values()]:
        # Not by isinstance: Home Assistant makes its own kinds of descriptions without their base class.
        found += [
            each
            for each in (value if isinstance(value, tuple) else (value,))
            if type(each).__name__.endswith("Description") and each not in found
        ]
    return found


ENTITIES = {str(platform): descriptions(platform) for platform in integration.PLATFORMS}


@pytest.mark.parametrize("platform", ENTITIES)
def test_entities(platform: str) -> None:
    """Every entity has a name, and every name an entity."""
    described = [call for name in modules_of(platform) for call in descriptions_in(path_of(name))]
    assert len(described) == len(ENTITIES[platform]), "some are not at the top of the module"
    assert {each.translation_key for each in ENTITIES[platform]} == ENGLISH_TREE["entity"][platform].keys()
    assert all(entity["name"] for entity in ENGLISH_TREE["entity"][platform].values())


def test_platforms() -> None:
    """No names are kept for a platform that is gone."""
    assert ENGLISH_TREE["entity"].keys() == ENTITIES.keys()


def test_every_description_is_seen() -> None:
    """No module describes entities that belong to no platform, or to two."""
    seen = [path_of(name) for platform in ENTITIES for name in modules_of(platform)]
    assert sorted(seen) == sorted(path for path in FOLDER.rglob("*.py") if descriptions_in(path))


def test_states() -> None:
    """Every state has a text, and every text a state."""
    expected = {("sensor", "last_visitor"): {str(each) for each in Decision} - {Decision.FAMILIAR}}
    expected |= {
        ("binary_sensor", str(each.translation_key)): {"on", "off"}
        for each in ENTITIES["binary_sensor"]
        if each.device_class is None
    }
    expected |= {
        ("sensor", str(each.translation_key)): set(options)
        for each in ENTITIES["sensor"]
        if (options := getattr(each, "options", None))
    }
    assert expected == {
        (platform, key): set(entity["state"])
        for platform, entities in ENGLISH_TREE["entity"].items()
        for key, entity in entities.items()
        if "state" in entity
    }


def test_event_types_and_attributes() -> None:
    """Every type of event has a text, and so has every reason; no other attributes have."""
    attributes = {value for name, value in vars(load("event")).items() if name.startswith("ATTR_")}
    assert ENTITIES["event"]
    for description in ENTITIES["event"]:
        said = ENGLISH_TREE["entity"]["event"][description.translation_key]["state_attributes"]
        assert said["event_type"]["state"].keys() == set(getattr(description, "event_types", ()))
        assert said.keys() - {"event_type"} <= attributes
        assert all(attribute["name"] for attribute in said.values())
        if "reason" in said:
            assert said["reason"]["state"].keys() == {str(reason) for reason in UnclearReason}
    assert "reason" in ENGLISH_TREE["entity"]["event"]["visitor"]["state_attributes"]


def test_icons() -> None:
    """Every entity has an icon or a device class, and every icon an entity and a state."""
    icons = read_json(FOLDER / "icons.json")
    bare = [
        (platform, each.key)
        for platform, entities in ENTITIES.items()
        for each in entities
        if each.device_class is None and each.translation_key not in icons["entity"].get(platform, {})
    ]
    assert bare == []
    for platform, entities in icons["entity"].items():
        assert entities.keys() <= ENGLISH_TREE["entity"][platform].keys()
        for key, icon in entities.items():
            states = ENGLISH_TREE["entity"][platform][key].get("state", {"on": "", "off": ""})
            assert icon.get("state", {}).keys() <= states.keys(), f"{platform}.{key}"
    assert icons["services"].keys() == ENGLISH_TREE["services"].keys()


# Errors, issues and actions


def test_exceptions() -> None:
    """Every exception that is raised has its text with its placeholders, and none is left over."""
    # What the vault could not do is said in one place.
    raised: dict[str, set[str]] = {str(each): {"reason"} for each in Failed}
    for path in FOLDER.rglob("*.py"):
        for call in (node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)):
            given = keywords(call)
            # An error that is passed on was read where it is raised.
            if "translation_domain" in given and isinstance(given["translation_key"], ast.Constant):
                key = ast.literal_eval(given["translation_key"])
                names = keys_of(given.get("translation_placeholders"))
                assert raised.setdefault(key, names) == names, f"{path.name}: {key}"
    texts = {key: placeholders(text["message"]) for key, text in ENGLISH_TREE["exceptions"].items()}
    assert texts == raised


def test_issues() -> None:
    """Every repair issue has its text with its placeholders, and none is left over."""
    module, tree = load("household", "issues"), parse(FOLDER / "household" / "issues.py")
    created: dict[str, set[str]] = {}
    for call in calls(tree, "_async_create", "_async_create_fixable", "_async_create_lasting"):
        (key,) = strings(call.args[2], tree, module)
        created[key] = set(keywords(call))
        # What can be fixed is described by its flow.
        fixable = name_of(call.func) == "_async_create_fixable"
        assert ("fix_flow" in ENGLISH_TREE["issues"][key]) is fixable, key
        assert ("description" in ENGLISH_TREE["issues"][key]) is not fixable, key
    texts = {
        key: placeholders(issue["title"]) | placeholders(issue.get("description", ""))
        for key, issue in ENGLISH_TREE["issues"].items()
    }
    assert texts == created
    elsewhere = [path.name for path in FOLDER.rglob("*.py") if any(calls(parse(path), "async_create_issue"))]
    assert elsewhere == ["issues.py"], "issues that this test does not see"


def test_services() -> None:
    """Every action and every field of it has a name and a description."""
    services = yaml.safe_load((FOLDER / "services.yaml").read_text(encoding="utf-8"))
    registered = {action.name for action in load("services").ACTIONS}
    assert services.keys() == ENGLISH_TREE["services"].keys() == registered
    for name, service in services.items():
        said = ENGLISH_TREE["services"][name]
        fields = (service or {}).get("fields", {})
        assert said.keys() == {"name", "description"} | ({"fields"} if fields else set()), name
        assert said.get("fields", {}).keys() == fields.keys(), name
        assert all(each.keys() == {"name", "description"} for each in said.get("fields", {}).values()), name


# The flows


FLOWS = {name: read_flow(name) for name in flow_names()}


OF_THE_ENTRY = {"hub_flow": "config", "options_flow": "options"}
"""The flows of the entry itself, and where their texts are; the others belong to subentries."""


def section(name: str) -> dict[str, Any]:
    """Return the texts of a flow."""
    texts: dict[str, Any] = (
        ENGLISH_TREE[OF_THE_ENTRY[name]]
        if name in OF_THE_ENTRY
        else ENGLISH_TREE["config_subentries"][name.removesuffix("_flow")]
    )
    return texts


def test_every_step_belongs_to_a_flow() -> None:
    """No file has steps, or shows one, that the checks of the flows do not read."""
    read = {part for name in FLOWS for part in parts_of(name)}
    for path in (FOLDER / "flows").glob("*.py"):
        shows = any(calls(parse(path), "async_show_form", "async_show_menu", "async_show_progress"))
        assert path.stem in read or not (steps_of(path) or shows), path.name


def test_flows() -> None:
    """Every flow has texts, and no texts are kept for a flow that is gone."""
    assert FLOWS.keys() >= OF_THE_ENTRY.keys()
    of_subentries = {name.removesuffix("_flow") for name in FLOWS.keys() - OF_THE_ENTRY.keys()}
    assert of_subentries == ENGLISH_TREE["config_subentries"].keys()
    for name in FLOWS.keys() - OF_THE_ENTRY.keys():
        assert section(name)["entry_type"]
        assert section(name)["initiate_flow"].keys() == FLOWS[name].methods & {"user", "reconfigure"}


@pytest.mark.parametrize("name", FLOWS)
def test_steps(name: str) -> None:
    """Every step that is shown has texts, with no placeholder that the step does not fill in."""
    flow, steps = FLOWS[name], section(name)["step"]
    assert flow.shown.keys() <= steps.keys() <= flow.shown.keys() | flow.waiting
    assert steps.keys() <= flow.methods
    for step, texts in steps.items():
        named = {name for text in flatten(texts).values() for name in placeholders(text)}
        assert named <= flow.shown.get(step, set()), step
        assert texts.get("title"), step


@pytest.mark.parametrize("name", FLOWS)
def test_menus(name: str) -> None:
    """Every option of a menu has a text and a step to go to."""
    flow, steps = FLOWS[name], section(name)["step"]
    assert {step: set(texts["menu_options"]) for step, texts in steps.items() if "menu_options" in texts} == (
        flow.menus
    )
    for step, options in flow.menus.items():
        assert options <= flow.methods, step
        assert steps[step].get("menu_option_descriptions", {}).keys() <= options, step


@pytest.mark.parametrize("name", FLOWS)
def test_fields(name: str) -> None:
    """Every field has a label, and no description is of a field that is gone."""
    forms = [texts for texts in section(name)["step"].values() if "data" in texts]
    assert {key for texts in forms for key in texts["data"]} == FLOWS[name].fields
    for texts in forms:
        assert texts.get("data_description", {}).keys() <= texts["data"].keys()


@pytest.mark.parametrize("name", FLOWS)
def test_errors_aborts_and_progress(name: str) -> None:
    """Whatever a flow says when it cannot go on has a text, and nothing is left over."""
    flow, texts = FLOWS[name], section(name)
    assert texts.get("error", {}).keys() == flow.errors
    assert texts.get("progress", {}).keys() == flow.progress
    assert flow.aborts <= texts.get("abort", {}).keys() <= flow.aborts | ABORTS_OF_HOME_ASSISTANT


# The selectors, and what is said with `async_say`


def lines_of_the_logbook() -> set[str]:
    """Return the keys of who came, and of what they did."""
    who = {f"who_{each}" for each in (Decision.STRANGER, Decision.UNCLEAR)}
    return {*who, "came", "came_unclear", "seen"}


def reasons_against_a_name() -> set[str]:
    """Return the keys of why somebody keeps their name."""
    return {"vault_failed", *strings_returned("recognising.renaming", "name_refused")}


KNOWN_WHEN_RUNNING: dict[str, Callable[[], set[str]]] = {
    "alert_answer": lambda: {str(answer) for answer in Answer},
    "alert_answer_of": lambda: {str(answer) for answer in Answer} - {Answer.IT_WAS, Answer.WHO},
    "alert_reply": lambda: {"no_consent", "too_late", "unknown"},
    "alert_who": lambda: (
        {str(kind) for kind in Kind} - {Kind.FAMILIAR, Kind.CORRECTED}
        | {f"{Kind.STRANGER}_several", f"{Kind.UNCLEAR}_several"}
    ),
    "calendar": lambda: {"visit"},
    "cannot_prepare": reasons_of_the_environment,
    "engine_elsewhere": lambda: {str(trouble) for trouble in Elsewhere},
    "date": lambda: {"day", "moment"},
    "consent_text": sentences_of_the_consent,
    "fitness_advice": lambda: {str(fitness) for fitness in Fitness},
    "guest": lambda: {"added", "renewed"},
    "logbook": lines_of_the_logbook,
    "media_folder": lambda: {*BY, INBOX},
    "photo_verdict": verdicts_on_photos,
    "quality": reasons_of_quality,
    "still": lambda: {str(finding) for finding in Finding},
    "mention": lambda: {str(kind) for kind in Mentioned},
    "receipt": lambda: {
        *receipt_words.VAULT,
        *receipt_words.HOME,
        *receipt_words.RECORDER,
        *receipt_words.SENTENCES,
    },
    "spoken": lambda: {str(sentence) for sentence in Sentence},
    "stores": lambda: {str(store) for store in Store},
    "rename": reasons_against_a_name,
    "vault_error": lambda: {key_of(kind) for kind in vault_errors()},
    "walk_up": lambda: {str(end) for end in Ended},
}


def vault_errors() -> set[type[VaultError]]:
    """Return everything that can go wrong in the vault."""
    return {
        kind
        for kind in vars(load("vault", "errors")).values()
        if isinstance(kind, type) and issubclass(kind, VaultError)
    }


def test_what_is_wrong_with_the_vault() -> None:
    """In English it is said as the vault itself says it."""
    said = ENGLISH_TREE["selector"]["vault_error"]["options"]
    assert said == {key_of(kind): kind.sentence for kind in vault_errors()}


def test_selectors() -> None:
    """Every option and every sentence has a text that is filled in whole, and none is left over."""
    asked = {group: keys() for group, keys in KNOWN_WHEN_RUNNING.items()}
    # The fitness sensor fills in its own.
    filled: dict[str, set[str]] = {"fitness_advice": {"width"}, "consent_text": values_of_the_consent()}
    filled |= {"calendar": {"who", "camera"}, "guest": {"name"}, "logbook": {"who"}}
    filled["rename"] = {"name"}
    filled |= {"date": {"day", "month", "year", "time"}}
    filled |= {"mention": {"where"}, "receipt": {"when", "person_id", "stores", "places"}}
    # In whichever language a question was asked.
    filled["spoken"] = {
        name for call in calls(parse(path_of("seen.spoken")), "async_say") for name in keywords(call)
    }
    described = [
        each or {}
        for kind in ("services", "triggers", "conditions")
        for each in yaml.safe_load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8")).values()
    ]
    for each in described:
        for field in each.get("fields", {}).values():
            if "translation_key" in (select := field["selector"].get("select") or {}):
                asked[select["translation_key"]] = set(select["options"])
    for path in sorted(path for room in ("alerts", "flows") for path in (FOLDER / room).glob("*.py")):
        module, tree = load(path.parent.name, path.stem), parse(path)
        for call in calls(tree, "SelectSelectorConfig"):
            if "translation_key" in (given := keywords(call)):
                asked[ast.literal_eval(given["translation_key"])] = strings(given["options"], tree, module)
        for function in functions(tree):
            for call in calls(function, "async_say"):
                group = ast.literal_eval(call.args[1])
                asked.setdefault(group, set()).update(strings(call.args[2], function, module))
                filled.setdefault(group, set()).update(keywords(call))
    options = {group: texts["options"] for group, texts in ENGLISH_TREE["selector"].items()}
    assert {group: set(texts) for group, texts in options.items()} == asked
    for group, texts in options.items():
        assert {name for text in texts.values() for name in placeholders(text)} <= filled.get(group, set())


def test_documented_reasons() -> None:
    """The reasons why the engine cannot run here are the documented ones."""
    documented = re.findall(r"`([a-z]+(?:_[a-z]+)*)`", EnvironmentFailed.__doc__ or "")
    assert set(documented) - {"reason_key", "detail", "what"} == reasons_of_the_environment()


# The other files that Home Assistant and HACS read


@pytest.mark.parametrize("path", [FOLDER / "manifest.json", ROOT / "hacs.json"], ids=lambda path: path.name)
def test_sorted_keys(path: Path) -> None:
    """The keys are sorted as Home Assistant's own check wants: domain, name, then by the alphabet."""
    keys = list(read_json(path))
    assert keys == sorted(keys, key=lambda key: ({"domain": 0, "name": 1}.get(key, 2), key))


def test_manifest() -> None:
    """The manifest speaks of this integration, with all that a custom one has to say."""
    manifest = read_json(FOLDER / "manifest.json")
    assert manifest["domain"] == DOMAIN
    assert manifest["name"] == read_json(ROOT / "hacs.json")["name"]
    required = {"codeowners", "config_flow", "documentation", "integration_type", "iot_class"}
    assert required | {"issue_tracker", "version"} <= manifest.keys()
