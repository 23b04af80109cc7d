"""Cameras are added as their owner does: first to Home Assistant, then to Familiar Faces, whatever its dialog asks."""

from collections.abc import Mapping
from typing import Any

from demo.client import Client, DemoFailed, Json

from .kinds import COLD, PRELOADED, WARM, Kind

STEPS = 20
PROGRESS_SECONDS = 90
CHOICES = ("save", "finish", "done", "keep", "next", "continue", "go_on")
"""What leads to the end of a menu, the best first."""
KEEP = {WARM: "warm", COLD: "on_trigger", PRELOADED: "on_trigger"}
"""How the dialog is told to use a stream: whether it is preloaded is Home Assistant's own setting."""


def generic(kind: Kind, url: str) -> Json:
    """Return the answers of Home Assistant's dialog for a generic camera."""
    source = {"stream_source": url} if kind.rtsp else {"still_image_url": url}
    return source | {
        "advanced": {
            "framerate": 10,
            "verify_ssl": True,
            "rtsp_transport": kind.transport,
            "authentication": "basic",
        }
    }


async def add_to_home_assistant(client: Client, kind: Kind, url: str, stream: str = "") -> Json:
    """Add a camera by the dialog of its integration; return the entry."""
    flow = await client.flow(kind.platform)
    match kind.platform:
        case "generic":
            await flow.answer("user", generic(kind, url))
            await flow.answer("user_confirm", {"confirmed_ok": True})
        case "mjpeg":
            await flow.answer(
                "user",
                {
                    "name": kind.name,
                    "mjpeg_url": stream,
                    "still_image_url": url,
                    "password": "",
                    "verify_ssl": True,
                },
            )
        case "local_file":
            await flow.answer("user", {"name": kind.name, "file_path": url})
        case _:
            raise DemoFailed(f"{kind.platform} has no dialog.")
    entry: Json = flow.finished()["result"]
    return entry


async def add_to_familiar_faces(client: Client, entry_id: str, *, camera: str, bell: str, state: str) -> str:
    """Walk through the dialog of a camera, whatever steps it has; return what it said on the way."""
    answers: dict[str, Any] = {
        "camera": camera,
        "mode": "on_ring",
        "public_space": False,
        "triggers": [bell],
        "turn": 0,
        "one_picture": False,
    }
    if state:
        answers["stream"] = KEEP[state]
    flow = await client.subentry_flow(entry_id, "camera")
    said = []
    last = ""
    for _ in range(STEPS):
        step = flow.step
        said += [f"{step.get('step_id')}: {value}" for value in flow.placeholders.values()]
        match step["type"]:
            case "create_entry":
                return "; ".join(said)
            case "menu":
                await flow.send({"next_step_id": _choice(step["menu_options"])})
            case "progress" | "progress_done":
                await flow.wait(lambda _second: None, PROGRESS_SECONDS)
            case "form":
                if step.get("errors"):
                    raise DemoFailed(f"The step {step['step_id']} was refused: {step['errors']}.")
                last = step["step_id"]
                await flow.send(fill(last, step["data_schema"], answers))
            case _:
                raise DemoFailed(f"The dialog of {camera} ended: {step.get('reason') or step['type']}.")
    raise DemoFailed(f"The dialog of {camera} had no end; its last form was {last}.")


def _choice(options: list[str] | Mapping[str, str]) -> str:
    for each in CHOICES:
        if each in options:
            return each
    return next(iter(options))


def fill(step_id: str, schema: list[Json], answers: Mapping[str, Any]) -> Json:
    """Return the answers to a form: those wanted where they can be given, what it suggests elsewhere.

    Raises DemoFailed for a field that is required and has no answer.
    """
    filled: Json = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            filled[name] = fill(step_id, field["schema"], answers)
            continue
        suggested = (field.get("description") or {}).get("suggested_value", field.get("default"))
        options = options_of(field)
        if name in answers and (wanted := _matching(answers[name], options)) is not None:
            filled[name] = wanted
        elif suggested is not None:
            filled[name] = suggested
        elif options and field.get("required"):
            filled[name] = options[0]
        elif field.get("required"):
            raise DemoFailed(f"The step {step_id} asks for {name}, which nobody knows here.")
    return filled


def options_of(field: Json) -> list[Any]:
    """Return what a field lets its reader choose from; nothing when it is free."""
    selector = field.get("selector", {}).get("select") or {}
    options = selector.get("options") or [each[0] for each in field.get("options", [])]
    return [each["value"] if isinstance(each, dict) else each for each in options]


def _matching(wanted: Any, options: list[Any]) -> Any:
    """Return an answer in the form that the field has it, None when it is not among what can be chosen."""
    if not options or isinstance(wanted, list):
        return wanted
    return next((each for each in options if str(each) == str(wanted)), None)
