"""Home Assistant's own backup of its configuration folder."""

from datetime import UTC, datetime
from pathlib import Path

from homeassistant.components.backup.manager import CoreBackupReaderWriter
from homeassistant.const import __version__ as HA_VERSION
from homeassistant.core import HomeAssistant


async def back_up(hass: HomeAssistant, target: Path) -> None:
    """Back up the configuration folder as Home Assistant does, while it runs."""
    data = {
        "compressed": True,
        "date": datetime(2026, 3, 1, tzinfo=UTC).isoformat(),
        "extra": {},
        "homeassistant": {"exclude_database": True, "version": HA_VERSION},
        "name": "Test",
        "protected": False,
        "slug": "test",
        "type": "partial",
        "version": 2,
    }
    writer = CoreBackupReaderWriter(hass)
    await hass.async_add_executor_job(writer._mkdir_and_generate_backup_contents, data, False, None, target)
