"""The inbox: what is taken and in which order, what stays and what is left alone, and kills at every point of it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import email
from desk import Desk, Quiet, acme
from embedded import Tenant
from fakes import Crash, FakeTenant, Fault

from onboarding import pipeline
from onboarding.apply import Pace
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.cli.embedded import Embedded, serving
from onboarding.cli.receipts import receipt
from onboarding.cli.signals import Signals
from onboarding.errors import Stop, TryLater, UsageError
from onboarding.inbox import Left, Taken, work
from onboarding.inbox.arrivals import NotYet, copied, digest, identity, move
from onboarding.job import Job, Prospect
from onboarding.journal import State
from onboarding.safety import Limit, Limits
from onboarding.schemas import rules
from onboarding.sources import LARGEST
from onboarding.transport import Transport

GRANT = "email,group\nana@acme.example,Marketing\n"
REVOKE = "email,group,action\nana@acme.example,Marketing,remove\n"
NORA = "email,role\nnora@acme.example,Guest\n"
WRONG = "colour,size\nred,12\n"


class Door(Desk):
    """A working folder with an inbox, and somebody who uploads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        (folder / "outside").mkdir()

    def upload(self, name: str, text: str = GRANT) -> Path:
        """Write a file elsewhere, and rename it into the inbox."""
        elsewhere = self.folder / "outside" / name
        elsewhere.write_text(text)
        return elsewhere.rename(self.inbox / name)

    def work(
        self, tenant: FakeTenant, voice: Quiet | None = None, **facts: Any
    ) -> list[Taken | Left]:
        return list(work(self.inbox, self.job(**facts), lambda: tenant, voice or Quiet()))

    def taken(self, tenant: FakeTenant, **facts: Any) -> list[tuple[str, int, bool]]:
        found = [one for one in self.work(tenant, **facts) if isinstance(one, Taken)]
        return [(one.name, one.exit_code, one.moved) for one in found]

    def lies(self) -> list[str]:
        return sorted(path.name for path in self.inbox.iterdir() if path.name != "done")

    def done(self) -> list[str]:
        return sorted(path.name.partition("-")[2] for path in (self.inbox / "done").iterdir())

    def runs(self) -> list[Path]:
        return sorted((self.folder / "reports").iterdir())


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


# ---- what is taken ------------------------------------------------------------------------------------------------


def test_each_file_is_a_job_of_its_own_in_order_of_arrival(door: Door) -> None:
    door.upload("z.csv", GRANT)
    door.upload("b.csv", REVOKE)
    door.upload("a.csv", GRANT)
    tenant = acme()
    assert door.taken(tenant) == [("z.csv", 0, True), ("b.csv", 0, True), ("a.csv", 0, True)]
    assert tenant.truth().memberships[email("ana")] == {"finance", "marketing"}
    assert door.lies() == []
    assert door.done() == ["a.csv", "b.csv", "z.csv"]
    assert sorted(run.name.partition("-")[2] for run in door.runs()) == door.done()


def test_a_file_counts_from_when_it_got_its_name_and_not_from_its_age(door: Door) -> None:
    late = door.folder / "outside" / "late.csv"
    late.write_text(GRANT)
    os.utime(late, (1, 1))
    door.upload("first.csv", GRANT)
    late.rename(door.inbox / "late.csv")
    assert [name for name, *_ in door.taken(acme())] == ["first.csv", "late.csv"]


def test_what_arrives_meanwhile_is_taken_too(door: Door) -> None:
    door.upload("first.csv")
    voice = Uploading(door, "second.csv", REVOKE)
    assert [one.name for one in door.work(acme(), voice)] == ["first.csv", "second.csv"]


class Uploading(Quiet):
    """Uploads a file while the first plan is looked at."""

    def __init__(self, door: Door, name: str, text: str) -> None:
        super().__init__()
        self.door, self.name, self.text = door, name, text

    def propose(self, prospect: Prospect) -> None:
        if not self.proposed:
            self.door.upload(self.name, self.text)
        super().propose(prospect)


