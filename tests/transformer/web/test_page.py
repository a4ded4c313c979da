"""The page at `GET /`, in Chromium, in front of the real service."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import cv2
import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.services import Service
from tests.transformer.web.browser import chromium
from transformer.web import HEADERS, assets

RECEIPT = Path(__file__).parents[2] / "data" / "075.jpg"
TITLE = "LIAN HING STATIONERY SDN BHD"
T = TypeVar("T")


@pytest.fixture(scope="module")
def started() -> Iterator[Chrome]:
    yield from chromium()


@pytest.fixture
def page(started: Chrome, service: Service) -> Iterator[Chrome]:
    """The page, fresh; at the end nothing may have been logged: no script error, nothing that the policy blocked."""
    started.get(service.url)
    _logged(started)
    yield started
    assert _logged(started) == []


def _logged(page: Chrome) -> list[str]:
    messages: list[str] = [entry["message"] for entry in page.get_log("browser")]  # type: ignore[no-untyped-call]
    # A 4xx is logged by the browser itself, and shown by the page.
    return [message for message in messages if "the server responded with" not in message]


def until(page: Chrome, what: Callable[[Chrome], T]) -> T:
    return WebDriverWait(page, 30, poll_frequency=0.05).until(what)


def error(page: Chrome) -> str:
    return page.find_element(By.ID, "error").text


def status(page: Chrome) -> str:
    return page.find_element(By.ID, "status").text


def lines(page: Chrome) -> list[Any]:
    return page.find_elements(By.CSS_SELECTOR, "#lines li")


def chosen(page: Chrome) -> tuple[list[str | None], list[str | None]]:
    """Indices of the lit lines, and of the lit boxes."""
    lit = (page.find_elements(By.CSS_SELECTOR, f"{where} .chosen") for where in ("#lines", "#boxes"))
    found = [[element.get_attribute("data-index") for element in each] for each in lit]
    return found[0], found[1]


def read(page: Chrome, path: Path = RECEIPT) -> None:
    page.find_element(By.ID, "file").send_keys(str(path))
    until(page, lambda page: f"in {path.name}" in status(page))


def hand_in(page: Chrome, event: str, path: Path, kind: str) -> None:
    """Drops or pastes a file; a driver has no hands for it, so the event is made as the browser makes it."""
    page.execute_script(
        """
        const [event, name, kind, base64] = arguments;
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], name, { type: kind }));
        const init = { bubbles: true, cancelable: true };
        document.body.dispatchEvent(event === "drop" ? new DragEvent(event, { ...init, dataTransfer: transfer })
          : new ClipboardEvent(event, { ...init, clipboardData: transfer }));
        """,
        event,
        path.name,
        kind,
        base64.b64encode(path.read_bytes()).decode(),
    )


def test_the_files_come_with_their_types_and_the_policy(service: Service) -> None:
    for path, (kind, content) in assets().items():
        with urllib.request.urlopen(service.url + path, timeout=10) as answer:
            assert answer.headers["content-type"] == kind
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            assert answer.read() == content


def test_a_chosen_image_is_shown_with_its_boxes_and_its_text(page: Chrome) -> None:
    read(page)
    texts = [line.find_element(By.CLASS_NAME, "text").text for line in lines(page)]
    boxes = page.find_elements(By.CSS_SELECTOR, "#boxes polygon")
    assert TITLE in texts
    assert len(boxes) == len(texts)
    assert f"{len(texts)} lines in 075.jpg, " in status(page)
    assert page.find_element(By.ID, "model").text.startswith("Model ")


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_drawing_covers_the_image_exactly(page: Chrome, tmp_path: Path, orientation: int) -> None:
    """Also where the file's pixels are turned by its EXIF orientation (6: a quarter)."""
    turned = tmp_path / "turned.jpg"
    with Image.open(RECEIPT) as image:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(turned, exif=exif)
    read(page, turned)
    shown, drawing = page.find_element(By.ID, "image"), page.find_element(By.ID, "boxes")
    until(page, lambda _: shown.get_property("complete"))
    assert drawing.rect == pytest.approx(shown.rect, abs=0.5)
    units = page.execute_script("return arguments[0].getAttribute('viewBox')", drawing)
    assert units == f"0 0 {shown.get_property('naturalWidth')} {shown.get_property('naturalHeight')}"


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_dropped_or_pasted_image_is_read(page: Chrome, event: str) -> None:
    hand_in(page, event, RECEIPT, "image/jpeg")
    until(page, lambda page: "in 075.jpg" in status(page))
    assert TITLE in page.find_element(By.ID, "lines").text


