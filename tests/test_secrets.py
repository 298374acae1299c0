"""The API key appears nowhere; what is written is private, and says only what may be said, whatever a sheet holds.

A key that can be told from everything else is given to the command, and everything that it writes is searched: both
streams, logs, reports, journal, state, and the list of processes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from builders import group, user
from desk import Desk, Quiet, acme
from fakes import FakeTenant
from listener import Request, http, server
from openpyxl import Workbook, load_workbook

from onboarding import pipeline
from onboarding.auth import ApiKey
from onboarding.cli.console import Console
from onboarding.cli.embedded import Embedded, serving
from onboarding.errors import OnboardingError
from onboarding.inbox import work
from onboarding.model import Role
from onboarding.safety import Limit, Limits
from onboarding.transport import Transport
from onboarding.writers.files import whole
from onboarding.writers.template import template

MARK = "canary0123456789"
KEY = "eyJ" + MARK * 20
"""As long as a real one; any piece of it that is worth anything holds the mark."""
SHEET = "email,role,groups\nnew.one@acme.example,Member,Finance\nnew.two@acme,Guest,\n"


class Command:
    """The command in a folder of its own, with the key in its environment; everything that it said is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""
        self.seen: set[bytes] = set()
        (folder / "home").mkdir()
        (folder / "people.csv").write_text(SHEET)

    def run(
        self, *arguments: str, program: str = "", key: str = KEY, watch: bool = False, **more: str
    ) -> int:
        start = ["-c", program] if program else ["-m", "onboarding"]
        process = subprocess.Popen(
            [sys.executable, *start, *arguments],
            cwd=self.folder,
            env={"HOME": str(self.folder / "home"), "ATLAN_API_KEY": key, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with process:
            while watch and process.poll() is None:
                self.seen |= processes()
                time.sleep(0.05)
            assert process.stdout
            self.said += process.stdout.read().decode()
        return process.returncode

    def assert_unsaid(self, *secrets: str) -> None:
        written = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        for secret in secrets or (MARK,):
            assert secret not in self.said
            assert [path for path, content in written.items() if secret.encode() in content] == []
            assert not any(secret.encode() in line for line in self.seen)


def processes() -> set[bytes]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(path.read_bytes())
        except OSError:
            continue
    return found


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    before = os.environ.get("ONBOARDING_SANDBOX_KEY")
    os.environ["ONBOARDING_SANDBOX_KEY"] = KEY
    try:
        with serving(tmp_path_factory.mktemp("tenant") / "tenant.db") as found:
            yield found
    finally:
        os.environ.pop("ONBOARDING_SANDBOX_KEY")
        if before is not None:
            os.environ["ONBOARDING_SANDBOX_KEY"] = before


# ---- the key ------------------------------------------------------------------------------------------------------


def test_a_run_with_everything_on_tells_nobody_the_key(
    command: Command, embedded: Embedded
) -> None:
    book = Workbook()
    book.active.append(["email", "group"])  # type: ignore[union-attr]
    book.active.append(["new.one@acme.example", "Marketing"])  # type: ignore[union-attr]
    book.save(command.folder / "teams.xlsx")
    netrc = command.folder / "home" / ".netrc"
    netrc.write_text("default login somebody password netrc-secret\n")
    netrc.chmod(0o600)
    given = {
        "PYTHONDEVMODE": "1",
        "PYTHONFAULTHANDLER": "1",
        "HTTP_PROXY": "http://proxy:proxy-secret@127.0.0.1:9",
        "HTTPS_PROXY": "http://proxy:proxy-secret@127.0.0.1:9",
        "SSLKEYLOGFILE": str(command.folder / "keys.log"),
    }
    asked = ["--tenant", embedded.url, "--yes", "--init-state", "--verbose"]
    assert command.run("run", "people.csv", "teams.xlsx", *asked, watch=True, **given) == 1
    assert "INFO onboarding.transport: GET /" in command.said
    assert any(b"people.csv" in line for line in command.seen)
    assert any(b"onboarding.workbooks" in line for line in command.seen)
    assert list(command.folder.glob("onboarding-reports/*/journal.jsonl"))
    assert list(command.folder.glob("home/.local/state/onboarding/*/state.db"))
    netrc.unlink()
    command.assert_unsaid(MARK, "netrc-secret", "proxy-secret")


def echo(status: int) -> Any:
    """Answer with everything that was told, as gateways do that help with debugging."""

    def answer(request: Request) -> bytes:
        told = {"message": f"no: {request.headers}", "code": 40102, "headers": request.headers}
        return http(status, told, f"Location: https://elsewhere.example/?{KEY}", f"X-Told: {KEY}")

    return answer


@pytest.mark.parametrize("status", [200, 204, 302, 307, 400, 401, 403, 404, 409, 500, 503])
def test_no_error_repeats_the_key_that_an_answer_repeats(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with server(answer=echo(status)) as talkative:
        transport = Transport(talkative.url, ApiKey(KEY), sleep=lambda _: None)
        for call in (
            lambda: transport.get("/users/current"),
            lambda: transport.post("/users", {}, request_id="r"),
        ):
            try:
                told: object = call()
            except OnboardingError as error:
                told = (*error.args, vars(error), *traceback.format_exception(error))
            if status >= 300:
                assert MARK not in repr(told)
        assert {one.headers.get("authorization") for one in talkative.asked} == {f"Bearer {KEY}"}
    assert MARK not in caplog.text


def test_a_token_that_is_refused_is_not_shown(command: Command) -> None:
    with server(answer=echo(401)) as talkative:
        given = ("--tenant", talkative.url, "--verbose")
        assert command.run("doctor", *given) == 4
        assert command.run("plan", "people.csv", *given, "--json") == 4
        assert {one.headers.get("authorization") for one in talkative.asked} == {f"Bearer {KEY}"}
    command.assert_unsaid()


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(f"{KEY}\nX-Evil: 1", id="line-break"),
        pytest.param(f"Bearer {KEY}", id="bearer"),
        pytest.param(f"{KEY}é", id="no-ascii"),
    ],
)
def test_a_key_that_is_none_is_refused_without_being_shown(command: Command, key: str) -> None:
    assert command.run("doctor", "--tenant", "https://acme.example", "--verbose", key=key) == 2
    assert "ATLAN_API_KEY" in command.said
    command.assert_unsaid()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ATLAN_API_KEY_FILE", id="variable"),
        pytest.param("api_key_file", id="setting"),
        pytest.param("api_key", id="in-the-settings"),
    ],
)
def test_a_key_in_the_place_of_a_file_is_not_shown(command: Command, name: str) -> None:
    more = {name: KEY} if name.isupper() else {}
    settings = command.folder / "config.toml"
    settings.write_text("" if more else f'{name} = "{KEY}"\ntenant = "https://acme.example"\n')
    settings.chmod(0o600)
    asked = ("doctor", "--tenant", "https://acme.example", "--config", "config.toml", "--verbose")
    assert command.run(*asked, key="", **more) == 2
    settings.unlink()
    command.assert_unsaid()


