"""A vault in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.familiar_faces.vault.store import Vault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> Iterator[Vault]:
    vault = Vault.open(folder)
    yield vault
    vault.close()
