"""Films are of their format, and people come between two key frames."""

from pathlib import Path

from camera_lab import films
import pytest

from tests.camera_lab.conftest import film, visitor


@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
async def test_units_are_whole_pictures_with_their_key_frames(film_folder: Path, codec: str) -> None:
    made = await film(film_folder, codec, 2)
    keys = [number for number, unit in enumerate(made.units) if unit.key]
    assert keys == list(range(0, len(made.units), 1 if codec == "mjpeg" else 20))
    assert made.loop == 40
    assert made.loop < made.begins < len(made.units) - 10 * films.VISIT_SECONDS + 1
    if codec != "mjpeg":
        assert made.begins % 20
        assert len(made.headers) == (2 if codec == "h264" else 3)


async def test_a_damaged_film_is_made_anew(film_folder: Path, tmp_path: Path) -> None:
    form = films.Format("h264", 320, 180, 1, fps=5)
    whole = await films.make(tmp_path, form, visitor(film_folder))
    (path,) = tmp_path.glob("*.h264")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = await films.make(tmp_path, form, visitor(film_folder))
    assert len(again.units) == len(whole.units)
