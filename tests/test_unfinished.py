"""A file that is not all there, or not what it was, is not carried out: nothing is sent, and the message says why.

In black box: the installed command, and a tenant that counts. The cut at every byte is tried on the reading alone.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crash.command import COMPILER, Machine

from onboarding.errors import SheetError
from onboarding.sheets import OneInput, Reading, read

PEOPLE = "email,role,groups\nnew1@acme.example,Guest,Finance\nnew2@acme.example,Member,Marketing\n"
UNATTENDED = Reading(final_line_break=True)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with closing(Machine(tmp_path_factory.mktemp("machine"))) as machine:
        yield machine


class Door:
    """A folder that files are put into, and the job that nobody watches."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder = folder
        self.machine = machine
        machine.tenant.post("/__sandbox__/reset", {})

    def put(self, content: str = PEOPLE, name: str = "people.csv") -> Path:
        path = self.folder / name
        path.write_text(content)
        os.utime(path, (path.stat().st_mtime - 60,) * 2)
        return path

    def vouch(self, content: str = PEOPLE) -> None:
        """Do as ``sha256sum people.csv >people.csv.sha256`` does."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        self.put(f"{digest}  people.csv\n", "people.csv.sha256")

    def run(self, *arguments: str) -> int:
        settings = ("--state", "state", "--reports", "reports", "--init-state")
        return self.machine.run(
            self.folder, *(arguments or ("run", "people.csv")), "--yes", *settings
        )

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    @property
    def sent(self) -> list[str]:
        return [each["method"] for each in self.machine.tenant.get("/__sandbox__/requests")]

    @property
    def invited(self) -> list[str]:
        return [mail["email"] for mail in self.machine.tenant.get("/__sandbox__/mails")]


@pytest.fixture
def door(tmp_path: Path, machine: Machine) -> Door:
    return Door(tmp_path, machine)


blackbox = pytest.mark.skipif(not COMPILER, reason="there is no C compiler")


@blackbox
def test_a_file_that_somebody_is_writing_is_not_carried_out(door: Door) -> None:
    door.put()
    with (door.folder / "people.csv").open("a") as writer:
        writer.write("new3@acme.example,Gue")
        writer.flush()
        soon = time.time() + 4  # the start of a process may take its time
        os.utime(writer.name, (soon, soon))
        assert door.run() == 3
    assert "is still being written" in door.said
    assert door.sent == []


@blackbox
def test_a_file_without_its_final_line_break_is_not_carried_out_where_nobody_is_asked(
    door: Door,
) -> None:
    door.put(PEOPLE.rstrip("\n"))
    assert door.run() == 3
    assert "no line break at its end" in door.said
    assert door.sent == []


@blackbox
def test_a_file_that_its_checksum_was_not_made_of_is_not_carried_out(door: Door) -> None:
    door.put()
    door.vouch(PEOPLE + "new3@acme.example,Guest,\n")
    assert door.run() == 3
    assert "is not what its checksum people.csv.sha256 was made of" in door.said
    assert door.sent == []


@blackbox
def test_a_file_that_was_changed_between_plan_and_apply_is_not_carried_out(door: Door) -> None:
    door.put()
    assert door.machine.run(door.folder, "plan", "people.csv", "--reports", "plans") == 0
    (plan,) = door.folder.glob("plans/*/plan.json")
    asked = len(door.sent)
    door.put(PEOPLE + "new3@acme.example,Guest,\n")
    assert door.run("apply", str(plan)) == 3
    assert "people.csv: changed since the plan was made" in door.said
    assert door.sent[asked:] == []


@blackbox
def test_a_file_that_its_checksum_vouches_for_needs_no_final_line_break(door: Door) -> None:
    door.put(PEOPLE.rstrip("\n"))
    door.vouch(PEOPLE.rstrip("\n"))
    assert door.run() == 0
    assert door.invited == ["new1@acme.example", "new2@acme.example"]


# ---- the reading alone ---------------------------------------------------------------------------------------------


def _rows(path: Path, reading: Reading = UNATTENDED) -> int:
    (table,) = read([str(path)], reading).tables
    return len(table.frame)


def _old(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (0, 0))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_cut_at_any_byte_of_its_last_two_rows_no_half_row_is_read(
    tmp_path: Path, ending: str, encoding: str
) -> None:
    """What was cut between two rows shows nothing of it: only a checksum, or a rename at the end, helps there."""
    whole = PEOPLE.replace("\n", ending).encode(encoding)
    header = PEOPLE.index("\n") + len(ending)
    start = len(PEOPLE[: header - len(ending)].encode(encoding)) + len(ending.encode("utf-16-le"))
    path = tmp_path / "people.csv"
    read_at = []
    for end in range(start, len(whole) + 1):
        try:
            rows = _rows(_old(path, whole[:end]))
        except SheetError:
            continue
        read_at.append((end, rows))
    for end, rows in read_at:
        assert PEOPLE.splitlines()[: rows + 1] == whole[:end].decode(encoding).splitlines()
    assert read_at[-1] == (len(whole), 2)


def test_cut_anywhere_a_file_is_not_what_its_checksum_was_made_of(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    whole = PEOPLE.encode()
    digest = hashlib.sha256(whole).hexdigest()
    _old(tmp_path / "people.csv.sha256", f"SHA2-256({path.name})= {digest.upper()}\n".encode())
    for end in range(len(whole)):
        _old(path, whole[:end])
        with pytest.raises(SheetError, match="is not what its checksum"):
            read([str(path)], Reading())
    assert _rows(_old(path, whole)) == 2


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"d41d8cd98f00b204e9800998ecf8427e  people.csv\n", id="md5"),
        pytest.param(hashlib.sha256(PEOPLE.encode()).hexdigest()[:63].encode(), id="cut"),
    ],
)
def test_a_checksum_that_is_none_vouches_for_nothing(tmp_path: Path, beside: bytes) -> None:
    _old(tmp_path / "people.csv.sha256", beside)
    with pytest.raises(SheetError, match="is not what its checksum"):
        read([str(_old(tmp_path / "people.csv", PEOPLE.encode()))], Reading())


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param("{right}", id="alone"),
        pytest.param("{right}  people.csv\n", id="sha256sum"),
        pytest.param("{wrong}  teams.csv\r\n{right} *people.csv\r\n", id="of-several"),
        pytest.param("{right}  ./people.csv\n{wrong}  ./my people.csv\n", id="with-a-folder"),
        pytest.param("SHA2-256(people.csv)= {right}", id="openssl"),
        pytest.param("File: people.csv\nSHA256: {right}\n", id="name-on-another-line"),
        pytest.param("# checksum of people.csv\n{right}\n", id="remark"),
    ],
)
def test_a_checksum_counts_for_the_file_that_it_names(tmp_path: Path, beside: str) -> None:
    """In a list of several, two files may have changed places."""
    path = _old(tmp_path / "people.csv", PEOPLE.encode())
    right, wrong = hashlib.sha256(PEOPLE.encode()).hexdigest(), "0" * 64
    _old(tmp_path / "people.csv.sha256", beside.format(right=right, wrong=wrong).encode())
    assert _rows(path) == 2
    _old(tmp_path / "people.csv.sha256", beside.format(right=wrong, wrong=right).encode())
    with pytest.raises(SheetError, match="is not what its checksum"):
        read([str(path)], Reading())


def test_who_will_be_asked_may_read_a_file_without_its_final_line_break(tmp_path: Path) -> None:
    path = _old(tmp_path / "people.csv", PEOPLE.rstrip("\n").encode())
    assert _rows(path, Reading()) == 2


def test_a_program_that_never_ends_a_file_with_a_line_break_can_be_named(tmp_path: Path) -> None:
    path = _old(tmp_path / "hr-1.csv", PEOPLE.rstrip("\n").encode())
    named = Reading(final_line_break=True, inputs={"hr-*.csv": OneInput(final_line_break=False)})
    assert _rows(path, named) == 2
    others = Reading(final_line_break=True, inputs={"it-*.csv": OneInput(final_line_break=False)})
    with pytest.raises(SheetError, match="final_line_break = false"):
        _rows(path, others)
