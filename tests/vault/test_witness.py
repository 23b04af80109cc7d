"""The mark by which an older vault is told from the one that was here, and the people it holds."""

from pathlib import Path
import shutil
import stat

import pytest

from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.witness import Mark, read_mark, write_mark
from tests.vault.makers import DAY, MARIA, NOW, OTTO, a_photo, enrol


def restored(vault: Vault, folder: Path, tmp_path: Path) -> tuple[Vault, Mark]:
    """Let a vault live on after a copy was made; return the copy, opened, and the mark of what was here."""
    vault.close()
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    later = Vault.open(folder)
    later.forget(MARIA, NOW)
    mark = later.witness.mark()
    later.close()
    return Vault.open(copy), mark


def test_an_older_copy(vault: Vault, folder: Path, tmp_path: Path) -> None:
    enrol(vault)
    assert not vault.witness.older_than(vault.witness.mark())
    copy, mark = restored(vault, folder, tmp_path)
    assert copy.witness.older_than(mark)
    # However far it comes on its own: it is not the one that wrote the mark.
    for _ in range(5):
        copy.audit("exported", None, {}, NOW)
    assert copy.witness.mark().number > mark.number
    assert copy.witness.older_than(mark)
    copy.close()


def test_a_mark_that_lags_behind(vault: Vault) -> None:
    enrol(vault)
    mark = vault.witness.mark()
    vault.audit("exported", None, {}, NOW)
    assert not vault.witness.older_than(mark)


def test_a_mark_of_purged_entries(vault: Vault) -> None:
    vault.audit("exported", None, {}, NOW - 400 * DAY)
    mark = vault.witness.mark()
    newest = Mark(mark.number + 1, mark.link)
    vault.purge(NOW, Retention(audit=365 * DAY))
    assert not vault.witness.older_than(mark)
    assert vault.witness.older_than(Mark(mark.number, "00"))
    assert vault.witness.older_than(newest)


def test_without_a_mark(vault: Vault, folder: Path) -> None:
    enrol(vault)
    assert not vault.witness.older_than(None), "a vault that never had a mark lacks none"
    vault.witness.watch()
    vault.witness.watch()
    vault.close()
    vault = Vault.open(folder)
    assert vault.witness.older_than(None)
    assert not vault.witness.older_than(vault.witness.mark())
    vault.close()


def test_another_vault(vault: Vault, tmp_path: Path) -> None:
    enrol(vault)
    other = Vault.open(tmp_path / "other")
    enrol(other)
    assert vault.witness.older_than(other.witness.mark())
    other.close()


def test_holding_and_releasing(vault: Vault, folder: Path) -> None:
    enrol(vault)
    enrol(vault, OTTO)
    vault.links.invite(person_id=None, expires_at=NOW + DAY, now=NOW)
    vault.review.add(ReviewItem("visit", "camera", "stranger", NOW), a_photo(3))
    assert vault.witness.held() == frozenset()
    assert vault.witness.hold_everybody(NOW) == {MARIA, OTTO}
    stored = vault.stored()
    assert (stored.people, stored.invitations, stored.review) == (2, 0, 0)
    vault.close()
    vault = Vault.open(folder)
    assert vault.witness.held() == {MARIA, OTTO}
    vault.witness.release(MARIA, NOW)
    vault.witness.release(MARIA, NOW)
    assert vault.witness.held() == {OTTO}
    vault.forget(OTTO, NOW)
    assert vault.witness.held() == frozenset()
    kinds = [each.kind for each in vault.audit_entries()]
    assert kinds.count("kept_after_restore") == 1
    assert vault.verify_audit().ok
    vault.close()


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "witness.json"
    assert read_mark(path) is None
    write_mark(path, Mark(7, "abc"))
    assert read_mark(path) == Mark(7, "abc")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for text in ("", "{}", "[]", '{"number": "x", "link": ""}', "\x00"):
        path.write_text(text)
        assert read_mark(path) is None
    (tmp_path / "in the way").write_text("")
    with pytest.raises(VaultUnwritable):
        write_mark(tmp_path / "in the way" / "witness.json", Mark(7, "abc"))