def test_what_is_read_is_a_private_copy_which_a_plan_can_be_carried_out_from_later(
    door: Door,
) -> None:
    door.upload("people.csv", NORA)
    (taken,) = door.work(acme(), limits=Limits(invitations=Limit(0)))
    assert isinstance(taken, Taken)
    assert (taken.exit_code, taken.moved, door.done()) == (5, True, ["people.csv"])
    (run,) = door.runs()
    copy = run / "input" / "people.csv"
    assert copy.read_text() == NORA
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (door.inbox / "done" / f"{run.name}").unlink()
    tenant = acme()
    report = pipeline.apply_saved(run / "plan.json", door.job(), tenant, Quiet())
    assert report.exit_code == 0
    assert tenant.mails == [email("nora")]


def test_of_a_sheet_with_passwords_no_copy_stays(door: Door) -> None:
    door.upload("people.csv", "email,password,role\nnora@acme.example,Secret-1,Guest\n")
    door.upload("wrong.csv", "password,size\nSecret-1,12\n")
    assert door.taken(acme()) == [("people.csv", 0, True), ("wrong.csv", 3, True)]
    ours = (path for path in (door.folder / "reports").rglob("*") if path.is_file())
    assert [path for path in ours if b"Secret-1" in path.read_bytes()] == []


def test_the_same_bytes_again_are_run_again_and_said(door: Door) -> None:
    door.upload("monday.csv", GRANT)
    tenant = acme()
    first, *_ = door.work(tenant)
    assert isinstance(first, Taken)
    assert first.same_as == ""
    door.upload("tuesday.csv", GRANT)
    second, *_ = door.work(tenant)
    assert isinstance(second, Taken)
    assert second.summary
    assert second.summary["statuses"]["unchanged"] == 1
    assert second.same_as == door.runs()[0].name


def test_a_file_that_is_put_back_is_what_it_was(door: Door) -> None:
    """It bears the time of its run by then: settings for its name, and what is new since the last run, go by the name."""
    tenant = acme()
    door.upload("people.csv", NORA)
    for _ in range(3):
        (taken,) = door.work(tenant)
        assert isinstance(taken, Taken)
        assert taken.summary
        (source,) = taken.summary["inputs"]
        assert source["name"] == "people.csv"
        assert door.runs()[-1].name.count("Z-") == 1
        assert door.done() == ["people.csv"]
        (moved,) = (door.inbox / "done").iterdir()
        moved.rename(door.inbox / moved.name)
        door.time += 60


def test_a_file_is_called_by_its_own_name_and_not_by_that_of_its_copy(door: Door) -> None:
    door.upload("people.csv.sha256", "0" * 64)
    door.upload("people.csv")
    (taken,) = door.work(acme())
    assert isinstance(taken, Taken)
    assert taken.summary
    assert taken.summary["error"].startswith("people.csv: is not what its checksum")


def test_the_same_bytes_under_the_same_name_are_run_again_too(door: Door) -> None:
    for _ in range(2):
        door.upload("people.csv", GRANT)
        assert door.taken(acme()) == [("people.csv", 0, True)]
    assert len(door.runs()) == 2


def test_each_job_has_a_tenant_of_its_own_which_counts_its_calls(door: Door) -> None:
    door.upload("first.csv", GRANT)
    door.upload("second.csv", GRANT)
    found = list(work(door.inbox, door.job(), acme, Quiet()))
    made = [one.summary["calls"] for one in found if isinstance(one, Taken) and one.summary]
    assert made[0] == made[1]
    assert made[0]["made"] == made[0]["announced"]


def test_two_files_of_one_name_both_stay_in_done(door: Door) -> None:
    for text in (GRANT, REVOKE, GRANT):
        door.upload("people.csv", text)
        door.work(acme())
    assert len(door.done()) == 3
    assert all(name.startswith("people") and name.endswith(".csv") for name in door.done())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("new\nline.csv", id="newline"),
        pytest.param("gnp.\u202evsc.csv", id="right-to-left"),
        pytest.param("\x1b[31mred.csv", id="escape"),
        pytest.param("CON", id="device"),
        pytest.param("-rf.csv", id="dash"),
        pytest.param("=cmd.csv", id="formula"),
        pytest.param("ü" * 125 + ".csv", id="longest"),
        pytest.param(os.fsdecode(b"\xff\xfe.csv"), id="no-text"),
    ],
)
def test_no_name_does_harm(door: Door, name: str) -> None:
    elsewhere = door.folder / "x"
    elsewhere.write_text(GRANT)
    elsewhere.rename(door.inbox / name)
    (taken,) = door.work(acme())
    assert isinstance(taken, Taken)
    assert (taken.exit_code, door.lies()) == (0, [])
    (moved,) = (door.inbox / "done").iterdir()
    assert moved.name.isprintable()
    (run,) = door.runs()
    inside = {path for path in door.folder.rglob("*") if path.is_file()}
    assert all(path.name.isprintable() for path in inside)
    assert run.parent == door.folder / "reports"


