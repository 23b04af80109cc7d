"""The first hour in the real frontend, by clicks alone."""

import json
from pathlib import Path

import pytest

from demo.first_hour import MOST_TO_NAME, MOST_TO_PHONE
from tests.common.in_chromium import demo, needs_chromium


@needs_chromium
@pytest.mark.timeout(600)
def test_few_clicks_lead_to_a_name_and_a_notification(tmp_path: Path) -> None:
    """On a phone and in German, as by `script/demo --scenario first-hour` in all languages and at both widths."""
    done = demo(tmp_path, "--scenario", "first-hour", "--language", "de", "--width", "375")
    clicks = json.loads(done.stdout.splitlines()[-1])["clicks"]["de-375"]
    # A walk that counts nothing would prove nothing.
    assert 10 < clicks["name"] <= MOST_TO_NAME
    assert clicks["name"] < clicks["phone"] <= MOST_TO_PHONE
