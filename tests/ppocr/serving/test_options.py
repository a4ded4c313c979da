"""What is wrong in the settings of a server is said before it starts."""

from __future__ import annotations

import pytest

from ppocr.listen import ListenSettings
from ppocr.serving.options import rest_options
from ppocr_api.errors import ConfigError
from ppocr_limits.budget import Budget


@pytest.mark.parametrize("track", ["a\r\nSet-Cookie: x=1", "grün", "a b"])
def test_a_track_that_no_header_can_have(track: str) -> None:
    with pytest.raises(ConfigError):
        rest_options(ListenSettings(track=track), Budget(1000), ())


def test_a_track() -> None:
    assert rest_options(ListenSettings(track="canary-2"), Budget(1000), ()).track == "canary-2"