def test_a_checksum_goes_where_its_file_goes(door: Door) -> None:
    digest = hashlib.sha256(GRANT.encode()).hexdigest()
    door.upload("people.csv.sha256", f"{digest}  people.csv\n")
    door.upload("people.csv", GRANT)
    assert door.taken(acme()) == [("people.csv", 0, True)]
    assert (door.lies(), door.done()) == ([], ["people.csv", "people.csv.sha256"])
    assert (door.runs()[0] / "input" / "people.csv.sha256").read_text().startswith(digest)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_checksum_that_is_no_file_is_not_passed_over(door: Door, kind: str) -> None:
    checksum = door.inbox / "people.csv.sha256"
    if kind == "link":
        elsewhere = door.folder / "sum"
        elsewhere.write_text(hashlib.sha256(GRANT.encode()).hexdigest())
        checksum.symlink_to(elsewhere)
    elif kind == "pipe":
        os.mkfifo(checksum)
    else:
        checksum.mkdir()
    door.upload("people.csv", GRANT)
    tenant = acme()
    (taken,) = (one for one in door.work(tenant) if isinstance(one, Taken))
    assert taken.summary
    assert taken.summary["error"].startswith("its checksum people.csv.sha256 is no file")
    assert (taken.exit_code, tenant.writes()) == (3, [])


def test_what_is_wrong_with_a_checksum_is_not_said_of_its_file(door: Door) -> None:
    with door.upload("people.csv.sha256").open("r+b") as huge:
        huge.truncate(LARGEST + 1)
    door.upload("people.csv", GRANT)
    (taken,) = (one for one in door.work(acme()) if isinstance(one, Taken))
    assert taken.summary
    assert taken.summary["error"].startswith("its checksum people.csv.sha256: larger than")


# ---- what keeps nothing waiting, and what stays -------------------------------------------------------------------


def test_what_is_wrong_with_a_file_stands_in_its_report_and_the_next_one_is_taken(
    door: Door,
) -> None:
    door.upload("wrong.csv", WRONG)
    door.upload("empty.csv", "")
    with door.upload("huge.csv").open("r+b") as huge:
        huge.truncate((1 << 29) + 1)
    door.upload("bad.csv", "email,group\nnobody,Marketing\n")
    door.upload("good.csv")
    assert door.taken(acme(), limits=Limits(rejected=Limit(5))) == [
        ("wrong.csv", 3, True),
        ("empty.csv", 3, True),
        ("huge.csv", 3, True),
        ("bad.csv", 1, True),
        ("good.csv", 0, True),
    ]
    told = {
        run.name.partition("-")[2]: json.loads((run / "summary.json").read_text())
        for run in door.runs()
    }
    assert "neither an e-mail nor a group column" in told["wrong.csv"]["error"]
    assert "larger than 512 MiB" in told["huge.csv"]["error"]
    assert {one["tenant"] for one in told.values()} == {"acme.example"}
    page = (next(run for run in door.runs() if "wrong" in run.name) / "report.html").read_text()
    assert "neither an e-mail nor a group column" in page


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault("not_sent", "read", skip=3), 4, id="no-tenant-on-the-way"),
        pytest.param(Fault("token", "add_to_groups"), 4, id="token-refused-while-sending"),
        pytest.param(Fault("throttle", "add_to_groups", times=99, retry_after=9e9), 75, id="wait"),
    ],
)
def test_what_is_not_about_the_file_lets_it_stay_and_ends_the_work(
    door: Door, fault: Fault, code: int
) -> None:
    door.upload("first.csv", GRANT)
    door.upload("second.csv", REVOKE)
    tenant = acme()
    tenant.faults.append(fault)
    assert door.taken(tenant) == [("first.csv", code, False)]
    assert door.lies() == ["first.csv", "second.csv"]
    tenant.faults.clear()
    assert door.taken(tenant) == [("first.csv", 0, True), ("second.csv", 0, True)]


