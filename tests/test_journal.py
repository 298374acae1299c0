"""The state folder: intents, deeds, the ledger, the lock, and what happens when the disk does not play along."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from builders import email, group
from changes import NOON, Clock, change_role, create, grant, invite, revoke, update

from onboarding import lock
from onboarding.errors import StorageError, UsageError
from onboarding.journal import DAY, State
from onboarding.journal.database import Database
from onboarding.journal.intents import Intent, Untold
from onboarding.model import Group, GroupName, Role, User
from onboarding.plan import Action, Change, Outcome, Status

TENANT = "acme.example"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[State]:
    state = opened(tmp_path, clock)
    yield state
    state.close()


def opened(folder: Path, clock: Clock) -> State:
    return State.open(folder, TENANT, create=True, now=clock.now)


def ended(change: Change, status: Status, request: str = "r1") -> tuple[Change, Outcome]:
    return change, Outcome(status, request_id=request)


# ---- intents ----------------------------------------------------------------------------------------------


def test_an_intent_is_on_disk_before_anything_else_happens(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    state.begin("run").intend("r1", Action.INVITE, [invite("ana")])
    again = opened(tmp_path, clock)
    assert again.open_intents() == (
        Intent("r1", "invite ana@acme.example", Action.INVITE, email("ana"), None, None),
    )
    again.close()


@pytest.mark.parametrize(
    ("change", "status", "still_open", "a_deed"),
    [
        pytest.param(invite("ana"), Status.APPLIED, False, True, id="applied"),
        pytest.param(invite("ana"), Status.FAILED, False, False, id="failed"),
        pytest.param(invite("ana"), Status.SKIPPED, False, False, id="not-sent"),
        pytest.param(invite("ana"), Status.UNCHANGED, False, False, id="somebody-else"),
        pytest.param(invite("ana"), Status.IN_DOUBT, True, True, id="invitation-in-doubt"),
        pytest.param(create("ops"), Status.IN_DOUBT, True, True, id="creation-in-doubt"),
        pytest.param(grant("ana", "ops"), Status.IN_DOUBT, True, True, id="grant-in-doubt"),
    ],
)
def test_an_intent_ends_by_its_outcome(
    state: State, change: Change, status: Status, still_open: bool, a_deed: bool
) -> None:
    journal = state.begin("run")
    journal.intend("r1", change.action, [change])
    journal.conclude([ended(change, status)])
    assert (bool(state.open_intents()), bool(state.earlier())) == (still_open, a_deed)


def test_an_outcome_ends_the_intent_of_its_own_request_only(state: State) -> None:
    journal, ana = state.begin("run"), invite("ana")
    journal.intend("r1", Action.INVITE, [ana])
    journal.intend("r2", Action.INVITE, [ana])
    journal.conclude([ended(ana, Status.FAILED, "r1")])
    assert [intent.request_id for intent in state.open_intents()] == ["r2"]


def test_a_doubt_is_dated_once(state: State, clock: Clock) -> None:
    journal, ana = state.begin("run"), invite("ana")
    journal.intend("r1", Action.INVITE, [ana])
    clock.sleep(5)
    journal.doubt("r1")
    clock.sleep(30)
    journal.conclude([ended(ana, Status.IN_DOUBT)])
    assert [intent.doubt_since for intent in state.open_intents()] == [NOON + 5]


def test_a_report_makes_deeds_forgotten_and_leaves_doubts(state: State) -> None:
    journal, ana, bob = state.begin("run"), invite("ana"), invite("bob")
    journal.intend("r1", Action.INVITE, [ana, bob])
    journal.conclude([ended(ana, Status.APPLIED), ended(bob, Status.IN_DOUBT)])
    journal.finish()
    assert state.earlier().keys() == state.doubtful() == {bob.key}


def test_a_doubtful_membership_outlives_the_report_that_could_not_say_how_it_ended(
    state: State,
) -> None:
    journal, ana = state.begin("run"), grant("ana", "ops")
    journal.intend("r1", Action.GRANT, [ana])
    journal.conclude([ended(ana, Status.IN_DOUBT)])
    journal.finish()
    assert state.untold() == (Untold("run", ana),)
    assert state.doubtful() == frozenset()


def test_deeds_of_a_run_without_a_report_are_remembered(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    journal, ana = state.begin("run"), grant("ana", "ops")
    journal.intend("r1", Action.GRANT, [ana])
    journal.conclude([ended(ana, Status.APPLIED)])
    again = opened(tmp_path, clock)
    assert again.earlier().keys() == {ana.key}
    again.close()


# ---- the ledger, permissions, manual rows -----------------------------------------------------------------


def test_an_invitation_counts_from_the_clear_yes_for_30_days(state: State, clock: Clock) -> None:
    journal = state.begin("run")
    journal.intend("r1", Action.INVITE, [invite("ana")])
    assert state.invited_recently([email("ana")]) == frozenset()
    journal.accept("r1", [invite("ana"), invite("bob")])
    people = [email("ana"), email("bob"), email("eve")]
    assert state.invited_recently(people) == {email("ana"), email("bob")}
    clock.sleep(30 * DAY - 1)
    assert state.invited_recently(people) == {email("ana"), email("bob")}
    clock.sleep(1)
    assert state.invited_recently(people) == frozenset()


def test_a_doubtful_invitation_that_was_seen_counts_too(state: State) -> None:
    journal = state.begin("run")
    journal.intend("r1", Action.INVITE, [invite("ana")])
    journal.conclude([ended(invite("ana"), Status.APPLIED)])
    assert state.invited_recently([email("ana")]) == {email("ana")}


def test_who_was_in_doubt_and_shows_with_another_role_counts_too(state: State) -> None:
    journal, ana = state.begin("run"), invite("ana")
    journal.intend("r1", Action.INVITE, [ana])
    journal.doubt("r1")
    journal.conclude([(ana, Outcome(Status.FAILED, "changed-since-plan", request_id="r1"))])
    assert state.invited_recently([email("ana")]) == {email("ana")}
    assert state.open_intents() == ()


def test_the_ledger_holds_no_address(state: State, tmp_path: Path) -> None:
    journal, ana = state.begin("run"), invite("ana")
    journal.intend("r1", Action.INVITE, [ana])
    journal.accept("r1", [ana])
    journal.conclude([ended(ana, Status.APPLIED)])
    journal.finish()
    state.close()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"ana@" not in file.read_bytes()


@pytest.mark.parametrize(
    ("change", "was"),
    [
        pytest.param(
            change_role("ana", Role.GUEST, Role.ADMIN),
            {"email": "ana@acme.example", "role": "$guest"},
            id="role",
        ),
        pytest.param(
            update(group("ops", description="old"), default=True),
            {"name": "ops", "alias": "Ops", "description": "old", "default": False},
            id="group",
        ),
        pytest.param(invite("ana"), None, id="nothing"),
        pytest.param(revoke("ana", "ops"), None, id="a-membership"),
    ],
)
def test_what_a_value_was_before_it_is_set_is_noted_with_the_intent(
    state: State, change: Change, was: object
) -> None:
    state.begin("run").intend("r1", change.action, [change])
    assert state.earlier() == {change.key: was}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Change(None, User(email("ana"), Role.GUEST)), id="invitation"),
        pytest.param(Change(None, Group(GroupName("ops"), "Ops", "all", default=True)), id="group"),
        pytest.param(
            Change(User(email("ana"), Role.GUEST), User(email("ana"), Role.ADMIN)), id="role"
        ),
        pytest.param(
            Change(User(email("ana"), None), User(email("ana"), Role.ADMIN)), id="no-role"
        ),
        pytest.param(
            Change(Group(GroupName("ops"), "Ops"), Group(GroupName("ops"), "Operations")),
            id="attributes",
        ),
        pytest.param(grant("ana", "ops"), id="grant"),
        pytest.param(revoke("ana", "ops"), id="revocation"),
    ],
)
def test_what_no_report_has_told_of_is_given_back_as_it_was_sent(
    state: State, change: Change
) -> None:
    journal = state.begin("run-1")
    journal.intend("r1", change.action, [change])
    journal.conclude([ended(change, Status.APPLIED)])
    assert state.untold() == (Untold("run-1", change),)
    journal.finish()
    assert state.untold() == ()


def test_what_may_still_be_in_doubt_is_nothing_to_tell_yet(state: State) -> None:
    state.begin("run").intend("r1", Action.INVITE, [invite("ana")])
    assert state.untold() == ()
    assert state.unsettled() == {"run"}


def test_a_run_that_has_begun_is_unfinished_until_it_has_ended(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    first, second = tmp_path / "reports" / "100%_run ", tmp_path / "reports" / "b"
    state.begun(first)
    state.begun(second)
    state.begun(second)
    state.ended([second])
    with closing(opened(tmp_path, clock)) as again:
        assert again.unfinished() == {first}


def test_of_what_was_sent_twice_the_last_counts(state: State, clock: Clock) -> None:
    journal = state.begin("run")
    for request, before in (("r1", Role.GUEST), ("r2", Role.ADMIN)):
        change = change_role("ana", before, Role.MEMBER)
        journal.intend(request, change.action, [change])
        clock.sleep(1)
    (was,) = state.earlier().values()
    assert was
    assert was["role"] == "$admin"


@pytest.mark.parametrize(
    ("version", "lacks"), [(1, ["becomes", "was"]), (2, ["becomes"])], ids=["first", "second"]
)
def test_a_state_of_an_earlier_version_is_read_and_added_to(
    state: State, tmp_path: Path, clock: Clock, version: int, lacks: list[str]
) -> None:
    state.begin("run").intend("r1", Action.INVITE, [invite("ana")])
    state.begin("run").intend("r2", Action.REVOKE, [revoke("ana", "ops")])
    state.close_intents(state.open_intents())
    with closing(sqlite3.connect(tmp_path / TENANT / "state.db", isolation_level=None)) as db:
        for column in lacks:
            db.execute(f"ALTER TABLE intents DROP COLUMN {column}")
        db.execute(f"PRAGMA user_version = {version}")
    with closing(opened(tmp_path, clock)) as again:
        assert again.earlier() == {invite("ana").key: None, revoke("ana", "ops").key: None}
        assert again.untold() == (Untold("run", revoke("ana", "ops")),), (
            "of the other too little is known"
        )
        change = change_role("ana", Role.GUEST, Role.ADMIN)
        again.begin("run").intend("r3", change.action, [change])
        assert len(again.earlier()) == 3


def test_a_state_to_which_another_process_has_added_is_read_too(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    with closing(sqlite3.connect(tmp_path / TENANT / "state.db", isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 1")
    with closing(opened(tmp_path, clock)) as again:
        assert (again.earlier(), again.untold()) == ({}, ())


def test_a_state_to_which_nothing_can_be_added_is_left_as_it_was() -> None:
    class Busy(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            if statement.startswith("ALTER"):
                raise sqlite3.OperationalError("database is locked")
            return super().execute(statement, *values)  # type: ignore[arg-type]

    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=Busy)) as db:
        db.execute("PRAGMA user_version = 1")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            Database(Path(":memory:"), db)
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_permission_to_pass_is_spent_once(state: State, tmp_path: Path, clock: Clock) -> None:
    assert not state.has_spent("f00d")
    state.spend("f00d")
    assert state.has_spent("f00d")
    again = opened(tmp_path, clock)
    assert again.has_spent("f00d")
    again.close()


def test_a_permission_that_came_to_nothing_is_given_back(state: State) -> None:
    state.spend("f00d")
    state.spend("cafe")
    state.give_back("f00d")
    assert (state.has_spent("f00d"), state.has_spent("cafe")) == (False, True)


def test_manual_rows_are_remembered_while_they_are_reported(state: State, clock: Clock) -> None:
    state.remember_manual(["deactivate ana", "deactivate bob"])
    clock.sleep(80 * DAY)
    state.remember_manual(["deactivate bob"])
    clock.sleep(11 * DAY)
    state.remember_manual(["deactivate eve"])
    assert state.reported_manual() == {"deactivate bob", "deactivate eve"}


def test_manual_rows_are_forgotten_once_they_are_none(state: State) -> None:
    state.remember_manual(["deactivate ana", "deactivate bob"])
    state.remember_manual(["deactivate eve"], over=["deactivate ana"])
    assert state.reported_manual() == {"deactivate bob", "deactivate eve"}


# ---- folder and files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_state_or_journal(tmp_path: Path, clock: Clock, umask: int) -> None:
    before = os.umask(umask)
    try:
        state = opened(tmp_path / "state", clock)
        journal = state.begin("run", tmp_path / "journal.jsonl")
        journal.intend("r1", Action.INVITE, [invite("ana")])
        modes = {
            file.name: stat.S_IMODE(file.stat().st_mode)
            for file in (*(tmp_path / "state" / TENANT).iterdir(), tmp_path / "journal.jsonl")
        }
        folder = stat.S_IMODE((tmp_path / "state" / TENANT).stat().st_mode)
        journal.close()
        state.close()
    finally:
        os.umask(before)
    assert folder == 0o700
    assert modes == dict.fromkeys(
        ["state.db", "state.db-wal", "state.db-shm", "journal.jsonl"], 0o600
    )


def test_a_missing_folder_is_made_only_when_allowed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--init-state"):
        State.open(tmp_path / "state", TENANT, create=False)
    assert not (tmp_path / "state").exists()
    State.open(tmp_path / "state", TENANT, create=True).close()
    State.open(tmp_path / "state", TENANT, create=False).close()


def test_every_tenant_has_a_folder_of_its_own(tmp_path: Path) -> None:
    tenants = ["acme.example", "a/b", "a_b", "A_b", "..", "../acme.example", "x" * 300]
    for tenant in tenants:
        state = State.open(tmp_path / "state", tenant, create=True)
        assert not state.has_spent("f00d"), tenant
        state.spend("f00d")
        state.close()
    assert len(list((tmp_path / "state").iterdir())) == len(tenants)


def test_a_state_of_a_newer_version_is_left_alone(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / TENANT / "state.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match="newer version"):
        opened(tmp_path, clock)


def test_a_state_without_a_write_ahead_log_is_refused(tmp_path: Path) -> None:
    """SQLite falls back without a word, where the disk fails at the wrong moment or knows no shared memory."""
    path = tmp_path / "state.db"
    place = f"{path.as_uri()}?vfs=unix-dotfile"
    with (
        closing(sqlite3.connect(place, uri=True, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match=r"state\.db can't keep a write-ahead log"),
    ):
        Database(path, connection)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / TENANT).mkdir()
    (tmp_path / TENANT / "state.db").write_text("x" * 5000)
    with pytest.raises(StorageError, match="not a database"):
        opened(tmp_path, clock)


def test_a_peek_sees_what_is_there_and_keeps_nothing(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    state.begin("run").intend("r1", Action.INVITE, [invite("ana")])
    with lock.alone(tmp_path, TENANT, create=False):
        copy = State.peek(tmp_path, TENANT, now=clock.now)
        assert copy.doubtful() == {"invite ana@acme.example"}
        copy.spend("f00d")
        copy.close()
    assert not state.has_spent("f00d")


def test_a_peek_at_nothing_makes_nothing(tmp_path: Path) -> None:
    copy = State.peek(tmp_path / "state", TENANT)
    assert (copy.earlier(), copy.invited_recently([email("ana")])) == ({}, frozenset())
    copy.close()
    assert not list(tmp_path.iterdir())


class Counting(sqlite3.Connection):
    """Counts its transactions; the first of them is held up, and the second fails if it is told to."""

    commits = 0
    held = threading.Event()
    fails = False

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if statement == "COMMIT":
            self.commits += 1
            if self.commits == 1:
                self.held.wait(10)
            elif self.fails:
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(statement, *values)  # type: ignore[arg-type]


@pytest.mark.parametrize("fails", [False, True], ids=["well", "full"])
def test_whoever_waits_for_a_flush_is_in_the_next_one_together(fails: bool) -> None:
    """All of them or none: nobody takes for written what another one's trouble has undone."""
    with closing(
        sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=Counting)
    ) as connection:
        database = Database(Path(":memory:"), connection)
        connection.commits, connection.held, connection.fails = 0, threading.Event(), fails
        note = "INSERT INTO accepts VALUES (?, 0)"
        with ThreadPoolExecutor(9) as pool:
            first = pool.submit(database.write, (note, [("first",)]))
            while not connection.commits:
                pass
            others = [pool.submit(database.write, (note, [(f"{n}",)])) for n in range(8)]
            while len(database._waiting) < 8:
                pass
            connection.held.set()
        assert first.exception() is None
        assert {type(other.exception()) for other in others} == {
            StorageError if fails else type(None)
        }
        written = {name for (name,) in database.read("SELECT fingerprint FROM accepts")}
    assert connection.commits == 2
    assert written == {"first"} | (set() if fails else {f"{n}" for n in range(8)})


