"""The dashboard as the browser tests use it: the server, a browser, connections that are held."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from importlib import resources

import pymysql
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By

BUILD = os.environ["HEADROOM_TEST_BUILD"]
TOKEN = "browser-tests-0123456789abcdef"


class Server:
    """`headroom serve` on a free port, ended with the tests."""

    def __init__(self, folder, *arguments):
        self.log = open(f"{folder}/serve.log", "w+")
        environment = dict(os.environ, HEADROOM_WEB_TOKEN=TOKEN, HEADROOM_STATE_DIR=folder)
        self.environment = environment
        command = [f"{BUILD}/headroom", "serve", "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, env=environment, stderr=self.log)
        self.base = wait(self._address, "the dashboard listens")

    def _address(self):
        with open(self.log.name) as log:
            found = re.search(r"http://[\d.]+:\d+", log.read())
        return found and found.group(0)

    def get(self, path, method="GET", token=TOKEN, body=None, **headers):
        """Asks, and returns the status, the headers and the body."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.base + path, method=method, headers=headers, data=body)
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=15)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Headless Chromium, which notes every request and every error."""

    def __init__(self, base, dark=False):
        options = webdriver.ChromeOptions()
        for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]:
            options.add_argument(flag)
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.base = base
        self.requests = []
        self.errors = []
        if dark:
            scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})

    def size(self, width, height=900):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, path):
        self.driver.get(self.base + path)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="main"):
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def sign_in(self, token=TOKEN):
        self.open("/sign-in")
        self.one("#password").send_keys(token)
        self.press("button.main")

    def press(self, selector):
        """Clicks on what leads to another page, and waits for that."""
        old = self.one("html")
        self.one(selector).click()
        wait(lambda: self._is_gone(old), f"another page after {selector}")
        wait(lambda: self.driver.execute_script("return document.readyState") == "complete", "the page is there")

    @staticmethod
    def _is_gone(element):
        try:
            element.is_enabled()
            return False
        except StaleElementReferenceException:
            return True

    def fits(self):
        """Whether nothing stands out at the side."""
        return self.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")

    def shot(self, folder, name, width):
        self.size(width)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.size(width, min(height, 4000))
        self.driver.save_screenshot(f"{folder}/{name}-{width}.png")
        self.size(width)

    def check_accessibility(self):
        """Has axe look at the page, in both colours and sizes that the browser is set to."""
        axe = next(resources.files("axe_playwright_python").rglob("axe.min.js")).read_text()
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
        self.driver.set_script_timeout(30)
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run().then(r => done(r.violations), e => done([String(e)]))"
        )
        for violation in found:
            for node in violation["nodes"] if isinstance(violation, dict) else []:
                print(violation["id"], node["target"], node["failureSummary"], sep="\n    ")
        assert not found, f"{len(found)} rules of accessibility are broken"

    def collect(self):
        """Takes note of what was asked for and what went wrong since the last time."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        for entry in self.driver.get_log("browser"):
            if entry["level"] in ("SEVERE", "WARNING"):
                self.errors.append(entry["message"])

    def quit(self):
        self.collect()
        self.driver.quit()


def connect(program, user=None, password=None):
    """A connection of the account that says which program it is."""
    return pymysql.connect(
        unix_socket=os.environ["DB_SOCKET"],
        user=user or os.environ["DB_USERNAME"],
        password=os.environ["DB_PASSWORD"] if password is None else password,
        database=os.environ["DB_DATABASE"],
        program_name=program,
    )


def administrate(statement):
    """Runs a statement as the sandbox's administrator."""
    with connect("administrator", "root", "") as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def wait(condition, what, seconds=30):
    """Waits until something is so, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
