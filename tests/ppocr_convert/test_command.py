"""`ppocr models convert`: from a model to a proven bundle, the same bytes each time, and nothing where it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from ppocr_cli import main
from ppocr_convert import proof
from ppocr_convert.normalisations import IMAGENET
from predictor.bundle import Bundle
from tests.ppocr_convert.conftest import Model
from tests.ppocr_convert.networks import CHARACTERS

ROOT = Path(__file__).parents[2]


def convert(model: Model, out: Path, *more: str) -> int:
    flags = ["--det", str(model.det), "--rec", str(model.rec), "--dict", str(model.dictionary)]
    return main(["models", "convert", *flags, *more, str(out)])


def empty(repository: Path) -> bool:
    return not [path for path in repository.rglob("*") if path.is_file()]


def test_paddles_tars_become_a_proven_bundle(
    described: Model, bundles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The characters, thresholds and names come from the inference.yml; the proof runs Paddle beside the bundle."""
    for part in ("det", "rec"):
        with tarfile.open(tmp_path / f"PP-OCRv4_mobile_{part}_infer.tar", "w") as archive:
            archive.add(getattr(described, part), arcname=f"PP-OCRv4_mobile_{part}_infer")
    flags = [f"--{part}={tmp_path}/PP-OCRv4_mobile_{part}_infer.tar" for part in ("det", "rec")]
    assert main(["models", "convert", *flags, str(bundles)]) == 0
    said = capsys.readouterr().out
    assert "proof on 1 image" in said and said.count("lines, equal; map within 1/255, 0 of") == 1
    bundle = Bundle.open(bundles / "pp-ocrv4_mobile" / "1")
    bundle.verify()
    facts = bundle.facts()
    det, rec = facts.networks
    assert len(rec.labels) == 6625 and rec.labels[-1] == " "
    assert (det.parameters["box_thresh"], det.parameters["limit_side_len"]) == (0.6, 960)
    assert (rec.grid.height.minimum, rec.parameters["stride"]) == (48, 8)
    assert det.normalisation == IMAGENET
    assert bundle.manifest.licence == "Apache-2.0"
    assert bundle.manifest.source.startswith("PP-OCRv4_mobile_det (Paddle pdmodel, SHA-256 ")
    assert bundle.paddle("rec")[0].read_bytes() == (described.rec / "inference.pdmodel").read_bytes()


