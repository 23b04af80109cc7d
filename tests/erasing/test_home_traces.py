"""Looking through what Home Assistant keeps in files, whatever their size."""

from pathlib import Path
import tracemalloc

from custom_components.familiar_faces.erasing.mentions import _files
from custom_components.familiar_faces.erasing.stored import files_left
from custom_components.familiar_faces.internals.wanted import Wanted

PERSON_ID = "0123456789abcdef0123456789abcdef"
WANTED = Wanted(frozenset({PERSON_ID}), frozenset({"Zyxandra"}))
LINE = "2026-11-22 10:00:00.000 WARNING (MainThread) [homeassistant.components.sensor] It is not as it should be\n"


def test_own_files_and_others_are_told_apart(tmp_path: Path) -> None:
    storage = tmp_path / ".storage"
    storage.mkdir()
    (storage / "folder").mkdir()
    (storage / "core.entity_registry").write_text(f'{{\n"unique_id": "{PERSON_ID}_seen"\n}}')
    # A name alone may be somebody else's.
    (storage / "core.device_registry").write_text('{"name": "Zyxandra"}')
    (storage / "lovelace").write_text('{"title": "Where is Zyxandra?"}')
    (storage / "auth").write_text('{"name": "Zyxandrana"}')
    (tmp_path / "automations.yaml").write_bytes(b"\xff\xfe - alias: Zyxandra\n")
    (tmp_path / "scripts.yaml").write_text("- alias: nobody\n")
    assert files_left(tmp_path, WANTED) == 1
    assert sorted(_files(tmp_path, WANTED)) == [".storage/lovelace", "automations.yaml"]


def test_a_large_log_is_read_line_by_line(tmp_path: Path) -> None:
    """As one text it would take as much memory, and hold up everything else in this process for seconds."""
    log = tmp_path / "home-assistant.log"
    log.write_text(LINE * 100_000 + "Zyxandra is there\n")
    assert log.stat().st_size > 10_000_000
    tracemalloc.start()
    try:
        assert _files(tmp_path, WANTED) == ["home-assistant.log"]
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
