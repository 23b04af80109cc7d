"""What the engine says of why it cannot start: a line of JSON for the program that started it."""

import json
from pathlib import Path
import sys
from types import TracebackType

DETAIL = 160
"""Characters of the text that are said; the reader of the line keeps 400 of them."""


def say_why(failed: str, what: str, detail: object) -> None:
    """Print one line: `failed` is `import` or `weights`, `what` the module or file at fault if it is known."""
    said = {"failed": failed, "what": what[:DETAIL], "detail": str(detail)[:DETAIL]}
    sys.stderr.flush()
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


def module_of(err: BaseException) -> str:
    """Return the name of the module that could not be used, empty when nothing tells.

    A file that was cut off is a SyntaxError, a name that is missing, or whatever else came of it: then it is the
    package in whose files it happened last.
    """
    if isinstance(err, ImportError) and err.name:
        return err.name
    if isinstance(err, SyntaxError) and err.filename and (package := _package(err.filename)):
        return package
    found = ""
    trace: TracebackType | None = err.__traceback__
    while trace is not None:
        found = _package(trace.tb_frame.f_code.co_filename) or found
        trace = trace.tb_next
    return found


def _package(filename: str) -> str:
    """Return the installed package that a file belongs to, empty for none."""
    _, found, inner = filename.rpartition("/site-packages/")
    return Path(inner).parts[0].removesuffix(".py") if found and inner else ""
