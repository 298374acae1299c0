"""Files of every shape and damage, each with what a careful person reads in every row: none may be read otherwise.

The cases and the oracle are in ``torture/``. What is in doubt may be refused or rejected; what is misread fails.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torture import (
    containers,
    exports,
    layouts,
    programs,
    render,
    text,
    values,
    workbooks,
)
from torture.truth import NO_ROW, Case, astray, case, differences

from onboarding.errors import SheetError
from onboarding.intake import Rules, take_in
from onboarding.report import not_compared
from onboarding.sheets import Inputs, Reading, read
from onboarding.workbooks import is_workbook

TEXTS = [*text.cases()]
LAYOUTS = [*layouts.cases()]
VALUES = [*values.cases()]
WORKBOOKS = [*workbooks.cases(), *programs.cases()]
EXPORTS = [*exports.cases()]
CONTAINERS = [*containers.cases()]
ALL = [*TEXTS, *LAYOUTS, *EXPORTS, *VALUES, *WORKBOOKS, *CONTAINERS]


def _named(cases: Iterable[Case]) -> Iterator[Any]:
    return (pytest.param(one, id=one.name) for one in cases)


@pytest.mark.parametrize("case", [*_named(ALL)])
def test_a_file_is_read_as_a_careful_person_would(case: Case, tmp_path: Path) -> None:
    assert differences(case, tmp_path / case.file) == []


def test_there_are_many_files_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) >= 900
    assert [name for name, times in Counter(one.file for one in ALL).items() if times > 1] == []
    assert {one.suffix for one in ALL} == {
        ".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"
    }  # fmt: skip


def test_the_same_files_are_made_in_every_run() -> None:
    again = [*text.cases(), *layouts.cases(), *values.cases()]
    assert [one.content for one in again if one.suffix != ".xlsx"] == [
        one.content for one in (*TEXTS, *LAYOUTS, *VALUES) if one.suffix != ".xlsx"
    ]


@pytest.mark.parametrize("case", [*_named([*TEXTS[::3], *LAYOUTS[::5], *EXPORTS[::2]])])
def test_the_plan_is_what_the_rows_ask_for(case: Case, tmp_path: Path) -> None:
    assert astray(case, tmp_path / case.file) == []


# ---- through the command ---------------------------------------------------------------------------------------------


def _validated(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("onboarding")
    return subprocess.run(
        [command, "validate", str(path), "--json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SAMPLE = [one for one in (*TEXTS[4::120], *WORKBOOKS[9::90], *CONTAINERS[3::50]) if not one.how]


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_the_command_says_the_same(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content)
    done = _validated(path, tmp_path)
    summary = json.loads(done.stdout)
    assert "Traceback" not in done.stderr
    assert summary["exit_code"] == done.returncode
    if refusal := _refusal(path):
        assert (done.returncode, summary["error"]) == (3, refusal)
        return
    intake = take_in(read([str(path)], Reading()).tables, Rules())
    results = not_compared(intake.rows, intake.findings)
    statuses = Counter(result.status.value for result in results)
    assert {status: n for status, n in summary["statuses"].items() if n} == statuses
    assert done.returncode == (1 if statuses["rejected"] else 0)


def _refusal(path: Path) -> str:
    try:
        read([str(path)], Reading())
    except SheetError as error:
        return str(error)
    return ""


# ---- places that are no files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", containers.PLACES)
def test_what_is_no_file_is_refused_at_once(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "people.csv"
    containers.PLACES[what](path)
    with pytest.raises(SheetError, match=re.escape(path.name)):
        read([str(path)], Reading())


# ---- what another program writes -------------------------------------------------------------------------------------

CALC = shutil.which("soffice")
ALIKE = re.compile(
    r"(hidden row|filter|roles merged|merged title|cell (error|calculated error|string|number|true)|\d, carried)$"
)


def _rewritten() -> list[Case]:
    """The layouts as .xlsx, and workbooks that mean the same after a program has read and written them."""
    plain = [one for one in LAYOUTS if one.name.endswith(" xlsx")]
    return [*plain[::4], *(one for one in WORKBOOKS if ALIKE.search(one.name) and not one.safe)]


@pytest.mark.skipif(not CALC, reason="LibreOffice writes these files: install libreoffice-calc")
@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_what_libreoffice_writes_is_read_alike(kind: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    cases = _rewritten()
    for number, one in enumerate(cases):
        (made / f"{number}.xlsx").write_bytes(one.content)
    assert CALC
    subprocess.run(
        [
            *(CALC, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"),
            *("--convert-to", kind, "--outdir", str(tmp_path)),
            *map(str, sorted(made.iterdir())),
        ],
        capture_output=True,
        timeout=240,
        check=True,
    )
    wrong = {}
    for number, one in enumerate(cases):
        content = (tmp_path / f"{number}.{kind}").read_bytes()
        again = Case(one.name, f".{kind}", content, one.sheets, one.refused, one.safe)
        if found := differences(again, tmp_path / f"again-{number}.{kind}"):
            wrong[one.name] = found
    assert wrong == {}


# ---- what nobody thought of ------------------------------------------------------------------------------------------

SEEDS = [one.content for one in (*TEXTS[::7], *LAYOUTS[::9]) if not is_workbook(one.content)]
BOOKS = [one.content for one in (*WORKBOOKS[::3], *LAYOUTS[3::13]) if is_workbook(one.content)]
WORDS = [
    b'"',
    b"\r\n",
    b"\n",
    b"\r",
    b",",
    b";",
    b"\t",
    b"|",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"email",
    b"group",
    b"sep=;",
]


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Cut, double, drop and put in bytes somewhere in a real file."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        upto = draw(st.integers(at, min(len(content), at + 40)))
        middle = draw(
            st.one_of(st.just(b""), st.sampled_from(WORDS), st.binary(max_size=4), st.just(content[at:upto] * 2))
        )  # fmt: skip
        content = content[:at] + middle + content[upto:]
    return content


@st.composite
def mutated_books(draw: st.DrawFn) -> bytes:
    """The same inside one part of a workbook, packed again without a fault."""
    members = dict(render.unzipped(draw(st.sampled_from(BOOKS))))
    if not members:
        return draw(mutated(BOOKS))
    name = draw(st.sampled_from(sorted(members)))
    members[name] = draw(mutated([members[name]]))
    return render.zipped(members)


def _accounted(content: bytes) -> Inputs | None:
    """Read it; whatever else it is, each of its lines must be either a row or said to be none."""
    try:
        inputs = read(["-"], Reading(), stdin=io.BytesIO(content))
    except SheetError:
        return None
    for table in inputs.tables:
        rows = [int(number) for number in table.frame.index]
        lines = sorted([*rows, *table.ignored])
        assert lines == list(range(1, len(lines) + 1))
        assert rows == sorted(rows)
    intake = take_in(inputs.tables, Rules())
    assert len(not_compared(intake.rows, intake.findings)) == sum(
        len(t.frame) for t in inputs.tables
    )
    return inputs


@settings(deadline=dt.timedelta(seconds=20))
@given(mutated(SEEDS))
def test_a_damaged_text_is_read_to_the_last_line_or_refused(content: bytes) -> None:
    _accounted(content)


@settings(deadline=dt.timedelta(seconds=20))
@given(st.one_of(mutated(BOOKS), mutated_books()))
def test_a_damaged_workbook_is_read_to_the_last_line_or_refused(content: bytes) -> None:
    _accounted(content)


HEADERS = [
    "email",
    "role",
    "groups",
    "group",
    "status",
    "action",
    "description",
    "Name",
    "E-Mail",
    "x",
    "",
]
CELLS = [
    "ana@acme.example",
    "ben@acme.example",
    "Member",
    "Guest",
    "Ops",
    "Ops; HR",
    "remove",
    "inactive",
    "",
    " ",
    "a\nb",
    '"',
    "Total",
]


@given(
    st.lists(st.sampled_from(HEADERS), min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from(CELLS), max_size=7), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
)
def test_any_table_is_accounted_for(
    headers: list[str], rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    """And what asks for something stands in the file: no address comes from anywhere else."""
    written = render.text([headers, *rows], delimiter=delimiter)
    inputs = _accounted(written.encode(encoding))
    if inputs:
        desired = take_in(inputs.tables, Rules()).desired
        named = {*desired.persons, *desired.grants, *desired.revokes}
        assert named <= {cell for row in rows for cell in row}


# ---- the oracle itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("email,role\nana@acme.example,Guest\n", "was not understood", id="another role"),
        pytest.param("email,role\nana@acme.example,Boss\n", "is good, and was rejected", id="rejected"),
        pytest.param("email,role\n\nana@acme.example,Member\n", "row :3 is reported", id="another row"),
        pytest.param("mail addr;x\n", "was refused", id="refused"),
        pytest.param("email,role\nana@acme.example,Member\nb@acme.example,Guest\n", "stands nowhere", id="one more"),
        pytest.param("email,role\n", "row :2 is not reported", id="one less"),
    ],
)  # fmt: skip
def test_the_oracle_sees_what_is_wrong(written: str, said: str, tmp_path: Path) -> None:
    lines = [layouts.LAYOUTS[0].lines[0], layouts.LAYOUTS[0].lines[1]]
    other = case("other", ".csv", written.encode(), lines)
    assert said in "; ".join(differences(other, tmp_path / "other.csv"))


def test_the_oracle_wants_refusals_for_their_reason(tmp_path: Path) -> None:
    made = case("blank", ".csv", b"", refused="password")
    assert "for another reason" in "; ".join(differences(made, tmp_path / "blank.csv"))
    read_after_all = case("read", ".csv", b"email,role\n", [layouts.Line((), NO_ROW)], refused=".")
    assert "should be refused" in "; ".join(differences(read_after_all, tmp_path / "read.csv"))
