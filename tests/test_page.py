"""The page of a run: in a real browser it finds, filters, sorts and shows rows, asks the network for nothing, and runs nothing.

The browser is Debian's; where there is none these tests are skipped, and say so.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from builders import email, row
from desk import MEMBERSHIPS, PEOPLE, TEAMS, Desk, Quiet, acme
from fakes import FakeTenant
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from onboarding import pipeline
from onboarding.job import Report
from onboarding.plan import Status
from onboarding.report import RowResult
from onboarding.safety import Limit, Limits
from onboarding.writers.page import _packed
from onboarding.writers.page.content import _chosen

CHROMIUM = shutil.which("chromium")
AXE = files("axe_playwright_python") / "axe.min.js"
NAUGHTY = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "</script><script>document.title='taken'</script>",
    "=HYPERLINK(\"http://evil.example\")",
    "{{ 7*7 }}",
    "\u202eright to left",
    "&lt;b&gt;",
    "'\"><svg onload=document.title='taken'>",
    "\u2028line\u2029paragraph",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs the Debian package chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Sight:
    """A page in the browser, and all that it complained of or asked for."""

    def __init__(self, browser: Browser, path: Path, width: int = 1400, **how: Any) -> None:
        size = ViewportSize(width=width, height=900)
        self.page: Page = browser.new_page(viewport=size, **how)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        if how.get("java_script_enabled", True):
            self.page.wait_for_selector("body[data-ready]")

    def rows(self) -> list[str]:
        """Give the names of the rows that the table shows."""
        return self.page.locator("#row-grid .tabulator-row .link").all_inner_texts()

    def shown(self, words: str) -> None:
        """Wait until the table says that it shows so many."""
        expect(self.page.locator("#shown")).to_have_text(words)


def report_of(desk: Desk, tenant: FakeTenant | None = None, **sheets: str) -> tuple[Report, Path]:
    paths = [desk.sheet(f"{name}.csv", text) for name, text in sheets.items()]
    report = desk.run(tenant or acme(), *paths)
    assert report.folder
    return report, report.folder / "report.html"


@pytest.fixture
def path(desk: Desk) -> Path:
    return report_of(desk, people=PEOPLE, teams=TEAMS, memberships=MEMBERSHIPS)[1]


def test_the_top_says_whether_it_worked_and_what_needs_somebody(
    browser: Browser, path: Path
) -> None:
    sight = Sight(browser, path)
    assert sight.page.locator("h1").inner_text().endswith("2 of 8 rows need you")
    assert sight.page.locator(".causes h3").all_inner_texts() == [
        "1 row: not an e-mail address",
        "1 row: waits for a rejected row",
    ]
    assert (sight.complaints, sight.requests) == ([], [path.as_uri()])


def test_rows_are_searched_filtered_and_sorted(browser: Browser, path: Path) -> None:
    sight = Sight(browser, path)
    sight.shown("8 rows")
    sight.page.fill("#search", "CARLA")
    sight.shown("1 of 8 rows")
    assert sight.rows() == ["people.csv:4"]
    sight.page.click("button[type=reset]")
    sight.shown("8 rows")
    sight.page.click("button.only >> nth=0")
    sight.shown("1 of 8 rows")
    assert sight.rows() == ["people.csv:5"]
    sight.page.select_option("#cause", "")
    sight.page.select_option("#result", "success")
    sight.shown("6 of 8 rows")
    assert sight.rows()[0] == "people.csv:2"
    sight.page.click("#row-grid .tabulator-col[tabulator-field=row]")
    sight.page.click("#row-grid .tabulator-col[tabulator-field=row]")
    assert sight.rows()[0] == "memberships.csv:3"
    assert sight.complaints == []


def test_a_column_that_is_blank_in_every_row_takes_no_room(browser: Browser, desk: Desk) -> None:
    good = report_of(desk, people="email,role\nana@acme.example,Member\n")[1]
    wrong = report_of(desk, people="email,role\nana@acme,Member\n")[1]
    shown = [
        [
            head.inner_text().strip()
            for head in Sight(browser, path).page.locator("#row-grid .tabulator-col").all()
            if head.is_visible()
        ]
        for path in (good, wrong)
    ]
    assert [titles[2:4] for titles in shown] == [["Why", "email"], ["Why", "What to do"]]


def test_the_keyboard_sorts_too(browser: Browser, path: Path) -> None:
    sight = Sight(browser, path)
    sight.page.focus("#row-grid .tabulator-col-title button >> nth=0")
    sight.page.keyboard.press("Enter")
    sight.page.keyboard.press("Enter")
    expect(sight.page.locator("#row-grid .tabulator-row .link").first).to_have_text(
        "memberships.csv:3"
    )


def test_a_row_is_shown_whole_with_its_cells_its_findings_and_the_answers(
    browser: Browser, path: Path
) -> None:
    sight = Sight(browser, path)
    sight.page.click("text=people.csv:5")
    detail = sight.page.locator("dialog")
    assert detail.locator("tr.guilty").inner_text().split("\t")[:2] == ["email", "dan@acme"]
    sight.page.keyboard.press("Escape")
    assert not detail.is_visible()
    sight.page.focus("#row-grid >> text=people.csv:4")
    sight.page.keyboard.press("Enter")
    assert "seen in the tenant" in detail.inner_text()
    assert "carla@acme.example invited" in detail.inner_text()


def test_changes_are_arranged_by_person_or_by_group(browser: Browser, path: Path) -> None:
    sight = Sight(browser, path)
    sight.page.locator("#changes").scroll_into_view_if_needed()
    groups = sight.page.locator("#change-grid .tabulator-group")
    groups.first.wait_for()
    assert "carla@acme.example · 3 changes" in "\n".join(groups.all_inner_texts())
    assert groups.last.inner_text().startswith("Groups")
    sight.page.select_option("#arranged", "")
    sight.page.wait_for_selector("#change-grid:not(:has(.tabulator-group))")
    sight.page.select_option("#arranged", "group")
    sight.page.wait_for_selector("#change-grid .tabulator-group:has-text('Analytics')")
    sight.page.fill("#change-search", "carla")
    expect(sight.page.locator("#changes-shown")).to_have_text(re.compile("^3 of"))
    assert sight.complaints == []


def test_what_comes_from_a_sheet_is_only_ever_text(browser: Browser, desk: Desk) -> None:
    cells = "".join(
        '"{}",Guest,"{}"\n'.format(text.replace('"', '""'), f"p{n}@acme.example")
        for n, text in enumerate(NAUGHTY)
    )
    report, path = report_of(desk, people=f"team lead,role,email\n{cells}")
    sight = Sight(browser, path)
    for n, text in enumerate(NAUGHTY, 2):
        sight.page.click(f"#row-grid >> text=people.csv:{n}")
        cells_shown = sight.page.locator("dialog td").all_text_contents()
        assert text in cells_shown
        sight.page.click("#close")
    assert sight.page.title() != "taken"
    assert (sight.complaints, sight.requests) == ([], [path.as_uri()])
    assert report.totals.rows == len(NAUGHTY)


@pytest.mark.parametrize(
    "header",
    [
        "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/leak'>",
        "<img src=x onerror=\"document.title='taken'\">",
        "<a href=http://evil.example>team lead</a>",
    ],
)
def test_a_header_is_only_ever_text(browser: Browser, desk: Desk, header: str) -> None:
    quoted = header.replace('"', '""')
    _, path = report_of(desk, people=f'email,role,"{quoted}"\na@acme.example,Guest,<b>x</b>\n')
    sight = Sight(browser, path)
    title = sight.page.locator(".tabulator-col-title").filter(has_text=header)
    assert title.count() == 1
    sight.page.locator("#row-grid .tabulator-cell").filter(has_text="<b>x</b>").hover()
    expect(sight.page.locator(".tabulator-tooltip")).to_have_text("<b>x</b>")
    assert sight.page.locator("main a, main img, main meta, .tabulator-tooltip b").count() == 0
    assert (sight.complaints, sight.requests) == ([], [path.as_uri()])


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(browser: Browser, path: Path, width: int, scheme: str) -> None:
    sight = Sight(browser, path, width, color_scheme=scheme)
    assert sight.page.evaluate("document.documentElement.scrollWidth") <= width
    sight.page.locator("#changes").scroll_into_view_if_needed()
    sight.page.wait_for_selector("#change-grid .tabulator-row")
    sight.page.evaluate(AXE.read_text("utf-8"))
    assert _violations(sight.page) == []
    sight.page.click("#row-grid >> text=people.csv:5")
    assert _violations(sight.page) == []


def _violations(page: Page) -> list[str]:
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10  # it did look
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


def test_without_scripts_and_on_paper_it_still_says_what_needs_somebody(
    browser: Browser, path: Path
) -> None:
    bare = Sight(browser, path, java_script_enabled=False)
    assert "people.csv:5" in bare.page.locator("#static").inner_text()
    paper = Sight(browser, path)
    paper.page.emulate_media(media="print")
    assert "people.csv:5" in paper.page.locator("#static").inner_text()
    assert "carla@acme.example invited" in paper.page.locator(".paper").inner_text()
    assert not paper.page.locator("#row-grid").is_visible()


def test_the_page_has_every_row_that_the_other_reports_have(browser: Browser, desk: Desk) -> None:
    people = "".join(f"p{n}@acme.example,Member,Finance\n" for n in range(1_234))
    report, path = report_of(desk, people=f"email,role,groups\n{people}")
    Sight(browser, path).shown("1,234 rows")
    assert report.totals.rows == 1_234
    results = (path.parent / "results.csv").read_text("utf-8-sig").splitlines()
    assert len(results) == 1_235


def test_a_plan_shows_what_would_happen_and_how_to_have_exactly_that(
    browser: Browser, desk: Desk
) -> None:
    sheets = [desk.sheet("people.csv", PEOPLE), desk.sheet("teams.csv", TEAMS)]
    report = pipeline.plan(desk.job(*sheets), acme(), Quiet())
    assert report.folder
    sight = Sight(browser, report.folder / "report.html")
    said = sight.page.locator("#changes").inner_text()
    assert "1 invitation e-mail" in said
    tenant = "--tenant https://acme.example"
    fingerprint = report.summary["fingerprint"]
    whole = f"onboarding apply {report.folder}/plan.json {tenant} --expect {fingerprint}"
    assert whole in said
    assert "done, and seen" not in said


def test_a_refused_plan_says_first_that_nothing_was_sent(browser: Browser, desk: Desk) -> None:
    sheets = [desk.sheet("people.csv", PEOPLE), desk.sheet("teams.csv", TEAMS)]
    report = desk.run(acme(), *sheets, limits=Limits(invitations=Limit(0)))
    assert report.folder
    sight = Sight(browser, report.folder / "report.html")
    assert sight.page.locator("h1").inner_text().endswith("Nothing was sent")
    assert "--accept" in sight.page.locator(".why").inner_text()
    limits_told = sight.page.locator("#limits").inner_text()
    assert "over the limit" in limits_told
    assert "reject 1 of 6 rows" in limits_told


def test_what_is_new_since_the_last_run_can_be_asked_for(browser: Browser, desk: Desk) -> None:
    tenant = acme()
    report_of(desk, tenant, people=PEOPLE)
    again = PEOPLE.replace("dan@acme,", "dan@acme.example,") + "eva@acme,Guest,Finance,olga\n"
    _, path = report_of(desk, tenant, people=again)
    sight = Sight(browser, path)
    said = sight.page.locator("#people").inner_text()
    assert "1 row needs you now that did not then; 1 row that needed you then is settled." in said
    sight.page.check("#fresh")
    sight.shown("1 of 5 rows")
    assert sight.rows() == ["people.csv:6"]


def test_it_names_who_is_in_the_tenant_and_in_no_sheet(browser: Browser, path: Path) -> None:
    sight = Sight(browser, path)
    nobody = sight.page.locator("details:has-text('In the tenant, and in no sheet')")
    assert nobody.locator("li").all_inner_texts() == [email("olga")]


def test_what_may_run_is_named_and_nothing_else(path: Path) -> None:
    text = path.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.findall(r'\s(?:src|href)="(?!#)', text.partition("<script")[0])


def test_too_many_rows_leave_those_that_need_somebody() -> None:
    statuses = [Status.APPLIED, Status.APPLIED, Status.REJECTED, Status.APPLIED, Status.MANUAL]
    results = [RowResult(s, "", "", "", "", row(n)) for n, s in enumerate(statuses, 2)]
    (some,) = _chosen(results, 3)
    assert (some.numbers, [words.status for words in some.words]) == (
        [2, 4, 6],
        [statuses[n] for n in (0, 2, 4)],
    )


def test_what_comes_a_few_at_a_time_is_packed_as_if_it_came_at_once() -> None:
    parts = [("few", 3), ("none", []), ("some", [[1, 2], [], ["\u00e9"], {"a": 4}])]
    bit_by_bit = [
        ("few", 3),
        ("none", iter(())),
        ("some", iter([[[1, 2]], [[], ["\u00e9"], {"a": 4}]])),
    ]
    assert _packed(bit_by_bit) == _packed(parts)
    assert json.loads(gzip.decompress(base64.b64decode(_packed(parts)))) == dict(parts)


def test_the_vendored_table_is_the_one_that_its_origin_names() -> None:
    vendor = files("onboarding.writers.page") / "vendor"
    named = dict(
        re.findall(r"\| (tabulator\S+) \| (\w{64}) \|", (vendor / "ORIGIN.md").read_text())
    )
    sums = {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in named}
    assert sums == named
    assert len(named) == 2
    assert "MIT" in (vendor / "LICENSE").read_text()
