"""Prints the tests that failed in a report of pytest's (JUnit XML, family xunit1), a line each, as pytest names them."""

from pathlib import Path
import sys
from xml.etree import ElementTree as ET


def failed_tests(report: str) -> list[str]:
    """Return the ids of the tests that failed or could not be set up; raise ValueError for one without a file."""
    found: dict[str, None] = {}
    # Written by pytest on this machine a moment ago.
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314
        if case.find("failure") is None and case.find("error") is None:
            continue
        file, name = case.get("file"), case.get("name")
        if not file or not name:
            raise ValueError(f"the report does not say where {name} is")
        found[f"{file}::{name}"] = None
    return list(found)


if __name__ == "__main__":
    print("\n".join(failed_tests(Path(sys.argv[1]).read_text(encoding="utf-8"))))