def test_a_key_file_that_others_can_read_is_refused_without_being_read_out(
    command: Command,
) -> None:
    path = command.folder / "atlan.key"
    path.write_text(KEY)
    path.chmod(0o640)
    asked = ("doctor", "--tenant", "https://acme.example")
    assert command.run(*asked, key="", ATLAN_API_KEY_FILE=str(path)) == 2
    path.unlink()
    command.assert_unsaid()


SABOTAGE = """
import os, sys
from onboarding import {room}
def stumble(*_, **__):
    key = os.environ["ATLAN_API_KEY"]
    raise RuntimeError(f"stumbled with {{key}} in hand")
{room}.{name} = stumble
from onboarding.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("room", "name"),
    [
        pytest.param("pipeline", "apply", id="while-sending"),
        pytest.param("filing", "report_html", id="while-reporting"),
    ],
)
def test_a_crash_of_ours_tells_nobody_the_key(
    command: Command, embedded: Embedded, room: str, name: str
) -> None:
    asked = ["--tenant", embedded.url, "--yes", "--init-state", "--verbose"]
    program = SABOTAGE.format(room=room, name=name)
    assert command.run("run", "people.csv", *asked, program=program) == 70
    assert "RuntimeError: stumbled with [secret] in hand" in command.said
    assert "Traceback" in command.said
    command.assert_unsaid()


def test_the_password_of_a_proxy_is_not_told_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:proxy-secret@127.0.0.1:9")
    transport = Transport("https://acme.example", ApiKey(KEY), sleep=lambda _: None)
    with pytest.raises(OnboardingError) as caught:
        transport.get("/users/current")
    told = "".join(traceback.format_exception(caught.value))
    assert "proxy-secret" not in told
    assert MARK not in told


def test_a_process_that_dies_leaves_no_memory_behind(command: Command) -> None:
    program = (
        "import os, resource\n"
        "left = os._exit\n"
        "def leave(code):\n"
        "    print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)\n"
        "    left(code)\n"
        "os._exit = leave\n"
        "from onboarding.__main__ import main\nmain()"
    )
    command.run("--version", program=program)
    assert command.said.splitlines()[-1] == "(0, 0)"


# ---- who may read it ----------------------------------------------------------------------------------------------


@pytest.fixture
def lax() -> Iterator[None]:
    """A process that lets everybody read what it writes, unless it says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if (path.stat().st_mode & 0o777) != (0o700 if path.is_dir() else 0o600)
    }