def test_equal_models_give_equal_bytes(v4: Model, tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert convert(v4, tmp_path / name, "--no_proof") == 0
    one, other = (
        {
            file.relative_to(tmp_path / name): file.read_bytes()
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        for name in ("one", "other")
    )
    assert one == other and len(one) == 8


def test_versions_go_up_and_never_change(tiny: Model, bundles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert convert(tiny, bundles, "--no_proof", "--name", "mine", "--licence", "MIT", "--source", "ours") == 0
    versions = sorted(path.name for path in (bundles / "mine").iterdir())
    assert versions == ["1", "2"]
    manifest = Bundle.open(bundles / "mine" / "2").manifest
    assert (manifest.name, manifest.version, manifest.licence, manifest.source) == ("mine", "2", "MIT", "ours")
    assert convert(tiny, bundles, "--no_proof", "--name", "mine", "--version", "2") == 1
    assert "there is a bundle mine/2 already; versions don't change" in capsys.readouterr().err


def test_characters_in_an_onnx_models_metadata(tiny: Model, bundles: Path) -> None:
    model = onnx.load(tiny.rec)
    onnx.helper.set_model_props(model, {"character": "\n".join(CHARACTERS)})
    onnx.save(model, tiny.rec)
    flags = ["--det", str(tiny.det), "--rec", str(tiny.rec)]
    assert main(["models", "convert", *flags, "--no_proof", "--name", "mine", str(bundles)]) == 0
    assert Bundle.open(bundles / "mine" / "1").facts().networks[1].labels == ("", *CHARACTERS, " ")


def test_a_proof_on_images_without_text_proves_nothing(
    tiny: Model, bundles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(tiny.det)
    (bias,) = [tensor for tensor in model.graph.initializer if tensor.name == "b2"]
    bias.CopyFrom(numpy_helper.from_array(np.full((1, 1, 1, 1), -100, np.float32), "b2"))
    onnx.save(model, tiny.det)
    assert convert(tiny, bundles, "--name", "mine") == 1
    assert "the model read nothing on these images" in capsys.readouterr().out
    assert empty(bundles)


def test_a_bundle_that_reads_otherwise_is_not_kept(
    v4: Model, bundles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rebuilt graph whose best class is spoiled: the proof says what it reads instead, and nothing is written."""
    from ppocr_convert import assembly

    assemble = assembly.assemble

    def spoiled(*arguments: object) -> assembly.Assembled:
        made = assemble(*arguments)  # type: ignore[arg-type]
        model = onnx.load_from_string(made.files["rec.onnx"])
        (bias,) = [tensor for tensor in model.graph.initializer if tensor.name == "best.bias"]
        values = numpy_helper.to_array(bias).copy()
        values[made.characters.index("0")] -= 50
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))
        made.files["rec.onnx"] = model.SerializeToString()
        return made

    monkeypatch.setattr(assembly, "assemble", spoiled)
    assert convert(v4, bundles) == 1
    said = capsys.readouterr().out
    assert "FAILED" in said and "\n    - " in said and "\n    + " in said
    assert empty(bundles)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--det", "{det}"], "name both --det and --rec"),
        (["--det", "nowhere", "--rec", "{rec}"], "there is no file or folder 'nowhere'"),
        (["--det", "PP-OCRv5_mobile_det", "--rec", "{rec}"], "is published at https://"),
        (
            ["--det", "{rec}", "--rec", "{rec}", "--dict", "{dict}"],
            "--det rec.onnx: the detection network doesn't end in",
        ),
        (
            ["--det", "{det}", "--rec", "{det}", "--dict", "{dict}"],
            "--rec det.onnx: the recognition network doesn't end",
        ),
        (["--det", "{det}", "--rec", "{rec}"], "doesn't contain its 36 characters"),
        (["--det", "{det}", "--rec", "{rec}", "--dict", "nowhere.txt"], "--dict nowhere.txt can't be read"),
        (
            ["--det", "{det}", "--rec", "{rec}", "--dict", "{short}"],
            "the dictionary has 3 characters and the recognition",
        ),
        (["--det", "{cut}", "--rec", "{rec}", "--dict", "{dict}"], "--det cut.onnx: this is not a complete ONNX model"),
        (["--det", "{det}", "--rec", "{rec}", "--dict", "{dict}", "--cls", "{det}"], "--cls det.onnx: the orientation"),
        (
            ["--det", "{det}", "--rec", "{rec}", "--dict", "{dict}", "--name", "a/b"],
            "the name in manifest.json is 'a/b'",
        ),
        (["--det", "{det}", "--rec", "{rec}", "--dict", "{dict}", "--name", "../b"], "the name in manifest.json is"),
        (["--det", "{det}", "--rec", "{rec}", "--tolerance", "2"], "--tolerance is 2.0; it is a share"),
        (["--pdserving", "nowhere.yml"], "--pdserving nowhere.yml can't be read"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(
    tiny: Model, bundles: Path, tmp_path: Path, flags: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short.txt").write_text("a\nb\nc\n")
    (tmp_path / "cut.onnx").write_bytes(tiny.det.read_bytes()[:-100])
    paths = {"det": tiny.det, "rec": tiny.rec, "dict": tiny.dictionary}
    paths |= {"short": tmp_path / "short.txt", "cut": tmp_path / "cut.onnx"}
    argv = [flag.format(**paths) for flag in flags]
    before = sorted(tmp_path.rglob("*"))
    assert main(["models", "convert", *argv, "--no_proof", str(bundles)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("ppocr models convert: ") and says in said and "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pdserving_configuration_alone_is_explained(
    bundles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yml").write_text("http_port: 9998\nop:\n  det: {concurrency: 8}\n  rec: {retry: 1}\n")
    assert main(["models", "convert", "--pdserving", str(tmp_path / "config.yml"), str(bundles)]) == 0
    said = capsys.readouterr().out
    assert "ppocr serve --http_port 9998\n" in said
    assert "op.det.concurrency: " in said
    assert "nothing is converted: the models' folders aren't here" in said
    assert "op.rec.retry: a batch that fails is not repeated" in said
    assert empty(bundles)


def test_a_pdserving_configuration_names_the_models(v4: Model, bundles: Path, tmp_path: Path) -> None:
    for part in ("det", "rec"):
        (tmp_path / f"{part}_serving").mkdir()
        for old, new in (("inference.pdmodel", "__model__"), ("inference.pdiparams", "__params__")):
            shutil.copyfile(getattr(v4, part) / old, tmp_path / f"{part}_serving" / new)
    (tmp_path / "config.yml").write_text(
        "op:\n  det: {local_service_conf: {model_config: det_serving}}\n"
        "  rec: {local_service_conf: {model_config: rec_serving}}\n"
    )
    flags = ["--pdserving", str(tmp_path / "config.yml"), "--dict", str(v4.dictionary), "--name", "old", "--no_proof"]
    assert main(["models", "convert", *flags, str(bundles)]) == 0
    assert Bundle.open(bundles / "old" / "1").paddle("det")[0].name == "inference.pdmodel"


def test_the_script_is_the_same_command(tiny: Model, bundles: Path) -> None:
    flags = ["--det", tiny.det, "--rec", tiny.rec, "--dict", tiny.dictionary, "--name", "mine", "--no_proof", bundles]
    done = subprocess.run(
        [ROOT / "scripts" / "convert_models.sh", *map(str, flags)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stderr
    assert Bundle.open(bundles / "mine" / "1").manifest.name == "mine"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_the_distance_of_two_texts(one: str, other: str, expected: int) -> None:
    assert proof.distance(one, other) == expected


def test_the_distance_of_random_texts() -> None:
    """Against the table as the textbooks fill it."""
    rng = np.random.default_rng(2)
    for _ in range(50):
        one, other = ("".join(rng.choice(list("abc"), rng.integers(0, 12))) for _ in range(2))
        row = list(range(len(other) + 1))
        for place, character in enumerate(one, 1):
            former, row = row, [place]
            for column, against in enumerate(other, 1):
                row.append(min(former[column] + 1, row[-1] + 1, former[column - 1] + (character != against)))
        assert proof.distance(one, other) == row[-1]
