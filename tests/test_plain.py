"""What a column passes as plainly right, the rules pass too, and nobody has anything to say of it."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from onboarding.errors import SheetError
from onboarding.headers import Table
from onboarding.intake.cells import columns_of, read
from onboarding.intake.judged import _cleaned, _failures, _plain
from onboarding.schemas import NOTHING, ROLES, plain
from onboarding.sheets import Reading
from onboarding.sheets import read as read_sheets

LOCALS = ["ana", "Ben.Ng", "o'hara", "x", "a..b", ".c", "d.", "-e", "ö", "\u212a", " f", "'", "#g"]
DOMAINS = ["acme.example", "ACME.example", "b.example", "acme", "xn--cme-7cd.example", "x.invalid"]
DOMAINS += ["-a.example", "a_b.example", "c.example.", f"{'d' * 64}.example", "", "e.example,"]
ODD = ["", "@", "a@b@c.example", "ana@acme.example\nben@acme.example", "#N/A", "n/a", "ana"]
ADDRESSES = (
    st.builds(
        "{}{}@{}".format,
        st.sampled_from(LOCALS),
        st.sampled_from(["", "1", ".", "\n", "\u200b", "a" * 62, "b" * 70]),
        st.sampled_from(DOMAINS),
    )
    | st.sampled_from(ODD)
    | st.text("ab.@-_'& \n", max_size=12)
)
SOME_NAMES = ["Finance", "R&D, Ops", "Größe", " Ops ", "10.0", "1,5", "n/a", "—", "MÃ¼ller", "-"]
SOME_NAMES += ["Finаnce", '"A; B"', "“C”", "cn=x", "(d", "no", "R&amp;D", "\u200b", "a_x000D_b"]
NAMES = st.sampled_from([*SOME_NAMES, "x" * 256]) | st.text('ab,;|"“\n\r -()1.\u00a0', max_size=8)
WORDS = ["Member", "$guest", " ADMIN ", "boss", "", "-", "n/a", "active", "On_Leave", "left", "no"]
LISTS = st.builds(
    lambda names, mark: mark.join(names),
    st.lists(NAMES, max_size=3),
    st.sampled_from([";", ", ", "|", "\n", "; "]),
)
USERS = st.tuples(ADDRESSES, st.sampled_from(WORDS), st.sampled_from(WORDS), LISTS)
DOMAIN = frozenset({"acme.example"})


def table(headers: str, rows: list[tuple[str, ...]]) -> Table:
    """A table of these cells, of a file that quotes them all."""
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([headers.split(","), *rows])
    try:
        (found,) = read_sheets(["-"], Reading(), stdin=io.BytesIO(file.getvalue().encode())).tables
    except SheetError:
        assume(False)  # an address above the headers, a second table, ...
    return found


def said_of_what_is_plain(found: Table, domains: frozenset[str]) -> list[object]:
    """Judge and read again all that a column passes."""
    right = {
        name: np.flatnonzero(_plain(found, name, ROLES, domains)) for name in columns_of(found)
    }
    cells = {name: read(found, name, at) for name, at in right.items() if len(at)}
    failures = _failures(found, cells, ROLES, domains) if cells else []
    return [*failures, *_cleaned(found, cells, right)]


@given(rows=st.lists(USERS, min_size=1, max_size=6), domains=st.sampled_from([frozenset(), DOMAIN]))
@example(rows=[("a@b.example\nc@d.example", "", "", "1,5;a")], domains=frozenset())
def test_what_users_columns_pass_the_rules_pass(
    rows: list[tuple[str, ...]], domains: frozenset[str]
) -> None:
    assert said_of_what_is_plain(table("email,role,status,groups", rows), domains) == []


@given(rows=st.lists(st.tuples(ADDRESSES, NAMES, NAMES), min_size=1, max_size=6))
def test_what_numbered_groups_columns_pass_the_rules_pass(rows: list[tuple[str, ...]]) -> None:
    assert said_of_what_is_plain(table("email,group1,group2", rows), frozenset()) == []


@given(rows=st.lists(st.tuples(ADDRESSES, NAMES, st.sampled_from(WORDS)), min_size=1, max_size=6))
def test_what_memberships_columns_pass_the_rules_pass(rows: list[tuple[str, ...]]) -> None:
    assert said_of_what_is_plain(table("email,group,action", rows), DOMAIN) == []


@pytest.mark.parametrize(
    ("field", "cells", "right"),
    [
        pytest.param(
            "email",
            [
                "ana@acme.example",
                "o'hara.b@ACME.example",
                "bob",
                "",
                "c@x.example",
                "d..e@x.example",
            ],
            [True, True, False, False, True, False],
            id="addresses",
        ),
        pytest.param(
            "role", ["Member", " $guest", "", "boss"], [True, True, True, False], id="words"
        ),
        pytest.param("group", ["Ops", "", "n/a", "10.0"], [True, False, False, False], id="names"),
        pytest.param(
            "groups", ["A;B", "", "A; n/a", '"A;B"'], [True, True, False, False], id="several"
        ),
        pytest.param("groups", ["A,B", "A", "1,n/a"], [True, True, False], id="commas"),
        pytest.param("groups", ["A,B", "A;C"], [False, True], id="a comma beside others"),
        pytest.param("username", ["any thing"], [True], id="no rules"),
        pytest.param("description", ["any thing"], [False], id="rules for every cell"),
    ],
)
def test_a_column_passes_what_most_files_hold(
    field: str, cells: list[str], right: list[bool]
) -> None:
    found = plain(field, pd.Series(cells, dtype="str"), ROLES, frozenset(), commas=True)
    assert found.tolist() == right


def test_no_word_for_nothing_has_a_mark_at_which_lists_are_split() -> None:
    assert [word for word in NOTHING if not set(word).isdisjoint(";|,\n\r")] == []