def test_what_a_writer_had_taken_when_it_was_interrupted_is_written_all_the_same() -> None:
    """Nobody comes back from a write whose steps are not on the disk."""
    with closing(
        sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    ) as connection:
        database = Database(Path(":memory:"), connection)
        with ThreadPoolExecutor(1) as pool:
            with database._guard:
                note = ("INSERT INTO accepts VALUES (?, 0)", [("f00d",)])
                waits = pool.submit(database.write, note)
                while not database._waiting:
                    pass
                database._waiting.popleft()
            assert waits.exception() is None
        assert database.read("SELECT fingerprint FROM accepts") == [("f00d",)]


def test_every_write_is_flushed_to_the_disk(state: State) -> None:
    assert state._db.read("PRAGMA journal_mode") == [("wal",)]
    assert state._db.read("PRAGMA synchronous") == [(2,)]


# ---- the readable copy ------------------------------------------------------------------------------------


def test_the_journal_can_be_read_while_it_grows(state: State, tmp_path: Path, clock: Clock) -> None:
    journal, ana = state.begin("run", tmp_path / "journal.jsonl"), invite("ana")
    at = "2026-09-21T14:13:20.000+00:00"

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]

    journal.intend("r1", Action.INVITE, [ana])
    assert lines() == [
        {"at": at, "event": "intent", "request": "r1", "action": "invite", "changes": [ana.key]}
    ]
    journal.accept("r1", [ana])
    journal.conclude([(ana, Outcome(Status.APPLIED, http_status=200, request_id="r1"))])
    assert lines()[1:] == [
        {"at": at, "event": "accepted", "request": "r1"},
        {
            "at": at,
            "event": "outcome",
            "request": "r1",
            "change": ana.key,
            "status": "applied",
            "code": "done",
            "http_status": 200,
            "message": "",
        },
    ]
    journal.close()


