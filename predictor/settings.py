"""Settings of the predictor."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.listen import ListenSettings, MessageSettings, PageSettings
from ppocr_settings.settings import setting


@dataclass(frozen=True)
class NetworkSettings(PageSettings):
    """Which networks run, where, and in what batches."""

    model_dir: str = setting(
        "Repository of bundles, as NAME/VERSION folders, or one bundle's own folder. Empty: the bundle that is "
        "installed with the package. KServe sets this where the model comes by storageUri.",
        "",
    )
    bundle: str = setting("Name of the bundle to serve. Empty: the only one in the repository.", "")
    bundle_version: str = setting(
        "Version of the bundle to serve. Empty: the highest, and a higher one that comes later where watch_seconds has it "
        "found.",
        "",
    )
    watch_seconds: float = setting(
        "How often to look into the repository for a new version of the bundle, in seconds; a new highest one is loaded and "
        "served without a restart. 0: never.",
        0.0,
        minimum=0.0,
    )
    side_by_side: int = setting(
        "Versions of the bundle that stay in memory, for requests that name one. 1: the one that serves. While a new one is "
        "loaded there is one more.",
        1,
        minimum=1,
        maximum=16,
    )
    swap_grace_seconds: float = setting(
        "How long a version that was replaced goes on answering: an image whose detection it did gets its lines read by it "
        "too. Longer than a transformer takes from the one to the other under load.",
        10.0,
        minimum=0.0,
    )
    swap_warm_up_seconds: float = setting(
        "How long at most to run a new version on the sizes of input that are in use, before it replaces the one that serves. "
        "On a GPU, where each size takes a second, 120 is better.",
        5.0,
        minimum=0.0,
    )
    engine: str = setting(
        "Library that runs the networks. auto: onnxruntime on a GPU that it can use, else openvino, which is the "
        "fastest on CPUs; paddle reads models in Paddle's own format.",
        "auto",
        choices=("auto", "openvino", "onnxruntime", "paddle"),
    )
    device: str = setting(
        "Where the networks run. auto: on a GPU where there is one. gpu makes the start fail where there is none, "
        "which is better than a slow pod on a node that you pay for its GPU.",
        "auto",
        choices=("auto", "cpu", "gpu"),
    )
    device_id: int = setting("Number of the GPU, as this process counts them.", 0, minimum=0)
    precision: str = setting(
        "Numbers that the networks compute with. auto: bf16 on a CPU that has it, which is up to twice as fast and "
        "reads the same; else what the engine does best. f32 where you compare results bit by bit.",
        "auto",
        choices=("auto", "f32", "bf16", "f16"),
    )
    threads: int = setting(
        "Threads a forward uses on a CPU. 0: one per processor that the process may use. Fewer leave processors to a "
        "transformer on the same machine.",
        0,
        minimum=0,
    )
    tensorrt: bool = setting(
        "Compile the networks with TensorRT (onnxruntime and paddle on a GPU): faster, but the first start takes "
        "minutes; keep what it compiled by engine_cache_dir.",
        False,
    )
    engine_cache_dir: str = setting("Folder in which an engine may keep what it compiled, for the next start.", "")
    workers: int = setting(
        "Forwards that run at a time; the threads are shared out among them. 0: on a CPU one per processor and 4 at most, as "
        "small lines leave the threads of one forward waiting for each other; on a GPU four, of "
        "different sizes of input, and two with TensorRT, so that one copies while the other computes.",
        0,
        minimum=0,
        maximum=16,
    )
    max_batch_pixels: int = setting(
        "Most pixels in a batch (a line of 48x320 has 15,360); a single larger image still runs. 0: what the engine "
        "finds enough: few on a CPU, where large batches gain nothing and make others wait; many on a GPU. Raise it "
        "on a GPU that isn't busy although requests wait.",
        0,
        minimum=0,
    )
    max_batch_items: int = setting("Most lines or images in a batch.", 64, minimum=1)
    batch_wait_ms: float = setting(
        "How long a batch that isn't full waits for company while the device is idle, in milliseconds. 0 is right "
        "on a CPU, and on a GPU under load; 1 or 2 helps a GPU that many small requests reach evenly.",
        0.0,
        minimum=0.0,
        maximum=1000.0,
    )
    max_queue_pixels: int = setting(
        "Most pixels that may wait for each network; more is answered 429. It bounds latency: an image of 960x736 has 0.7 "
        "million. 0: 16 million per processor on a CPU, 256 million on a GPU.",
        0,
        minimum=0,
    )
    warm_up_seconds: float = setting(
        "How long to run the networks on usual sizes before the service is ready, so that the first requests aren't "
        "slow. More is worth it where new pods get traffic at once, and on a GPU, where each size takes a second: 120.",
        0.5,
        minimum=0.0,
    )
    prepare_sizes: bool = setting(
        "Go on after the warm-up, beside the requests, until the networks have met all usual sizes of lines: then none is the "
        "first of its size, which takes longer, and what memory the networks need shows in the first minute. It concerns "
        "openvino, and onnxruntime on CUDA, which make kernels for each size.",
        True,
    )
    hang_seconds: float = setting(
        "A forward that runs longer than this has hung: the service says that it isn't live, and Kubernetes "
        "restarts it. Several times what the largest image takes.",
        60.0,
        minimum=1.0,
    )


@dataclass(frozen=True)
class PredictorSettings(ListenSettings, NetworkSettings, MessageSettings):
    """The predictor as a service of its own, behind transformers."""

    model_name: str = setting(
        "Set by KServe, and not used: the models have the names of the bundle's networks.", "ppocr"
    )
    repository_api: bool = setting(
        "Open the V2 model repository extension: index, load and unload of the bundle's versions. Whoever reaches the "
        "predictor can then change what it serves; keep it inside of the cluster.",
        False,
    )