def test_where_the_tenant_is_not_there_at_all_nothing_is_touched(door: Door) -> None:
    door.upload("people.csv")
    tenant = acme()
    tenant.faults.append(Fault("not_sent", "identity"))
    assert door.taken(tenant) == [("people.csv", 4, False)]
    assert (door.lies(), door.runs()) == (["people.csv"], [])


def test_a_doubt_keeps_the_file_and_those_behind_it_until_it_is_settled(door: Door) -> None:
    door.upload("first.csv", NORA)
    door.upload("second.csv", GRANT)
    tenant = acme()
    tenant.faults.append(Fault("doubt_before", "invite"))
    assert door.taken(tenant) == [("first.csv", 75, False)]
    door.time += 1000
    assert door.taken(tenant) == [("first.csv", 0, True), ("second.csv", 0, True)]
    assert tenant.mails == [email("nora")]


def test_a_doubt_beside_a_wrong_row_keeps_the_file_although_its_exit_code_is_1(door: Door) -> None:
    door.upload("people.csv", f"{NORA}bob@acme,Guest\n")
    tenant = acme()
    tenant.faults.append(Fault("doubt_before", "invite"))
    assert door.taken(tenant) == [("people.csv", 1, False)]
    door.time += 1000
    assert door.taken(tenant) == [("people.csv", 1, True)]
    assert tenant.mails == [email("nora")]


def test_a_state_that_is_lost_on_the_way_lets_the_file_stay(door: Door) -> None:
    def lose(_: FakeTenant) -> None:
        (door.folder / "state" / "acme.example" / "state.db").unlink()

    door.upload("people.csv")
    tenant = acme()
    tenant.faults.append(Fault("do", "write", do=lose))
    assert door.taken(tenant) == [("people.csv", 74, False)]
    assert door.lies() == ["people.csv"]


def test_who_wants_to_stop_before_anything_is_taken_up_finds_all_as_it_was(door: Door) -> None:
    door.upload("people.csv")
    stop = Stop()
    stop.ask(signal.SIGTERM)
    assert list(work(door.inbox, door.job(), acme, Quiet(), stop=stop)) == []
    assert door.lies() == ["people.csv"]


def test_a_no_at_the_terminal_lets_the_file_stay(door: Door) -> None:
    door.upload("people.csv")
    (taken,) = door.work(acme(), Quiet(agrees=False))
    assert isinstance(taken, Taken)
    assert (taken.exit_code, taken.moved, door.lies()) == (5, False, ["people.csv"])


def test_a_bug_of_ours_is_reported_moved_and_ends_the_work(door: Door) -> None:
    door.upload("first.csv", GRANT)
    door.upload("second.csv", REVOKE)

    def stumble(_: FakeTenant) -> None:
        raise ZeroDivisionError

    tenant = acme()
    tenant.faults.append(Fault("do", "groups", do=stumble))
    assert door.taken(tenant) == [("first.csv", 70, True)]
    assert door.taken(tenant) == [("second.csv", 0, True)]


def test_while_another_run_is_at_work_nothing_is_touched(door: Door) -> None:
    door.upload("people.csv")
    tenant = acme()
    with (
        State.alone(door.folder / "state", tenant.name, create=True),
        pytest.raises(TryLater, match="another run"),
    ):
        door.work(tenant)
    assert door.lies() == ["people.csv"]


def test_an_empty_inbox_asks_no_tenant(door: Door) -> None:
    assert list(work(door.inbox, door.job(), pytest.fail, Quiet())) == []


def test_an_inbox_that_is_not_there_is_said(door: Door) -> None:
    with pytest.raises(UsageError, match="can't be read: No such file"):
        list(work(door.folder / "nowhere", door.job(), pytest.fail, Quiet()))


# ---- what is left alone -------------------------------------------------------------------------------------------