@pytest.mark.usefixtures("lax")
def test_everything_that_is_written_is_its_owners_only(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path / "ours"), acme()
    theirs = tmp_path / "theirs"
    (theirs / "inbox").mkdir(parents=True)
    desk.folder.mkdir(0o700)
    (theirs / "people.csv").write_text(SHEET)
    (theirs / "inbox" / "people.csv").write_text(SHEET)
    digest = hashlib.sha256(SHEET.encode()).hexdigest()
    (theirs / "inbox" / "people.csv.sha256").write_text(digest)
    (theirs / "inbox" / "wrong.csv").write_text("colour\nred\n")
    people = theirs / "people.csv"
    console = Console({})
    console.set_up(as_json=False, quiet=True, verbose=False, no_color=True)
    console.yes = True
    pipeline.plan(desk.job(people), tenant, console)
    console.close(0)
    report = desk.run(tenant, people)
    assert report.folder
    pipeline.apply_saved(report.folder / "plan.json", desk.job(), tenant, Quiet())
    pipeline.export(tenant, desk.folder / "export")
    whole(desk.folder / "template.xlsx", template())
    list(work(theirs / "inbox", desk.job(), lambda: tenant, Quiet()))
    names = {path.name for path in desk.folder.rglob("*")}
    assert {"state.db", "run.log", "journal.jsonl", "retry", "input", "tenant.xlsx"} <= names
    assert "people.csv.sha256" in names
    assert modes(desk.folder) == {}
    assert (theirs / "inbox" / "done").stat().st_mode & 0o777 == 0o700


def test_no_address_is_in_a_log_or_a_receipt(command: Command, embedded: Embedded) -> None:
    inbox = command.folder / "inbox"
    inbox.mkdir()
    rows = "".join(f"strange.{n}@evil.example,Guest\n" for n in range(3))
    (inbox / "people.csv").write_text(SHEET + rows)
    (inbox / "wrong.csv").write_text("colour\nx@acme.example\n")
    asked = ("--tenant", embedded.url, "--yes", "--init-state", "--quiet")
    assert command.run("run", "--inbox", "inbox", *asked) == 3
    assert len(command.said.splitlines()) == 3
    assert "@" not in command.said
    logs = list(command.folder.glob("onboarding-reports/*/run.log"))
    assert len(logs) == 2
    assert all("@" not in path.read_text() for path in logs)


# ---- what a sheet holds does nothing ------------------------------------------------------------------------------

STARTS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "=HYPERLINK(1)")
MARKUP = '<img src=x onerror="alert(1)"></td><script>alert(2)</script>'
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202egnp\u2028{forged}"


def nasty_sheets(folder: Path) -> list[Path]:
    """The same in each kind of input: every cell, header and name wants to do something."""
    header = ["email", "role", "groups", "=1+1", MARKUP, f"odd{ESCAPES}"]
    rows = [
        [f"new.{n}@acme.example", "Member", "Finance", start, MARKUP, ESCAPES]
        for n, start in enumerate(STARTS)
    ]
    rows += [[start, start, start, start, MARKUP, ESCAPES] for start in STARTS]
    rows += [
        [f"p{n}@acme.example", "Guest", f"{start}{MARKUP}", "", "", ""]
        for n, start in enumerate(STARTS)
    ]
    text = folder / "=people\n.csv"
    with text.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "=cmd'!.."
    for line in [header, *rows]:
        sheet.append(
            [
                cell.replace("new.", "other.").replace("\x1b", "").replace("\x07", "")
                for cell in line
            ]
        )
    for cell in (cell for row in sheet.iter_rows() for cell in row):
        cell.data_type = "s"
    book.save(folder / "+book.xlsx")
    return [text, folder / "+book.xlsx"]


