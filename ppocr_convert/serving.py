"""PaddleServing's files: serving_server_conf.prototxt of a model, and config.yml of its pipeline server (pdserving)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.program import Program
from ppocr_convert.sources import SERVING

_SHAPE = re.compile(r"feed_var\s*\{(?P<body>[^}]*)\}")


def check(content: bytes, program: Program) -> None:
    """Raises BundleError if serving_server_conf.prototxt describes another network than the program beside it."""
    text = content.decode("utf-8", errors="replace")
    feeds = [match["body"] for match in _SHAPE.finditer(text)]
    if not feeds:
        return
    names = re.findall(r"\bname:\s*\"([^\"]*)\"", text)
    declared = [int(size) for size in re.findall(r"\bshape:\s*(-?\d+)", feeds[0])]
    (name, shape), *_ = program.feeds.items()
    # The shape has no batch dimension, and may be that of the training.
    if len(feeds) != 1 or (declared and declared[0] != shape[1]):
        raise BundleError(
            f"{SERVING} describes {len(feeds)} inputs of the shape {declared}; the program beside it has one, {name}, of "
            f"{list(shape)} ({SERVING} names {', '.join(names)})"
        )


@dataclass(frozen=True)
class Pipeline:
    """A pdserving config.yml in this project's terms."""

    settings: Mapping[str, str]
    """Setting → value."""
    models: Mapping[str, Path]
    """det, rec → the folder of the network."""
    ignored: Mapping[str, str]
    """Key → why it has no effect here."""


#: Keys without a counterpart, and why.
_IGNORED = {
    "worker_num": "number of threads in which requests waited; here max_images limits requests, and more are answered 429",
    "concurrency": "number of processes, each with its own network; here the setting workers has this purpose",
    "dag.prometheus_port": "the metrics are on http_port, GET /metrics",
    "build_dag_each_worker": "the service is one process; the chart sets replicas",
    "dag.is_thread_op": "networks always run in threads",
    "dag.retry": "clients retry refused requests; nothing is computed twice",
    "dag.use_profile": "/metrics always has the time of each stage",
    "dag.tracer.interval_s": "no report is written",
    "dag.client_type": "the networks run in the process or behind gRPC",
    "dag.channel_size": "the queue is bounded in pixels (max_queue_pixels)",
    "retry": "a batch that fails is not repeated",
    "batch_size": "lines of different requests share batches automatically",
    "auto_batching_timeout": "the setting batch_wait_ms has this purpose; 0 is best with many clients",
    "client_type": "there is only one kind",
    "fetch_list": "the networks' outputs are known",
    "ir_optim": "engines always optimise",
    "mem_optim": "engines always optimise memory",
    "use_mkldnn": "the engine paddle always uses it on a CPU",
    "use_calib": "calibrated int8 is not supported",
    "use_lite": "Paddle Lite is not supported",
    "use_xpu": "XPUs are not supported",
    "min_subgraph_size": "TensorRT always runs the whole network",
    "server_endpoints": "the transformer finds its predictor by predictor_host",
}
#: Where the pipeline's tracer wrote its reports.
TRACER = "PipelineServingLogs/pipeline.tracer"
_PRECISIONS = {"fp32": "f32", "fp16": "f16", "bf16": "bf16"}


def pipeline(content: bytes, folder: Path) -> Pipeline:
    """Reads config.yml; the folders of models are relative to `folder`. Raises BundleError if it isn't such a file."""
    import yaml  # type: ignore[import-untyped]

    try:
        raw = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(f"the pdserving configuration is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("op"), dict):
        raise BundleError("the pdserving configuration has no section 'op' with the networks det and rec")
    return _Reading(folder).of(raw)


class _Reading:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings: dict[str, str] = {}
        self._models: dict[str, Path] = {}
        self._ignored: dict[str, str] = {}

    def of(self, raw: dict[str, Any]) -> Pipeline:
        direct = {"http_port": "http_port", "rpc_port": "grpc_port"}
        for key, value in raw.items():
            if key == "op":
                continue
            if key in direct:
                self._settings[direct[key]] = str(value)
            elif isinstance(value, dict):
                self._ignore(key, value)
            else:
                self._ignored[key] = _IGNORED.get(key, "unknown here")
        networks = {part: how for part, how in raw["op"].items() if isinstance(how, dict)}
        for part, how in networks.items():
            self._network(part, how)
        if len(networks) == 1 and (alone := next(iter(networks))) in ("det", "rec"):
            self._settings["pdserving_answer"] = alone
        return Pipeline(self._settings, self._models, self._ignored)

    def _network(self, part: str, how: dict[str, Any]) -> None:
        """Reads one of op.det and op.rec."""
        for key, value in how.items():
            where = f"op.{part}.{key}"
            if key == "local_service_conf" and isinstance(value, dict):
                self._engine(part, value)
            elif key == "timeout" and isinstance(value, int | float) and value > 0:
                # There it limits one network, here the whole request.
                before = float(self._settings.get("request_timeout_seconds", 0))
                self._settings["request_timeout_seconds"] = str(before + value / 1000)
            elif key == "timeout":
                self._ignored[where] = "-1 means no limit; request_timeout_seconds keeps its value"
            else:
                self._ignored[where] = _IGNORED.get(key, "unknown here")

    def _engine(self, part: str, how: dict[str, Any]) -> None:
        for key, value in how.items():
            where = f"op.{part}.local_service_conf.{key}"
            if key == "model_config":
                self._models[part] = self._folder / str(value)
            elif key == "device_type" and value in (0, 1, 2):
                self._settings["device"] = "gpu" if value else "cpu"
                if value == 2:
                    self._settings["tensorrt"] = "true"
            elif key == "devices":
                cards = [card for card in str(value).split(",") if card.strip()]
                if cards:
                    self._settings |= {"device": self._settings.get("device", "gpu"), "device_id": cards[0].strip()}
                if len(cards) > 1:
                    self._ignored[where] = f"a predictor uses one GPU; run {len(cards)} replicas for the GPUs {value}"
            elif key == "thread_num":
                self._settings["threads"] = str(value)
            elif key == "precision" and str(value).lower() in _PRECISIONS:
                self._settings["precision"] = _PRECISIONS[str(value).lower()]
            else:
                self._ignored[where] = _IGNORED.get(key, "unknown here")

    def _ignore(self, prefix: str, section: dict[str, Any]) -> None:
        for key, value in section.items():
            where = f"{prefix}.{key}"
            if isinstance(value, dict):
                self._ignore(where, value)
            elif where == "dag.tracer.interval_s" and isinstance(value, int | float) and value > 0:
                self._settings |= {"tracer": TRACER, "tracer_seconds": str(value)}
            elif where == "dag.enable_prometheus" and value is True:
                self._settings["pdserving_metrics"] = "true"
            else:
                self._ignored[where] = _IGNORED.get(where, "unknown here")
