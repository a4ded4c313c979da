"""A real Chromium for the page's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver

from tests import needs

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


def chromium() -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own, which its driver makes; closed at the end."""
    binary, driver = needs.browser()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as downloads:
        for flag in _FLAGS:
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": downloads})
        browser = webdriver.Chrome(options=options, service=Driver(driver))
        try:
            yield browser
        finally:
            browser.quit()
