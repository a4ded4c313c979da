"""The retired servers as contestants: each started as its users started it, with the settings that made it fastest here.

All run PP-OCRv4 mobile on the CPU in f32, with oneDNN on and as many threads as there are cores.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from bench import environments
from bench.contestants import Facts, Pass
from bench.processes import Program, Usage
from bench.retired import sources
from bench.service import drive, request
from bench.v4_models import LONG_SIDE
from bench.wire import HUB, PADDLEX, PIPELINE, WireFormat

MODELS = "v4 mobile, old formats"
PATIENCE = 180.0


@dataclass(frozen=True)
class Server:
    """What starts a server, in the foreground: `command` in the folder `cwd` with `environ`; it answers `wire` on `port`."""

    command: Sequence[str | Path]
    cwd: Path
    environ: dict[str, str]


class Retired:
    """A retired server that a number of clients read over HTTP in its own wire format."""

    ours = False
    models = MODELS

    def __init__(self, name: str, wire: WireFormat, port: int, make: Callable[[], Server], clients: int = 8):
        self.name, self.facts = name, Facts()
        self._wire, self._port, self._make, self._clients = wire, port, make, clients
        self._running: Program | None = None

    def start(self, images: Sequence[Path]) -> None:
        server = self._make()
        began = time.perf_counter()
        self._running = Program(server.command, server.environ, cwd=server.cwd)
        while not self._reads(images[0]):
            if self._running.process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"{self.name} doesn't answer:\n{self._running.tail()}")
            time.sleep(1)
        self.facts.reported = {"ready_seconds": time.perf_counter() - began, "clients": self._clients}

    def _reads(self, image: Path) -> bool:
        try:
            answers, _ = drive(self._port, [request(image, self._wire)], 1)
            answers[0].lines(self._wire)
        except (urllib.error.URLError, OSError, RuntimeError, ValueError):
            return False
        return True

    def read(self, images: Sequence[Path]) -> Pass:
        if self._running is None:
            raise RuntimeError(f"{self.name} isn't started")
        with Usage(self._running.process.pid) as usage:
            answers, wall = drive(self._port, [request(image, self._wire) for image in images], self._clients)
        texts = {answer.name: answer.lines(self._wire) for answer in answers}
        return Pass(texts, [answer.seconds for answer in answers], wall, usage.peak_bytes, usage.cpu)

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


def retired(checkout: Path) -> list[Retired]:
    """All of them. `checkout` is a git directory of PaddleOCR."""
    return [
        Retired("PaddleServing as published", PIPELINE, 9998, lambda: pipeline(checkout, tuned=False)),
        Retired("PaddleServing tuned", PIPELINE, 9999, lambda: pipeline(checkout, tuned=True)),
        Retired("PaddleHub tuned", HUB, 8868, lambda: hub(checkout)),
        Retired("PaddleX tuned", PADDLEX, 8080, paddlex),
    ]


def python38() -> str:
    found = os.environ.get("PYTHON38") or shutil.which("python3.8")
    if not found:
        raise RuntimeError("it needs Python 3.8, and there is no python3.8 on PATH: set PYTHON38")
    return found


def cores() -> int:
    return len(os.sched_getaffinity(0))


def pipeline(checkout: Path, *, tuned: bool) -> Server:
    """PaddleServing's pipeline.

    As published but for the models and the device: 8 detection and 4 recognition processes of 2 threads each, and a short
    side of at least 736. Tuned: one process for each network with a thread for each core, and a long side of 960.
    """
    sources.code(checkout)
    sources.serving_models()
    program = environments.python("paddleserving", python38())
    sources.runs_without_avx512(
        next(program.parents[1].glob("lib/*/site-packages/paddle_serving_app/local_predict.py"))
    )
    config = yaml.safe_load((sources.PDSERVING / "config.yml").read_text(encoding="utf-8"))
    for part in ("det", "rec"):
        op = config["op"][part]
        op["local_service_conf"].update(model_config=f"./v4_{part}", devices="", device_type=0)
        if tuned:
            op["concurrency"] = 1
            settings = {"use_mkldnn": True, "mkldnn_cache_capacity": 10, "precision": "fp32"}
            op["local_service_conf"].update(thread_num=cores(), **settings)
    if tuned:
        config["dag"]["use_profile"] = False
        config.update(http_port=9999, rpc_port=18092)
    # Beside the published one: it looks for its dictionary by a relative path.
    folder = sources.PDSERVING.with_name("pdserving-tuned" if tuned else "pdserving-published")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sources.PDSERVING, folder)
    (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    script = "web_service_long_side.py" if tuned else "web_service.py"
    home = folder / "home"
    home.mkdir()
    return Server([program, script], folder, {"SERVING_HOME": str(home), "CUDA_VISIBLE_DEVICES": ""})


def hub(checkout: Path) -> Server:
    """PaddleHub Serving's ocr_system under gunicorn: a process of one thread for each core, and no classifier of lines."""
    code, program = sources.code(checkout), environments.python("paddlehub", python38())
    sources.runs_without_avx512(code / "tools" / "infer" / "utility.py")
    module = code / "deploy" / "hubserving" / "ocr_system"
    models = sources.models()
    settings = {
        "det_model_dir": str(models / "models" / "ch_PP-OCRv4_det_infer"),
        "rec_model_dir": str(models / "models" / "ch_PP-OCRv4_rec_infer"),
        "cls_model_dir": str(models / "models" / "ch_ppocr_mobile_v2_cls_infer"),
        "det_limit_side_len": LONG_SIDE,
        "use_angle_cls": False,
        "cpu_threads": 1,
    }
    _append_settings(module / "params.py", settings)
    environ = {"HUB_HOME": str(sources.ROOT / "hub"), "PYTHONPATH": str(code), "CUDA_VISIBLE_DEVICES": ""}
    init = {"directory": str(module.relative_to(code)), "use_gpu": False, "enable_mkldnn": True}
    config = {
        "modules_info": {"ocr_system": {"init_args": init, "predict_args": {}}},
        "port": 8868,
        "use_multiprocess": True,
        "workers": cores(),
    }
    file = sources.ROOT / "hub.json"
    file.write_text(json.dumps(config))
    return Server([program.with_name("hub"), "serving", "start", "-c", file], code, environ)