def test_pointing_at_a_line_lights_its_box_and_back(page: Chrome) -> None:
    read(page)
    ActionChains(page).move_to_element(lines(page)[2]).perform()
    assert chosen(page) == (["2"], ["2"])
    ActionChains(page).move_to_element(page.find_elements(By.CSS_SELECTOR, "#boxes polygon")[4]).perform()
    assert chosen(page) == (["4"], ["4"])
    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    assert chosen(page) == ([], [])


def test_the_keyboard_goes_everywhere(page: Chrome) -> None:
    """Tab: the file, the two buttons, the list (one stop); arrows, Home and End inside it."""
    read(page)
    page.execute_script("document.activeElement.blur()")
    stops = []
    for _ in range(4):
        ActionChains(page).send_keys(Keys.TAB).perform()
        stops.append(page.switch_to.active_element.get_attribute("id"))
    assert stops == ["file", "copy", "save", ""]
    for key, index in (
        (Keys.ARROW_DOWN, 1),
        (Keys.ARROW_DOWN, 2),
        (Keys.ARROW_UP, 1),
        (Keys.END, len(lines(page)) - 1),
    ):
        ActionChains(page).send_keys(key).perform()
        assert chosen(page) == ([str(index)], [str(index)])
        assert page.switch_to.active_element == lines(page)[index]


def test_the_text_is_copied(page: Chrome, service: Service) -> None:
    for permission in ("clipboard-read", "clipboard-write"):
        setting = {"permission": {"name": permission}, "setting": "granted", "origin": service.url}
        page.execute_cdp_cmd("Browser.setPermission", setting)
    read(page)
    texts = [line.find_element(By.CLASS_NAME, "text").text for line in lines(page)]
    page.find_element(By.ID, "copy").click()
    until(page, lambda page: status(page) == "Copied.")
    assert page.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == "\n".join(texts)


def test_the_answer_is_saved_as_json(page: Chrome, tmp_path: Path) -> None:
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    read(page)
    page.find_element(By.ID, "save").click()
    until(page, lambda _: (tmp_path / "075.json").exists())
    saved = json.loads((tmp_path / "075.json").read_text())
    assert TITLE in [line["text"] for line in saved["lines"]]
    assert set(saved) == {"lines", "width", "height", "model"}


def test_what_is_wrong_is_the_services_own_sentence(page: Chrome, service: Service, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not an image")
    request = urllib.request.Request(
        f"{service.url}/v1/models/ppocr:predict", bad.read_bytes(), {"Content-Type": "image/png"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    page.find_element(By.ID, "file").send_keys(str(bad))
    until(page, error)
    assert error(page) == json.load(refused.value)["error"]
    assert not page.find_element(By.ID, "reading").is_displayed()
    read(page)
    assert error(page) == ""


def test_an_image_that_the_browser_cannot_show_still_has_its_boxes(page: Chrome, tmp_path: Path) -> None:
    tiff = tmp_path / "scan.tiff"
    cv2.imwrite(str(tiff), cv2.imread(str(RECEIPT)))
    read(page, tiff)
    until(page, lambda page: page.find_element(By.ID, "unshown").is_displayed())
    assert page.find_element(By.ID, "boxes").size["height"] > 300


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(page: Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        read(page)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_page_of_the_api_is_shown_under_the_policy(page: Chrome, service: Service) -> None:
    page.get(f"{service.url}/docs")
    assert page.find_element(By.TAG_NAME, "h1").text == "The API of ppocr-serving"
    sections = [each.get_attribute("id") for each in page.find_elements(By.TAG_NAME, "section")]
    assert {"v1", "v2", "paddlex", "hubserving", "nim", "capabilities"} <= set(sections)
    article = page.find_element(By.CSS_SELECTOR, "#v1 article")
    assert article.value_of_css_property("border-top-style") == "solid"  # its style sheet was loaded
