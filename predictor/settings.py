"""Settings of the predictor."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.listen import ListenSettings, MessageSettings, PageSettings
from ppocr_settings.settings import setting


@dataclass(frozen=True)
class NetworkSettings(PageSettings):
    """Which networks run, on which device, and in which batches."""

    model_dir: str = setting(
        "Repository of bundles, as NAME/VERSION folders, or the folder of one bundle. Empty: the bundle "
        "installed with the package. KServe sets this if storageUri is used.",
        "",
    )
    bundle: str = setting("Name of the bundle to serve. Empty: the only one in the repository.", "")
    bundle_version: str = setting(
        "Version of the bundle to serve. Empty: the highest, including new ones found with watch_seconds.",
        "",
    )
    watch_seconds: float = setting(
        "How often to check the repository for a new version of the bundle, in seconds. A new highest version is loaded and "
        "served without a restart. 0: never.",
        0.0,
        minimum=0.0,
    )
    side_by_side: int = setting(
        "Versions of the bundle that stay in memory, for requests that name one. 1: only the serving one. While a new one is "
        "loaded there is one more.",
        1,
        minimum=1,
        maximum=16,
    )
    swap_grace_seconds: float = setting(
        "How long a replaced version still answers, so that it can read the lines of images that it detected. Must be longer "
        "than a transformer takes from detection to recognition under load.",
        10.0,
        minimum=0.0,
    )
    swap_warm_up_seconds: float = setting(
        "Maximum time to run a new version on the input sizes in use, before it replaces the serving one. "
        "On a GPU, where each size takes a second, use 120.",
        5.0,
        minimum=0.0,
    )
    engine: str = setting(
        "Library that runs the networks. auto: onnxruntime if it can use a GPU, else openvino, which is the "
        "fastest on CPUs. paddle is for models in Paddle's format.",
        "auto",
        choices=("auto", "openvino", "onnxruntime", "paddle"),
    )
    device: str = setting(
        "Where the networks run. auto: on a GPU if there is one. gpu: the start fails without one, "
        "which is better than a slow pod on an expensive GPU node.",
        "auto",
        choices=("auto", "cpu", "gpu"),
    )
    device_id: int = setting("Number of the GPU, as this process counts them.", 0, minimum=0)
    precision: str = setting(
        "Number format of the networks. auto: bf16 on a CPU that supports it, which is up to twice as fast and as "
        "accurate; else the engine's default. Use f32 to compare results bit by bit.",
        "auto",
        choices=("auto", "f32", "bf16", "f16"),
    )
    threads: int = setting(
        "CPU threads for the networks. 0: one per processor that the process may use. Use fewer to leave processors to a "
        "transformer on the same machine.",
        0,
        minimum=0,
    )
    tensorrt: bool = setting(
        "Compile the networks with TensorRT (onnxruntime and paddle on a GPU): faster, but the first start takes "
        "minutes. engine_cache_dir keeps the result.",
        False,
    )
    engine_cache_dir: str = setting("Folder where an engine may cache compiled networks for the next start.", "")
    workers: int = setting(
        "Batches that run at the same time; they share the threads. 0: on a CPU one per processor, at most 4, because "
        "with small lines several threads of one batch mostly wait for each other; on a GPU four, of "
        "different input sizes, and two with TensorRT, so that one copies while the other computes.",
        0,
        minimum=0,
        maximum=16,
    )
    max_batch_pixels: int = setting(
        "Maximum pixels of a batch (a line of 48x320 has 15,360); a single larger image still runs. 0: the engine's "
        "default: small on a CPU, where large batches gain nothing and make others wait; large on a GPU. Raise it "
        "if a GPU isn't busy although requests wait.",
        0,
        minimum=0,
    )
    max_batch_items: int = setting("Maximum lines or images in a batch.", 64, minimum=1)
    batch_wait_ms: float = setting(
        "How long an incomplete batch waits for more items while the device is idle, in milliseconds. Use 0 "
        "on a CPU, and on a GPU under load; 1 or 2 helps a GPU with many small, evenly spaced requests.",
        0.0,
        minimum=0.0,
        maximum=1000.0,
    )
    max_queue_pixels: int = setting(
        "Maximum pixels that may wait for each network; more is answered 429. This limits latency. An image of 960x736 has 0.7 "
        "million. 0: 16 million per processor on a CPU, 256 million on a GPU.",
        0,
        minimum=0,
    )
    warm_up_seconds: float = setting(
        "Maximum time to run the networks on usual input sizes before the service is ready, so that the first requests "
        "aren't slow. Use more if new pods get traffic at once, and 120 on a GPU, where each size takes a second.",
        0.5,
        minimum=0.0,
    )
    prepare_sizes: bool = setting(
        "After the warm-up, continue in the background until the networks have run all usual line sizes. Then no request pays "
        "for the first run of a size, and memory use is known after the first minute. Applies to "
        "openvino, and to onnxruntime on CUDA, which compile kernels for each size.",
        True,
    )
    hang_seconds: float = setting(
        "A batch that runs longer than this counts as hung: liveness fails, and Kubernetes "
        "restarts the service. Use several times the time of the largest image.",
        60.0,
        minimum=1.0,
    )


@dataclass(frozen=True)
class PredictorSettings(ListenSettings, NetworkSettings, MessageSettings):
    """Settings of the predictor as a separate service, behind transformers."""

    model_name: str = setting("Set by KServe and not used: the models are named like the bundle's networks.", "ppocr")
    repository_api: bool = setting(
        "Enable the V2 model repository extension: index, load and unload of the bundle's versions. Then anybody who reaches "
        "the predictor can change what it serves, so keep it inside the cluster.",
        False,
    )