def test_lines_of_several_threads_are_whole(state: State, tmp_path: Path) -> None:
    journal, calls = state.begin("run", tmp_path / "journal.jsonl"), range(40)

    def work(worker: int) -> None:
        for call in calls:
            journal.accept(f"{worker}-{call}", [])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    told = [line["request"] for line in lines]
    assert sorted(told) == sorted(f"{worker}-{call}" for worker in range(8) for call in calls)
    for worker in range(8):
        assert [one for one in told if one.startswith(f"{worker}-")] == [
            f"{worker}-{call}" for call in calls
        ]


def test_a_line_is_left_to_whoever_is_writing(state: State, tmp_path: Path) -> None:
    """So nobody waits for the copy, and its lines leave together."""
    path = tmp_path / "journal.jsonl"
    os.mkfifo(path)
    with (
        os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as heard,
        closing(state.begin("run", path)) as journal,
        ThreadPoolExecutor(2) as pool,
    ):
        stuffed = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while True:
                os.write(stuffed, b"\n" * 4096)
        os.close(stuffed)
        first = pool.submit(journal.accept, "first", [])
        while not journal._copy._guard.locked():
            time.sleep(0.01)
        pool.submit(journal.accept, "second", []).result(timeout=10)
        assert not first.done()
        os.set_blocking(heard.fileno(), True)
        lines = (json.loads(line)["request"] for line in heard if line.strip())
        assert [next(lines), next(lines)] == ["first", "second"]
        first.result(timeout=10)


