"""Which images stand behind the arguments, and where their drawings go."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from ppocr_api.errors import ConfigError, InvalidImage
from ppocr_cli.annotations import targets
from ppocr_cli.pictures import Picture, pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.PNG", "a.jpg", "notes.txt", "below/c.webp", "below/deeper/d.tiff", "empty/e.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_a_folder_is_its_image_files_sorted(folder: Path) -> None:
    assert [picture.name for picture in pictures([str(folder)], False)] == [f"{folder}/a.jpg", f"{folder}/b.PNG"]


def test_recursive_goes_below_and_keeps_the_place(folder: Path) -> None:
    found = pictures([str(folder)], True)
    assert [str(picture.place) for picture in found] == ["a.jpg", "b.PNG", "below/c.webp", "below/deeper/d.tiff"]


def test_a_named_file_is_read_whatever_it_is_called(folder: Path) -> None:
    (picture,) = pictures([str(folder / "notes.txt")], False)
    assert picture.data() == b"x"


def test_a_folder_without_images_is_an_error_that_says_what_would_help(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no image files in .*/empty; --recursive"):
        pictures([str(folder / "empty")], False)
    with pytest.raises(ConfigError, match=r"no image files in .*/empty$"):
        pictures([str(folder / "empty")], True)


def test_standard_input_once(folder: Path) -> None:
    assert len(pictures(["-", str(folder)], False)) == 3
    with pytest.raises(ConfigError, match="once"):
        pictures(["-", "-"], False)


def test_a_file_that_is_not_there_fails_when_it_is_read() -> None:
    (picture,) = pictures(["nowhere.png"], False)
    with pytest.raises(InvalidImage, match="No such file"):
        picture.data()


def picture(name: str) -> Picture:
    return Picture(name, PurePath(name).relative_to(PurePath(name).parts[0]))


def test_one_image_is_drawn_into_the_file_that_is_named(tmp_path: Path) -> None:
    one = picture("in/a.jpg")
    assert targets(str(tmp_path / "out.png"), [one]) == {one: tmp_path / "out.png"}


def test_several_are_drawn_into_a_folder_by_their_whole_names(tmp_path: Path) -> None:
    names = ["in/a.jpg", "in/a.png", "in/below/a.jpg"]
    found = targets(str(tmp_path), [picture(name) for name in names])
    assert list(found.values()) == [tmp_path / "a.jpg.png", tmp_path / "a.png.png", tmp_path / "below/a.jpg.png"]


def test_two_images_never_share_a_drawing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"both one/a\.jpg and two/a\.jpg"):
        targets(str(tmp_path), [picture("one/a.jpg"), picture("two/a.jpg")])
    with pytest.raises(ConfigError, match="name a folder"):
        targets("out.png", [picture("one/a.jpg"), picture("two/b.jpg")])