class Elements(HTMLParser):
    """The elements of a page, outside its own scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of nasty sheets, of a run with its log, and an export of a nasty tenant."""
    folder = tmp_path_factory.mktemp("nasty")
    desk = Desk(folder / "ours")
    desk.folder.mkdir()
    (folder / "theirs").mkdir()
    tenant = FakeTenant(
        [user("olga", Role.ADMIN), user("ana")],
        [group("finance"), group("odd", "=odd\x1b[2J", description=f"{STARTS[0]}{MARKUP}")],
        {"odd": ["ana"]},
    )
    console = Console({})
    console.set_up(as_json=False, quiet=True, verbose=True, no_color=True)
    console.yes = True
    sheets = nasty_sheets(folder / "theirs")
    limits = Limits(rejected=Limit(1000))
    try:
        desk.run(tenant, *sheets, voice=console, limits=limits)
        logging.getLogger("onboarding.test").info("a cell says %s", ESCAPES)
    finally:
        console.close(0)
    pipeline.export(tenant, desk.folder / "export")
    return desk.folder


def files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    assert found, pattern
    return found


def test_no_cell_of_a_written_csv_starts_a_formula(nasty: Path) -> None:
    paths = files(nasty, "*.csv")
    assert {path.name for path in paths} >= {"results.csv", "actions.csv"}
    assert any(path.parent.name == "retry" for path in paths)
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        assert any(cell.startswith("'=") for cell in cells)


def test_no_cell_of_a_written_workbook_is_a_formula(nasty: Path) -> None:
    paths = files(nasty, "*.xlsx")
    assert {path.parent.name for path in paths} >= {"retry", "export"}
    for path in [*paths]:
        book = load_workbook(path)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert [cell.value for cell in cells if cell.data_type == "f"] == []
        inside = "".join(sheet.title for sheet in book)
        assert not set(inside) & set("/\\?*[]:")


def test_no_element_of_a_page_comes_from_a_sheet(nasty: Path) -> None:
    (path,) = files(nasty, "*.html")
    page = Elements()
    page.feed(path.read_text())
    assert {tag for tag, _ in page.found} & {
        "img",
        "iframe",
        "object",
        "embed",
        "base",
    } == set()
    assert [name for _, facts in page.found for name in facts if name.startswith("on")] == []
    links = {str(facts["href"]) for _, facts in page.found if facts.get("href")}
    assert [link for link in links if ":" in link] == []
    assert path.read_text().count("alert(2)") == path.read_text().count("&lt;script&gt;alert(2)")


def test_logs_have_a_line_for_each_event_and_speak_to_no_terminal(nasty: Path) -> None:
    (log,) = files(nasty, "run.log")
    (journal,) = files(nasty, "journal.jsonl")
    for path in (log, journal):
        lines = path.read_bytes().decode().split("\n")
        assert lines.pop() == ""
        assert all(isinstance(json.loads(line), dict) for line in lines)
        assert [line for line in lines if not line.isprintable()] == []
    assert "forged" in json.loads(log.read_text().splitlines()[-1])["message"]


def test_a_terminal_is_shown_no_escape(command: Command, embedded: Embedded) -> None:
    nasty_sheets(command.folder)
    asked = ("--tenant", embedded.url, "--verbose", "--max-rejected", "1000")
    command.run("plan", "=people\n.csv", "+book.xlsx", *asked)
    assert "alert(2)" in command.said
    assert [line for line in command.said.split("\n") if not line.isprintable()] == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("..\\..\\up.csv", id="backslashes"),
        pytest.param("gnp.\u202evsc.csv", id="right-to-left"),
        pytest.param("new\nline.csv", id="newline"),
        pytest.param("CON.csv", id="device"),
        pytest.param("ü" * 125 + ".csv", id="longest"),
        pytest.param("-.csv", id="dash"),
        pytest.param(os.fsdecode(b"\xff.csv"), id="no-text"),
    ],
)
def test_a_files_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    desk = Desk(tmp_path)
    path = tmp_path / "in" / name
    path.write_text(SHEET)
    report = desk.run(acme(), path)
    assert report.folder
    assert report.folder.parent == tmp_path / "reports"
    (retry,) = (report.folder / "retry").iterdir()
    written = {p for p in tmp_path.rglob("*") if p != path}
    assert all(p.name.isprintable() for p in written)
    assert {p.parts[len(tmp_path.parts)] for p in written} == {"in", "reports", "state"}
    assert retry.suffix == ".csv"