# ---- the disk does not play along -------------------------------------------------------------------------


def test_a_state_that_is_deleted_under_a_run_stops_it(state: State, tmp_path: Path) -> None:
    journal = state.begin("run")
    (tmp_path / TENANT / "state.db").unlink()
    with pytest.raises(StorageError, match="deleted or replaced"):
        journal.intend("r1", Action.INVITE, [invite("ana")])


def test_a_full_disk_is_noticed_before_anything_is_sent(state: State) -> None:
    (pages,) = state._db.read("PRAGMA page_count")[0]
    state._db.read(f"PRAGMA max_page_count = {pages}")
    many = [invite(f"person-{n}") for n in range(2000)]
    with pytest.raises(StorageError, match="full"):
        state.begin("run").intend("r1", Action.INVITE, many)
    assert state.open_intents() == ()


def test_a_full_disk_under_the_readable_copy_is_noticed_too(state: State) -> None:
    journal = state.begin("run", Path("/dev/full"))
    with pytest.raises(StorageError, match="No space left"):
        journal.intend("r1", Action.INVITE, [invite("ana")])
    assert state.open_intents() == ()


def test_what_the_readable_copy_has_no_room_for_is_in_the_state(
    state: State, tmp_path: Path, clock: Clock
) -> None:
    """The state may be on another disk; it is what the next run goes by."""
    ana, bob = invite("ana"), invite("bob")
    state.begin("run").intend("r1", Action.INVITE, [ana, bob])
    full = state.begin("run", Path("/dev/full"))
    for record in (
        lambda: full.accept("r1", [ana]),
        lambda: full.doubt("r1"),
        lambda: full.conclude([ended(bob, Status.FAILED)]),
    ):
        with pytest.raises(StorageError, match="No space left"):
            record()
    assert state.invited_recently([email("ana"), email("bob")]) == {email("ana")}
    assert [(i.email, i.doubt_since) for i in state.open_intents()] == [(email("ana"), NOON)]


def test_a_new_state_outlives_a_loss_of_power(tmp_path: Path) -> None:
    """A folder is on the disk when the folder that names it was flushed, not before."""
    code = f"""
        from pathlib import Path
        from onboarding.journal import State
        State.open(Path({str(tmp_path / "new" / "state")!r}), {TENANT!r}, create=True).close()
    """
    trace = tmp_path / "trace"
    tool = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace]
    subprocess.run([*tool, sys.executable, "-c", textwrap.dedent(code)], check=True)
    flushed = {line.partition("<")[2].partition(">")[0] for line in trace.read_text().splitlines()}
    home = tmp_path / "new" / "state" / TENANT
    assert flushed >= {str(home), str(home.parent), str(home.parent.parent), str(tmp_path)}


def test_a_folder_that_can_not_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="state or journal can't be read or written"):
        State.open(tmp_path / "state", TENANT, create=True)
