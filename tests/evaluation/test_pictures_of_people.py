"""Which faces are told to be a picture: people, and photos that are drawn as prints."""

from pathlib import Path

from tests.evaluation.conftest import ada, figures, run, save


def test_a_person_is_none_and_a_print_is_one(tmp_path: Path) -> None:
    for number in range(3):
        save(ada(angle=2 * number), tmp_path / "clips" / "Ada" / "walk" / f"{number}.jpg")
    save(ada(), tmp_path / "photos" / "ada.jpg")

    rows = figures("pictures", tmp_path / "clips", "--photos", tmp_path / "photos", "--many", 1)["looks"]

    found = {(row["condition"], row["of"]): row for row in rows}
    assert found["as is", "person"] == {
        "condition": "as is",
        "of": "person",
        "looks": 1,
        "frames": 3,
        "judged": 3,
        "below": 0.0,
        "pictures": 0,
    }
    assert found["as is", "photo"]["pictures"] == 0
    assert found["as is", "print"]["pictures"] == 1
    # Without colour and in the dark nobody is refused.
    assert all(row["judged"] == 0 for (name, _), row in found.items() if name in ("grey", "dark"))


def test_without_photos_it_says_so(tmp_path: Path) -> None:
    save(ada(), tmp_path / "clips" / "Ada" / "walk" / "1.jpg")
    (tmp_path / "photos").mkdir()

    done = run("pictures", tmp_path / "clips", "--photos", tmp_path / "photos")

    assert (done.returncode, done.stderr) == (2, f"eval pictures: {tmp_path}/photos has no pictures\n")