def test_what_is_no_upload_is_left_and_said(door: Door) -> None:
    secret = door.sheet("secret.csv", GRANT)
    (door.inbox / "link.csv").symlink_to(secret)
    (door.inbox / "onboarding.toml").symlink_to(secret)
    (door.inbox / "folder.csv").mkdir()
    os.mkfifo(door.inbox / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(door.inbox)  # the name of a socket is short
        try:
            listening.bind("socket.csv")
        finally:
            os.chdir(here)
        for name in (
            "gone.csv.sha256",
            ".hidden.csv",
            "~$people.xlsx",
            "a.csv.part",
            "b.TMP",
            "c.csv.crdownload",
            "d~",
        ):
            door.upload(name)
        door.upload("good.csv")
        lay = set(door.lies())
        taken, *left = door.work(acme())
    assert taken.name == "good.csv"
    assert {one.name for one in left} == lay - {"good.csv"} == set(door.lies())
    said = {one.name: one.why for one in left if isinstance(one, Left)}
    assert said["link.csv"].startswith("a link")
    assert said["pipe.csv"] == said["socket.csv"] == "a pipe, a socket or a device, and no file"
    assert said["a.csv.part"] == "an upload that is not finished, by its name"


def test_a_file_that_somebody_writes_is_left_until_it_is_closed(door: Door) -> None:
    with door.upload("people.csv").open("a") as writer:
        assert door.work(acme()) == [Left("people.csv", "it is still being written")]
        writer.write("ben@acme.example,Marketing\n")
    assert door.taken(acme()) == [("people.csv", 0, True)]
    assert len(door.runs()) == 1


def test_what_takes_the_place_of_a_file_at_work_is_taken_after_it(door: Door) -> None:
    door.upload("people.csv", GRANT)
    voice = Uploading(door, "people.csv", REVOKE)
    assert [one.name for one in door.work(acme(), voice)] == ["people.csv", "people.csv"]
    copies = [(run / "input" / "people.csv").read_text() for run in door.runs()]
    assert sorted(copies) == sorted([GRANT, REVOKE])
    assert (door.lies(), len(door.done())) == ([], 1)


def test_a_file_that_is_taken_away_while_it_is_at_work_has_its_report(door: Door) -> None:
    path = door.upload("people.csv")

    class TakingAway(Quiet):
        def propose(self, prospect: Prospect) -> None:
            path.unlink()

    (taken,) = door.work(acme(), TakingAway())
    assert isinstance(taken, Taken)
    assert (taken.exit_code, door.lies(), door.done()) == (0, [], [])
    assert len(door.runs()) == 1


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(door: Door) -> None:
    path = door.inbox / "people.csv"
    path.symlink_to(door.sheet("secret.csv", GRANT))
    with pytest.raises(NotYet, match="another one by now"):
        copied(path, door.folder / "copy")
    assert digest(path) == ""


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(door: Door) -> None:
    path = door.inbox / "people.csv"
    os.mkfifo(path)
    with pytest.raises(NotYet, match="no file by now"):
        copied(path, door.folder / "copy")


def test_nothing_that_lies_in_done_is_replaced(door: Door) -> None:
    (done := door.inbox / "done").mkdir()
    (done / "people.csv").write_text(REVOKE)
    path = door.upload("people.csv", GRANT)
    move(path, done, "people.csv", identity(path))
    assert {found.name: found.read_text() for found in done.iterdir()} == {
        "people.csv": REVOKE,
        "people-2.csv": GRANT,
    }


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_done_that_is_no_folder_is_refused(door: Door, kind: str) -> None:
    door.upload("people.csv")
    if kind == "link":
        (door.inbox / "done").symlink_to(door.folder / "outside")
    else:
        (door.inbox / "done").touch()
    with pytest.raises(UsageError, match="done is no folder"):
        door.work(acme())
    assert list((door.folder / "outside").iterdir()) == []


class Stopping(Quiet):
    """Somebody who says yes, and wants it to end."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop

    def confirm(self, prospect: Prospect) -> bool:
        self._stop.ask(signal.SIGTERM)
        return True


def test_a_signal_lets_the_file_stay_and_the_next_run_carries_on(door: Door) -> None:
    door.upload(
        "first.csv", "email,group\nana@acme.example,Marketing\nben@acme.example,Marketing\n"
    )
    door.upload("second.csv", REVOKE)
    stop, tenant = Stop(), acme()
    (taken,) = work(door.inbox, door.job(), lambda: tenant, Stopping(stop), stop=stop)
    assert isinstance(taken, Taken)
    assert (taken.name, taken.exit_code, taken.moved) == ("first.csv", 143, False)
    assert door.taken(tenant) == [("first.csv", 0, True), ("second.csv", 0, True)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_cells_are_judged_lets_the_file_stay(
    door: Door, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def signalled(_: str) -> str:
        os.kill(os.getpid(), number)
        return "is odd"

    door.upload("people.csv", "email,role\nnora+x@acme.example,Guest\n")
    with monkeypatch.context() as patch, Signals().handled():
        patch.setattr(rules, "fault", signalled)
        assert door.taken(acme()) == [("people.csv", 128 + number, False)]
    assert door.lies() == ["people.csv"]
    assert door.taken(acme()) == [("people.csv", 0, True)]


def test_the_seconds_of_a_file_count_from_when_it_is_taken(door: Door) -> None:
    """Others have been taken before."""
    door.upload("people.csv")
    assert door.taken(acme(), began=datetime.now(UTC) - timedelta(minutes=5))
    (run,) = door.runs()
    assert json.loads((run / "summary.json").read_text())["seconds"] < 100


# ---- what is said -------------------------------------------------------------------------------------------------

SUMMARY = {
    "rows": 1200,
    "results": {"success": 1190, "error": 10, "manual": 0, "planned": 0},
    "folder": "reports/20260105T070000Z-people.csv",
}


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        pytest.param(
            Taken("people.csv", 1, SUMMARY, moved=True),
            "people.csv: 1,200 rows: 1,190 success, 10 error; exit 1; reports/20260105T070000Z-people.csv",
            id="moved",
        ),
        pytest.param(
            Taken("people.csv", 75, SUMMARY),
            "people.csv: 1,200 rows: 1,190 success, 10 error; exit 75; it stays in the inbox, and the next run "
            "begins with it; reports/20260105T070000Z-people.csv",
            id="stays",
        ),
        pytest.param(
            Taken("b.csv", 0, SUMMARY, same_as="20260104T070000Z-a.csv", moved=True),
            "b.csv: 1,200 rows: 1,190 success, 10 error; exit 0; the same file as in 20260104T070000Z-a.csv; "
            "reports/20260105T070000Z-people.csv",
            id="same-bytes",
        ),
        pytest.param(
            Taken("new\nline.csv", 4),
            "new\\nline.csv: not taken; exit 4; it stays in the inbox, and the next run begins with it",
            id="not-begun",
        ),
    ],
)
def test_a_receipt_is_one_line_with_all_that_counts(taken: Taken, said: str) -> None:
    assert receipt(taken) == said


# ---- what kills the process ---------------------------------------------------------------------------------------


class Deadly(Quiet):
    """Somebody in whose hands the process dies, time after time."""

    def propose(self, prospect: Prospect) -> None:
        raise Crash


def dies(door: Door, tenant: FakeTenant, voice: Quiet | None = None) -> None:
    with pytest.raises(Crash):
        door.work(tenant, voice or Deadly())
    door.time += 1000


def test_a_file_that_killed_the_process_twice_is_set_aside_with_a_report_and_the_next_one_is_taken(
    door: Door,
) -> None:
    tenant = acme()
    door.upload("poison.csv", NORA)
    door.upload("second.csv", GRANT)
    dies(door, tenant)
    dies(door, tenant)
    poison, second = door.work(tenant)
    assert isinstance(poison, Taken)
    assert isinstance(second, Taken)
    assert (poison.name, poison.exit_code, poison.moved) == ("poison.csv", 3, True)
    assert (second.name, second.exit_code, second.moved) == ("second.csv", 0, True)
    assert poison.summary
    report = Path(poison.summary["folder"])
    assert json.loads((report / "summary.json").read_text()) == poison.summary
    said = poison.summary["error"]
    assert "begun twice" in said
    (aside,) = (door.inbox / "done").glob("*-poison.csv")
    assert f"onboarding run {aside}" in said
    assert aside.read_text() == NORA
    assert (door.lies(), door.done(), tenant.mails) == (
        [], ["poison.csv", "second.csv"], [],
    )  # fmt: skip
    assert door.work(tenant) == []


def test_what_a_file_had_done_before_it_was_set_aside_is_told_by_the_next(door: Door) -> None:
    tenant = acme()
    door.upload("poison.csv", GRANT)
    tenant.faults.append(Fault("crash_after", "add_to_groups"))
    dies(door, tenant, Quiet())
    dies(door, tenant)
    door.upload("second.csv", "email,role\nolga@acme.example,Admin\n")
    _, second = door.work(tenant)
    assert isinstance(second, Taken)
    assert second.summary
    told = Path(second.summary["folder"], "actions.csv").read_text()
    assert "grant,ana@acme.example,Marketing" in told
    assert "earlier-run" in told


def test_the_file_on_which_the_process_died_is_the_first_whatever_came_before_it(
    door: Door,
) -> None:
    tenant = acme()
    path = door.upload("first.csv", GRANT)
    door.upload("second.csv", REVOKE)
    dies(door, tenant)
    path.chmod(0o644)  # which is the time that it counts from
    assert [name for name, *_ in door.taken(tenant)] == ["first.csv", "second.csv"]


def test_a_run_that_died_leaves_its_journal_and_no_copy_of_the_upload(door: Door) -> None:
    tenant = acme()
    door.upload("people.csv", GRANT)
    tenant.faults.append(Fault("crash_after", "add_to_groups"))
    dies(door, tenant, Quiet())
    (dead,) = door.runs()
    assert (dead / "input" / "people.csv").exists()
    assert door.taken(tenant) == [("people.csv", 0, True)]
    assert (dead / "journal.jsonl").exists()
    assert not (dead / "input").exists()


@pytest.mark.parametrize("ends", ["no-tenant", "signal"])
def test_a_run_that_came_to_its_end_by_itself_is_no_death(door: Door, ends: str) -> None:
    tenant = acme()
    door.upload("people.csv", GRANT)
    dies(door, tenant)
    for _ in range(3):
        stop = Stop()
        if ends == "no-tenant":
            tenant.faults.append(Fault("not_sent", "read"))
        (taken,) = work(door.inbox, door.job(), lambda: tenant, Stopping(stop), stop=stop)
        assert isinstance(taken, Taken)
        assert (taken.exit_code, taken.moved) == (143 if ends == "signal" else 4, False)
    dies(door, tenant)
    assert door.taken(tenant) == [("people.csv", 0, True)]


def test_another_file_of_the_same_name_begins_anew(door: Door) -> None:
    tenant = acme()
    path = door.upload("people.csv", NORA)
    dies(door, tenant)
    path.unlink()
    door.upload("people.csv", GRANT)
    dies(door, tenant)
    assert door.taken(tenant) == [("people.csv", 0, True)]


def test_a_setting_aside_that_is_cut_short_is_carried_on(door: Door) -> None:
    tenant = acme()
    door.upload("poison.csv", GRANT)
    dies(door, tenant)
    dies(door, tenant)

    class DiesAgain(Quiet):
        def opened(self, folder: Path) -> None:
            raise Crash

    dies(door, tenant, DiesAgain())
    assert door.taken(tenant) == [("poison.csv", 3, True)]
    assert [path.name for path in door.runs() if (path / "summary.json").exists()] == [
        Path(door.runs()[-1]).name
    ]


# ---- killed -------------------------------------------------------------------------------------------------------

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
EVENTS = (
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir"),
    *("os.chmod", "fcntl.flock", "fcntl.fcntl", "sqlite3.connect", "socket.connect"),
    "http.client.send",
)
"""What is seen of a process at work; it is killed in the midst of it."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with serving(tmp_path_factory.mktemp("tenant") / "tenant.db") as found:
        yield found


def in_a_child(
    door: Door, embedded: Embedded, *, kill_at: int = 0, at_the_move: bool = False
) -> tuple[int, int]:
    """Work through the inbox in a process of its own, killed at its n-th event; give how it ended, and its events."""
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, facts: tuple[Any, ...]) -> None:
            nonlocal seen
            if event in EVENTS:
                seen += 1
                moving = event == "os.rename" and "/done/" in str(facts[1])
                if seen == kill_at or (moving and at_the_move):
                    os.kill(os.getpid(), signal.SIGKILL)

        def tenant() -> Atlan:
            return Atlan(Transport(embedded.url, ApiKey(embedded.key)), tenant="acme")

        pace = Pace(workers=1, now=lambda: door.time)
        job = Job(reports=door.folder / "reports", state=door.folder / "state", pace=pace)
        try:
            sys.addaudithook(watch)
            taken = [
                one for one in work(door.inbox, job, tenant, Quiet()) if isinstance(one, Taken)
            ]
            os.write(tells, str(seen).encode())
            os._exit(max((one.exit_code for one in taken), default=0))
        except BaseException as error:  # noqa: BLE001 -- nothing may come back into the test's own process
            os.write(2, repr(error).encode())
            os._exit(99)
    os.close(tells)
    with os.fdopen(told) as answer:
        events = int(answer.read() or 0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), events


