"""Flags that KServe gives a container and that aren't settings of this service."""

from __future__ import annotations

from typing import Final

#: What the controller (0.20) appends: --workers where `containerConcurrency` is set, --protocol in ModelMesh mode. The others
#: that it appends, --model_name, --predictor_host and --http_port, are our own settings.
CONTROLLER: Final = frozenset({"workers", "protocol"})

#: What the SDK (0.21) defines for every model server: a runtime or an InferenceService that was written for one may carry them.
SDK: Final = frozenset(
    {
        "access_log_format",
        "configure_logging",
        "enable_docs_url",
        "enable_grpc",
        "enable_latency_logging",
        "enable_predictor_health_check",
        "event_loop",
        "grpc_max_receive_message_length",
        "grpc_max_send_message_length",
        "grpc_port",
        "http_port",
        "log_config_file",
        "max_asyncio_workers",
        "max_threads",
        "model_name",
        "predictor_host",
        "predictor_protocol",
        "predictor_request_retries",
        "predictor_request_timeout_seconds",
        "predictor_use_ssl",
        "protocol",
        "ssl_certfile",
        "ssl_keyfile",
        "timeout_keep_alive",
        "workers",
    }
)

KSERVE_FLAGS: Final = CONTROLLER | SDK
