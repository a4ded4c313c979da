"""Settings of the transformer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ppocr.listen import ListenSettings, MemorySettings, MessageSettings, PageSettings
from ppocr_settings.settings import setting


@dataclass(frozen=True)
class ReaderSettings(PageSettings, MemorySettings):
    """Limits for reading images."""

    max_image_bytes: int = setting("Largest image file, in bytes.", 64 * 1024 * 1024, minimum=1024)
    max_image_pixels: int = setting(
        "Maximum pixels of an image, checked from its header before it is decoded.", 64_000_000, minimum=1024
    )
    max_images: int = setting(
        "Images that may be in the service at the same time; more are answered 429. A good value is twice the number of "
        "clients that should never be refused.",
        128,
        minimum=1,
    )
    max_instances: int = setting("Maximum images of one request.", 32, minimum=1, maximum=1024)
    max_line_pixels: int = setting(
        "Maximum pixels of all line crops of one image, 3 bytes each; an image that needs more is refused. A line "
        "of 48x320 has 15,360, so the default allows thousands of lines.",
        64_000_000,
        minimum=1024,
    )
    max_page_pixels: int = setting(
        "Maximum pixels that detection processes for one image. Images with small print are processed at a larger scale, in "
        "tiles. If that would take more, a smaller scale is used, and a warning in the answer says that text may be missing.",
        16_000_000,
        minimum=1_000_000,
    )
    image_threads: int = setting("Threads for decoding, boxes and crops. 0: one per processor.", 0, minimum=0)


@dataclass(frozen=True)
class FormatSettings:
    """Wire formats, and additional ports for some of them. A port of 0 isn't opened."""

    formats: str = setting(
        "Wire formats that the main ports answer: names from docs/api.md separated by commas, or all.", "all"
    )
    pdserving_port: int = setting(
        "Additional HTTP port for the format of PaddleServing's pipeline only (which used 9998). 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )
    pdserving_grpc_port: int = setting(
        "Additional gRPC port for the pipeline's format (which used 18091). 0: none.", 0, minimum=0, maximum=65535
    )
    pdserving_name: str = setting("Service name in requests of the pipeline's format.", "ocr")
    pdserving_answer: str = setting(
        "Kind of answer in the pipeline's format: result (texts, scores and boxes), res (texts, as before PaddleOCR 2.6), det "
        "(boxes), rec (the text of one line).",
        "result",
        choices=("result", "res", "det", "rec"),
    )
    pdserving_metrics: bool = setting("Also export metrics under the names of PaddleServing's pipeline.", False)
    tracer: str = setting(
        "File to which a report like that of the pipeline's tracer is appended regularly: times of detection and "
        "recognition, requests, latencies, queues. Empty: none.",
        "",
    )
    tracer_seconds: float = setting("Time between two reports of the tracer, in seconds.", 10.0, minimum=0.1)
    web_service_port: int = setting(
        "Additional HTTP port for the format of PaddleServing's web service for Windows (which used 9292). 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )
    hubserving_ports: str = setting(
        "Additional HTTP ports for the format of PaddleHub Serving, separated by commas (which used 8865 to 8868). Every "
        "module is served on each. Empty: none.",
        "",
    )
    paddlex_port: int = setting(
        "Additional HTTP port for the format of PaddleX and PaddleOCR 3 (which use 8080). 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )


@dataclass(frozen=True)
class UrlSettings:
    """Fetching images by URL, which requests in PaddleX' and NVIDIA's formats may contain."""

    url_hosts: str = setting(
        "Hosts from which images may be fetched, separated by spaces: images.example.com (HTTPS), *.example.com "
        "(subdomains), http://scans.example.com:8000. Only public addresses, no redirects. Empty: nothing is fetched.",
        "",
    )
    url_timeout_seconds: float = setting("Time limit for fetching such an image, in seconds.", 10.0, minimum=0.1)


@dataclass(frozen=True)
class WebSettings:
    """Access from web pages and behind gateways."""

    cors_origins: str = setting(
        "Origins whose web pages may call this service (CORS), separated by spaces, such as https://shop.example.com; "
        "* for all. Empty: only the service's own page.",
        "",
    )
    root_path: str = setting(
        "Path prefix under which a gateway serves this service, such as /ocr. Requests are answered with and without it; the "
        "web page uses it.",
        "",
    )


@dataclass(frozen=True)
class AccessSettings:
    """API keys."""

    api_key_file: str = setting(
        "File of API keys, one line NAME:HASH per key (docs/security.md). Callers send 'Authorization: Bearer KEY'. "
        "The file is read again when it changes. Empty: no key is needed.",
        "",
    )

    def client_of(self) -> Callable[[str], str] | None:
        """A function from an Authorization header to the key's name, or None without keys. Raises ConfigError."""
        from transformer.keys import Keys

        return Keys(self.api_key_file).client if self.api_key_file else None


@dataclass(frozen=True)
class FrontSettings(ListenSettings, WebSettings, AccessSettings, ReaderSettings, FormatSettings, UrlSettings):
    """Settings of the public side of the service, used by the transformer and by `ppocr serve`."""

    model_name: str = setting("Name of the model on the routes. KServe sets this.", "ppocr")


@dataclass(frozen=True)
class TransformerSettings(FrontSettings, MessageSettings):
    """Settings of the transformer as a separate service, in front of a predictor."""

    predictor_host: str = setting(
        "The predictor's gRPC address: HOST, HOST:PORT, [IPv6]:PORT, dns:///HOST:PORT for a headless Service, or unix:PATH. "
        "KServe sets this.",
        "",
    )
    predictor_port: int = setting("The predictor's gRPC port if predictor_host has none.", 8081, minimum=1)
    predictor_ca_file: str = setting(
        "CA certificates for the predictor's certificate, in PEM. If set, TLS is used, with the name in predictor_host.",
        "",
    )
    predictor_cert_file: str = setting(
        "Client certificate of this transformer for the predictor, in PEM. All three files are read again when they change.",
        "",
    )
    predictor_key_file: str = setting("Private key of that certificate, in PEM.", "")