def two_uploads(door: Door, batch: str) -> list[str]:
    invited = [f"{batch}-{n}@acme.example" for n in range(3)]
    door.upload("first.csv", "email,role\n" + "".join(f"{who},Guest\n" for who in invited))
    door.upload("second.csv", f"email,group\n{invited[0]},Marketing\n")
    return invited


def assert_all_is_well(door: Door, embedded: Embedded, invited: list[str]) -> None:
    assert (door.lies(), door.done()) == ([], ["first.csv", "second.csv"])
    answered = Counter()
    for run in door.runs():
        if (run / "summary.json").exists():
            summary = json.loads((run / "summary.json").read_text())
            answered[summary["inputs"][0]["name"]] += summary["exit_code"] == 0
            with (run / "results.csv").open(encoding="utf-8-sig") as results:
                assert len(list(csv.DictReader(results))) == summary["rows"] > 0
    assert answered == {"first.csv": 1, "second.csv": 1}
    tenant = Tenant(embedded.url)
    tenant.http.headers["Authorization"] = f"Bearer {embedded.key}"
    mails = Counter(mail["email"] for mail in tenant.get("/__sandbox__/mails"))
    assert {who: mails[who] for who in invited} == dict.fromkeys(invited, 1)


def test_killed_anywhere_the_file_is_taken_once_and_nothing_is_lost(
    tmp_path: Path, embedded: Embedded
) -> None:
    def attempt(name: str, kill_at: int) -> int:
        (tmp_path / name).mkdir()
        door = Door(tmp_path / name)
        invited = two_uploads(door, name)
        before = set(door.lies())
        code, events = in_a_child(door, embedded, kill_at=kill_at)
        assert code == (-signal.SIGKILL if kill_at else 0)
        if kill_at:
            assert before == {
                *door.lies(),
                *(door.done() if (door.inbox / "done").exists() else ()),
            }
            for _ in range(2):  # the second one, if the first found a doubt
                door.time += 1000
                code, _ = in_a_child(door, embedded)
                assert code in (0, 75)
        assert_all_is_well(door, embedded, invited)
        return events

    points = attempt("undisturbed", 0)
    assert points > 100
    for point in range(1, points + 1, 1 if FULL else points // 12):
        attempt(f"at{point}", point)


def test_killed_between_report_and_move_the_file_is_moved_and_not_taken_again(
    door: Door, embedded: Embedded
) -> None:
    invited = two_uploads(door, "unmoved")
    assert in_a_child(door, embedded, at_the_move=True)[0] == -signal.SIGKILL
    assert (door.lies(), len(door.runs())) == (["first.csv", "second.csv"], 1)
    assert in_a_child(door, embedded)[0] == 0
    assert_all_is_well(door, embedded, invited)
    assert len(door.runs()) == 2


def test_another_file_under_the_name_of_one_that_has_its_report_is_taken(
    door: Door, embedded: Embedded
) -> None:
    two_uploads(door, "other")
    assert in_a_child(door, embedded, at_the_move=True)[0] == -signal.SIGKILL
    door.upload("first.csv", "email,role\nanother@acme.example,Guest\n")
    assert in_a_child(door, embedded)[0] == 0
    names = [run.name.partition("-")[2] for run in door.runs()]
    assert sum(name.startswith("first.csv") for name in names) == 2  # "-2" within the same second
    copies = {path.read_text() for path in (door.inbox / "done").glob("*-first.csv")}
    assert copies == {"email,role\nanother@acme.example,Guest\n"}
