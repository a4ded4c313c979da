"""The messages of the V2 protocol over gRPC, which the client's distribution holds."""

from ppocr_api.oip import *  # noqa: F403
