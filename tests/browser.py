"""A real browser for the tests of pages: headless Chromium, without a network."""

import os
import shutil
from contextlib import contextmanager
from importlib.resources import files

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

WHY_NOT = (
    "" if CHROMIUM and DRIVER else "needs chromium and chromedriver: apt install chromium-driver"
)
"""Why pages cannot be tested here; empty where they can."""


@contextmanager
def opened(path, width=1100, height=900, **media):
    """A page from a file in a browser, once its views are drawn.

    Args:
      path: the page's file.
      width, height: of the window, in pixels.
      **media: features such as ``prefers_color_scheme="dark"``.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    if not hasattr(os, "getuid") or os.getuid() == 0:
        options.add_argument("--no-sandbox")  # root has none
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": k.replace("_", "-"), "value": v} for k, v in media.items()]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        driver.get(path.as_uri())
        drawn = (
            "return !document.getElementById('data')"
            " || document.getElementById('said').textContent !== ''"
        )
        WebDriverWait(driver, 60).until(lambda d: d.execute_script(drawn))
        yield driver
    finally:
        driver.quit()


def said_on_console(driver):
    """Every message of the console: errors, refusals by the security policy, and the rest."""
    return [entry["message"] for entry in driver.get_log("browser")]


def violations(driver):
    """What axe finds wrong with the page: the rule, and the elements."""
    driver.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then((found) => done(found.violations));"
    )
    return {one["id"]: [node["html"][:200] for node in one["nodes"]][:3] for one in found}
