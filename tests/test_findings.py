"""Findings that are kept by column say the same as findings that are made one by one, and are counted alike."""

from __future__ import annotations

from itertools import pairwise

import pytest
from builders import row
from hypothesis import example, given
from hypothesis import strategies as st

from onboarding.findings import Cause, Findings
from onboarding.model import Finding, RowRef, Severity
from onboarding.report import not_compared
from onboarding.writers.text import diagnostics

CODES = ("email-invalid", "role-unknown")
ROWS = [RowRef(table, number, f"{table}.csv") for table in (0, 1) for number in range(2, 9)]


def place(finding: Finding) -> tuple[int, int]:
    return (finding.row.table, finding.row.row) if finding.row else (-1, 0)


def cause(code: str, table: int, rows: list[int], column: str = "email") -> Cause:
    values = [f" {table}/{number} " for number in rows]
    return Cause(
        code,
        table,
        f"{table}.csv",
        column,
        rows,
        values.__getitem__,
        lambda at: f"is wrong: {values[at].strip()}",
    )


CAUSES = st.lists(
    st.builds(
        cause,
        st.sampled_from(CODES),
        st.sampled_from([0, 1]),
        st.lists(st.integers(2, 8), unique=True).map(sorted),
        st.sampled_from(["email", "role"]),
    ),
    max_size=4,
)
LONG = st.builds(cause, st.sampled_from(CODES), st.just(0), st.just([*range(2, 40)]))
SINGLE = st.lists(
    st.builds(
        Finding,
        st.sampled_from([*CODES, "row-ragged"]),
        st.just("is so"),
        st.none() | st.sampled_from(ROWS),
        severity=st.sampled_from(Severity),
        source=st.just("0.csv"),
    ),
    max_size=4,
)


def test_a_finding_of_a_cause_names_its_cell() -> None:
    found = Findings([], [cause("email-invalid", 0, [2, 5])])
    assert len(found) == 2
    assert found[1] == Finding(
        "email-invalid", "is wrong: 0/5", RowRef(0, 5, "0.csv"), "email", "0/5"
    )


def test_what_was_found_before_stands_first() -> None:
    note = Finding("column-unknown", "is no known column", source="1.csv")
    ragged = Finding("row-ragged", "has 4 cells", row(3))
    found = Findings([ragged], [cause("email-invalid", 0, [2])], place).behind([note])
    assert [finding.code for finding in found] == ["column-unknown", "email-invalid", "row-ragged"]
    assert found == (note, found[1], ragged)
    assert found != (note, ragged)


def test_rows_are_parted_by_whether_more_is_to_be_said_of_them() -> None:
    one, other = cause("email-invalid", 0, [2, 3, 4, 6]), cause("role-unknown", 0, [3, 5, 6])
    single, alike = Findings([], [one, other], place).parted(besides=[RowRef(0, 5, "0.csv")])
    assert [(f.row, f.code) for f in single] == [(RowRef(0, 5, "0.csv"), "role-unknown")]
    assert alike == [
        (RowRef(0, 2, "0.csv"), [2, 4], [one.of(2)]),
        (RowRef(0, 3, "0.csv"), [3, 6], [one.of(3), other.of(3)]),
    ]


def test_a_row_of_which_something_was_said_before_is_looked_at_by_itself() -> None:
    note = Finding("row-ragged", "has 4 cells", RowRef(0, 2, "0.csv"), severity=Severity.NOTE)
    found = Findings([], [cause("email-invalid", 0, [2, 3])], place).behind([note])
    single, alike = found.parted()
    assert [f.code for f in single] == ["row-ragged", "email-invalid"]
    assert [lot.numbers for lot in alike] == [[3]]


@given(SINGLE, CAUSES, st.sets(st.sampled_from(ROWS)))
def test_rows_that_are_parted_are_all_there_once_with_all_that_is_wrong(
    single: list[Finding], causes: list[Cause], besides: set[RowRef]
) -> None:
    found = Findings(single, causes, place)
    by_one, alike = found.parted(besides)
    said: dict[RowRef | None, list[Finding]] = {}
    for finding in found:
        said.setdefault(finding.row, []).append(finding)
    lots = [
        (lot, RowRef(lot.first.table, n, lot.first.source)) for lot in alike for n in lot.numbers
    ]
    apart = {finding.row for finding in by_one}
    assert len(by_one) + sum(len(lot.wrong) for lot, _ in lots) == len(found)
    assert apart.isdisjoint(where for _, where in lots)
    assert besides.isdisjoint(where for _, where in lots)
    for lot, where in lots:
        assert lot.first <= where
        assert lot.wrong == said[lot.first]
        assert [(f.code, f.column) for f in lot.wrong] == [(f.code, f.column) for f in said[where]]


@given(SINGLE, CAUSES)
def test_by_column_or_one_by_one_makes_no_difference(
    single: list[Finding], causes: list[Cause]
) -> None:
    found = Findings(single, causes, place)
    assert len(found) == len(tuple(found))
    assert all(place(a) <= place(b) for a, b in pairwise(found))
    by_column, by_one = not_compared(ROWS, found), not_compared(ROWS, tuple(found))
    assert by_column.fates() == by_one.fates()
    assert list(by_column) == list(by_one)


@given(SINGLE, CAUSES | st.lists(LONG, max_size=2), st.integers(1, 3))
@example(
    [
        Finding("email-invalid", "is so", None, severity=Severity.REJECT, source="0.csv"),
        Finding("role-unknown", "is so", None, severity=Severity.REJECT, source="0.csv"),
    ],
    [cause("email-invalid", 0, [])],
    1,
)
@example([], [cause("role-unknown", 0, [2]), cause("email-invalid", 0, [2])], 1)
def test_a_terminal_shows_the_same_of_both(
    single: list[Finding], causes: list[Cause], few: int
) -> None:
    found = Findings(single, causes, place)
    assert diagnostics(found, few=few) == diagnostics(tuple(found), few=few)


@pytest.mark.parametrize("at", [slice(1, 3), slice(None, None, 2)])
def test_a_part_of_them_is_what_lies_there(at: slice) -> None:
    found = Findings([], [cause("email-invalid", 0, [2, 3, 5])])
    assert found[at] == tuple(found)[at]
