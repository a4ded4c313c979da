"""What a network may lie in: folders, tars, files, of Paddle's, PaddleServing's and ONNX's making."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.to_onnx import read_program
from ppocr_convert.sources import Source, open_source
from tests.ppocr_convert.conftest import Model


def tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def same(one: Source, other: Source) -> bool:
    return (one.program, one.parameters, one.description) == (other.program, other.parameters, other.description)


def test_a_folder_and_what_stands_for_it(v4: Model, tmp_path: Path) -> None:
    source = open_source(str(v4.det))
    assert source.is_paddle and source.program_file == "inference.pdmodel"
    assert source.parameters == (v4.det / "inference.pdiparams").read_bytes()
    assert same(source, open_source(str(v4.det / "inference.pdmodel")))
    nested = tmp_path / "nested" / "det_infer"
    nested.mkdir(parents=True)
    for name, content in files_of(v4.det).items():
        (nested / name).write_bytes(content)
    assert same(source, open_source(str(tmp_path / "nested")))


@pytest.mark.parametrize("name", ["model.tar", "model.tgz"])
@pytest.mark.parametrize("prefix", ["", "./", "PP-OCRv4_mobile_det_infer/"])
def test_a_tar(v4: Model, tmp_path: Path, name: str, prefix: str) -> None:
    packed = tar(tmp_path / name, {prefix + file: content for file, content in files_of(v4.det).items()})
    assert same(open_source(str(packed)), open_source(str(v4.det)))


def test_a_tar_unpacks_nothing(v4: Model, tmp_path: Path) -> None:
    packed = tmp_path / "model.tar"
    tar(packed, {f"../../{name}": content for name, content in files_of(v4.det).items()})
    before = sorted(tmp_path.rglob("*"))
    assert open_source(str(packed)).is_paddle
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("program", "parameters"), [("__model__", "__params__"), ("model", "params")])
def test_a_folder_of_paddle_serving_and_of_paddle_1(v4: Model, tmp_path: Path, program: str, parameters: str) -> None:
    (tmp_path / program).write_bytes((v4.det / "inference.pdmodel").read_bytes())
    (tmp_path / parameters).write_bytes((v4.det / "inference.pdiparams").read_bytes())
    (tmp_path / "serving_server_conf.prototxt").write_text('feed_var {\n  name: "x"\n  shape: 3\n}\n')
    source = open_source(str(tmp_path))
    assert source.program_file == "inference.pdmodel" and source.serving
    assert source.parameters == (v4.det / "inference.pdiparams").read_bytes()


def test_a_file_for_each_parameter(v4: Model, tmp_path: Path) -> None:
    """Paddle 1's way. One after the other in the order of their names, the files are what one file would be."""
    content = (v4.det / "inference.pdiparams").read_bytes()
    program = (v4.det / "inference.pdmodel").read_bytes()
    names = sorted(read_program(program, "").parameters)
    (tmp_path / "__model__").write_bytes(program)
    (tmp_path / names[0]).write_bytes(content)
    with pytest.raises(BundleError, match="has __model__ but not __params__"):
        open_source(str(tmp_path))
    for name in names[1:]:
        (tmp_path / name).write_bytes(b"")
    assert open_source(str(tmp_path)).parameters == content


def test_pir_goes_before_its_older_twin(v4: Model, tmp_path: Path) -> None:
    for name, content in files_of(v4.det).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "inference.json").write_bytes(b"{}")
    assert open_source(str(tmp_path)).program_file == "inference.json"


def test_what_is_missing_is_named(v4: Model, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"there is no network in .*it has nothing"):
        open_source(str(tmp_path))
    (tmp_path / "readme.txt").write_text("")
    with pytest.raises(BundleError, match=r"neither inference\.pdmodel, .* it has readme\.txt"):
        open_source(str(tmp_path))
    with pytest.raises(BundleError, match=r"readme\.txt is neither a folder, a tar"):
        open_source(str(tmp_path / "readme.txt"))
    (tmp_path / "inference.pdmodel").write_bytes((v4.det / "inference.pdmodel").read_bytes())
    with pytest.raises(BundleError, match=r"has inference\.pdmodel but not inference\.pdiparams"):
        open_source(str(tmp_path))


def test_two_networks_are_one_too_many(v4: Model, tmp_path: Path) -> None:
    both = {f"{part}/{name}": content for part in ("det", "rec") for name, content in files_of(v4.det).items()}
    with pytest.raises(BundleError, match="has several networks, in det, rec"):
        open_source(str(tar(tmp_path / "both.tar", both)))


def test_a_tar_that_is_cut_off(v4: Model, tmp_path: Path) -> None:
    packed = tar(tmp_path / "model.tar", files_of(v4.det))
    packed.write_bytes(packed.read_bytes()[:100_000])
    with pytest.raises(BundleError, match=r"model\.tar is not a complete tar"):
        open_source(str(packed))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("PP-OCRv5_mobile_det", "/PP-OCRv5_mobile_det_infer.tar"),
        ("models/PP-OCRv6_medium_rec_infer.tar", "/PP-OCRv6_medium_rec_infer.tar"),
        ("latin_PP-OCRv5_mobile_rec/", "/latin_PP-OCRv5_mobile_rec_infer.tar"),
    ],
)
def test_a_published_model_that_isnt_there_has_an_address(name: str, address: str) -> None:
    with pytest.raises(BundleError, match=f"is published at https://.*{address}; nothing is downloaded here"):
        open_source(name)


def test_any_other_name_is_just_not_there() -> None:
    with pytest.raises(BundleError, match=r"^there is no file or folder 'my_model'$"):
        open_source("my_model")
