"""Files that were uploaded for a dialog and wait to be taken: `file_upload` keeps them until Home Assistant stops."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant, callback

_FILE_UPLOAD = "file_upload"


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still knows its uploads as is expected here; yes before the first one."""
    data: Any = hass.data.get(_FILE_UPLOAD)
    return data is None or isinstance(getattr(data, "files", None), Mapping)


@callback
def async_waiting(hass: HomeAssistant) -> dict[str, str]:
    """Return the names of the files that wait, by their ids."""
    data: Any = hass.data.get(_FILE_UPLOAD)
    files = getattr(data, "files", None)
    return dict(files) if isinstance(files, Mapping) else {}


def remove(hass: HomeAssistant, file_id: str) -> None:
    """Delete a file that waits; one that is gone is fine. Blocks; raises OSError."""
    try:
        with process_uploaded_file(hass, file_id):
            pass
    except ValueError, KeyError:
        # Taken at this moment.
        return