def _append_settings(file: Path, settings: dict[str, object]) -> None:
    """Settings are what the module's `read_params` returns, so it is wrapped in one that sets ours besides."""
    published, _, _ = file.read_text(encoding="utf-8").partition("\n\n# ours\n")
    wrapped = "\n\n# ours\n_published = read_params\n\n\ndef read_params():\n    cfg = _published()\n"
    wrapped += "".join(f"    cfg.{name} = {value!r}\n" for name, value in settings.items())
    file.write_text(published + wrapped + "    return cfg\n", encoding="utf-8")


def paddlex() -> Server:
    """PaddleX's basic serving of its OCR pipeline, without the stages that turn and unwarp pages."""
    folder = sources.ROOT / "paddlex"
    folder.mkdir(parents=True, exist_ok=True)
    v4 = environments.v4_folder()
    modules = {part: {"model_name": f"PP-OCRv4_mobile_{part}", "model_dir": str(v4 / part)} for part in ("det", "rec")}
    det = {"module_name": "text_detection", "limit_side_len": LONG_SIDE, "limit_type": "max", "max_side_limit": 4000}
    det |= {"thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5, **modules["det"]}
    rec = {"module_name": "text_recognition", "batch_size": 6, "score_thresh": 0.0, **modules["rec"]}
    pipeline = {"pipeline_name": "OCR", "text_type": "general", "use_doc_preprocessor": False}
    pipeline |= {"use_textline_orientation": False, "SubModules": {"TextDetection": det, "TextRecognition": rec}}
    file = folder / "OCR.yaml"
    file.write_text(json.dumps(pipeline))  # JSON is YAML too
    program = environments.python("paddleocr").with_name("paddlex")
    environ = {"PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True", "PADDLE_PDX_CACHE_HOME": str(folder / "cache")}
    environ["PADDLE_PDX_CPU_NUM_THREADS"] = str(cores())
    command: list[str | Path] = [
        program,
        "--serve",
        "--pipeline",
        file,
        "--device",
        "cpu",
        "--host",
        "127.0.0.1",
        "--port",
        "8080",
    ]
    return Server(command, folder, environ)
