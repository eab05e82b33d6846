"""A report in a real browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lawqa.cli import main

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    pytest.importorskip("selenium", reason="selenium is not installed: pip install 'lawqa[dev]'")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    named = ("chromium", "chromium-browser", "google-chrome")
    chromium, driver_path = (
        next(filter(None, map(shutil.which, named)), None),
        shutil.which("chromedriver"),
    )
    if chromium is None or driver_path is None:
        pytest.skip(
            "there is no Chromium with its driver: apt-get install chromium chromium-driver"
        )
    options = ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1200,900", f"--user-data-dir={profile}"):  # fmt: skip
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(driver_path))
    yield driver
    driver.quit()


@pytest.fixture
def opened(chrome: Chrome, tmp_path: Path) -> Iterator[Callable[..., Chrome]]:
    """Opens a report of runs; when the test is over nothing may have been said on the console or fetched."""

    def open_report(*runs: Path, width: int = 1200, dark: bool = False, at: str = "") -> Chrome:
        file = tmp_path / "report.html"
        assert main(["report", *map(str, runs), "-o", str(file), "--fresh"]) == 0
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chrome.get("about:blank")
        chrome.get_log("browser")
        chrome.get_log("performance")
        chrome.get(file.as_uri() + at)
        return chrome

    yield open_report
    assert chrome.get_log("browser") == []
    asked = [json.loads(line["message"])["message"] for line in chrome.get_log("performance")]
    urls = {
        m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"
    }
    assert not [url for url in urls if not url.startswith(("file:", "about:", "data:"))]
