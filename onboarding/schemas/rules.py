"""Cells of one table in, a ``Failure`` for each that is not valid out: the rules, as pandera schemas, one per kind of table.

The name of each check is the code of the finding. Everything is text and stays text: nothing is coerced, so that a
failure still shows what the cell says. Checks work on whole columns, and look at each text once. Whoever imports this
pays for pandera, so that only happens where a cell is not ``plain``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from onboarding.model import Role
from onboarding.schemas.addresses import HOPELESS, fault, meant
from onboarding.schemas.damage import damage, disguised, garbled
from onboarding.schemas.names import LONGEST, no_name
from onboarding.schemas.text import label, names
from onboarding.schemas.words import ADD, NO, REMOVE, STANDINGS, YES

_TOLD = 1
"""Cases that an exception lists: it would spell out half a million of them, and has the whole column's verdict anyway."""


class _Stumbled(BaseException):
    """A bug in a rule, on its way past pandera, which takes every ``Exception`` for a cell that is not valid."""

    def __init__(self, bug: Exception) -> None:
        self.bug = bug


class Failure(NamedTuple):
    """The cells of a column that are not valid for one reason."""

    column: str
    code: str
    cells: pd.Series[str]
    """As they are read; the index holds the numbers of their rows."""

    def words(self, place: int) -> str:
        """Say what is wrong with one of them, to be read behind the value."""
        return _MESSAGES[self.code](str(self.cells.iat[place]))


def judge(
    cells: pd.DataFrame,
    kind: str,
    roles: Mapping[str, Role],
    domains: frozenset[str],
    *,
    commas: bool = True,
) -> list[Failure]:
    """Judge every cell by the schema of its kind; each cell fails once, by the first rule that it breaks.

    ``cells`` has a column for each field, ``groups1``, ``groups2``, … for several groups cells (then ``commas`` are part
    of a name), and the table's row numbers as index; words are folded. The exception that pandera raises holds
    everybody's data and goes no further.
    """
    split = partial(names, commas=commas and "groups1" not in cells)
    schema = _schema(kind, roles, domains, split)
    try:
        schema.validate(cells, lazy=True)
    except SchemaErrors as errors:
        return [*_failures(errors, cells)]
    except _Stumbled as found:
        raise found.bug from found.bug.__cause__
    return []


def _failures(errors: SchemaErrors, cells: pd.DataFrame) -> Iterator[Failure]:
    left = {name: pd.Series(True, index=cells.index) for name in cells}
    for error in errors.schema_errors:
        code, column = str(error.check.name), str(error.schema.name)
        wrong = left[column] & ~error.check_output
        if code == "cell-damaged" and column == "group" and "internal_name" in cells:
            wrong &= cells["internal_name"] == ""  # else somebody insists on the name
        left[column] &= ~wrong
        if wrong.any():
            yield Failure(column, code, cells[column][wrong])


# ---- the schemas: a column, its rules in the order in which they are told --------------------------------------------

_Fault = Callable[[str], str]
_Split = Callable[[str], Iterable[str]]
_Rule = Callable[["pd.Series[str]"], "pd.Series[bool]"]


def _whole(cell: str) -> tuple[str]:
    return (cell,)


def _schema(
    kind: str, roles: Mapping[str, Role], domains: frozenset[str], split: _Split
) -> pa.DataFrameSchema:
    address = [_present("email-missing"), _addresses(), *([_at(domains)] if domains else [])]
    group = [_present("group-missing"), *_names(lambda cell: (label(cell),))]
    columns: Mapping[str, list[pa.Check]]
    match kind:
        case "users":
            columns = {
                "email": address,
                "role": [_one_of("role-unknown", roles)],
                r"status\d*": [_one_of("status-unknown", STANDINGS)],
                r"blocked\d*": [_one_of("status-unknown", YES | NO)],
                r"groups\d*": _names(split),
            }
        case "groups":
            columns = {
                "group": group,
                "internal_name": [*_faultless(_whole, ("cell-damaged", damage)), _internal_names()],
                "description": [
                    *_faultless(_whole, ("cell-garbled", garbled)),
                    _short("description-too-long"),
                ],
                "default": [_one_of("default-unknown", YES | NO)],
            }
        case _:
            columns = {
                "email": address,
                "group": group,
                "action": [_one_of("action-unknown", ADD | REMOVE)],
            }
    return pa.DataFrameSchema(
        {
            name: pa.Column(str, checks, required=False, regex="\\" in name)
            for name, checks in columns.items()
        },
        name=kind,
    )


def _check(code: str, rule: _Rule) -> pa.Check:
    def outcome(cells: pd.Series[str]) -> pd.Series[bool]:
        try:
            return rule(cells)
        except Exception as bug:
            raise _Stumbled(bug) from bug

    return pa.Check(outcome, name=code, n_failure_cases=_TOLD)


def _present(code: str) -> pa.Check:
    return _check(code, lambda cells: cells != "")


def _one_of(code: str, known: Mapping[str, object] | frozenset[str]) -> pa.Check:
    return _check(code, lambda cells: cells.isin(["", *known]))


def _short(code: str) -> pa.Check:
    return _check(code, lambda cells: cells.str.len() <= LONGEST)


def _addresses() -> pa.Check:
    def rule(cells: pd.Series[str]) -> pd.Series[bool]:
        texts = cells.tolist()
        right = {a: not a or not (HOPELESS.fullmatch(a) or fault(a)) for a in set(texts)}
        return pd.Series([right[text] for text in texts], cells.index, bool)

    return _check("email-invalid", rule)


def _at(domains: frozenset[str]) -> pa.Check:
    """Let only these domains pass, compared letter by letter."""

    def rule(cells: pd.Series[str]) -> pd.Series[bool]:
        # cells.str.lower() makes with pyarrow an i of a dotted İ, which is another letter
        known = {"", *domains}
        right = [cell.rpartition("@")[2].lower() in known for cell in cells.tolist()]
        return pd.Series(right, cells.index, bool)

    return _check("domain-not-allowed", rule)


def _names(split: _Split) -> list[pa.Check]:
    """Judge names of groups, of which a cell may hold several."""
    rules = (
        ("cell-damaged", damage),
        ("cell-garbled", garbled),
        ("group-name-invalid", no_name),
    )
    return _faultless(split, *rules)


def _faultless(split: _Split, *rules: tuple[str, _Fault]) -> list[pa.Check]:
    """Let pass what has no fault in any part; there are far fewer names of groups than cells, which are split but once."""
    parts: dict[Hashable, set[str]] = {}  # by column

    def rule(wrong: _Fault, cells: pd.Series[str]) -> pd.Series[bool]:
        if cells.name not in parts:
            parts[cells.name] = set().union(*map(split, cells.tolist()))
        faulty = {part for part in parts[cells.name] if wrong(part)}
        if not faulty:
            return pd.Series(True, index=cells.index)
        return ~cells.isin([c for c in cells.unique().tolist() if not faulty.isdisjoint(split(c))])

    return [_check(code, partial(rule, wrong)) for code, wrong in rules]


def _internal_names() -> pa.Check:
    pattern = rf"(?:[a-z0-9_]{{1,{LONGEST}}})?"
    return _check("internal-name-invalid", lambda cells: cells.str.fullmatch(pattern))


# ---- what a failure is called ----------------------------------------------------------------------------------------


def _of_address(cell: str) -> str:
    near = meant(cell)
    return f"is not an e-mail address: {fault(cell)}" + (f"; was it {near}?" if near else "")


def _of_word(words: str) -> _Fault:
    """Word that a cell is none of the known words, and why it may look like one all the same."""

    def message(cell: str) -> str:
        looks = disguised(cell) or damage(cell)
        return f"{words}; it {looks}" if looks else words

    return message


def _of_names(wrong: _Fault) -> _Fault:
    """Word what is wrong with a name, naming it where the cell holds several."""

    def message(cell: str) -> str:
        if told := wrong(cell) or wrong(label(cell)):
            return told
        named = ((name, wrong(name)) for name in names(cell))
        return next(f'names "{name}", which {told}' for name, told in named if told)

    return message


_MESSAGES: Mapping[str, _Fault] = {
    "email-missing": lambda _: "is blank",
    "email-invalid": _of_address,
    "domain-not-allowed": lambda cell: (
        f"is at {cell.rpartition('@')[2]}, which is no allowed domain"
    ),
    "role-unknown": _of_word("is no role; the roles are Guest, Member and Admin"),
    "status-unknown": _of_word("is no known status"),
    "action-unknown": _of_word("is neither add nor remove"),
    "default-unknown": _of_word("is neither yes nor no"),
    "group-missing": lambda _: "is blank",
    "cell-damaged": _of_names(damage),
    "cell-garbled": _of_names(garbled),
    "group-name-invalid": _of_names(no_name),
    "internal-name-invalid": lambda _: (
        "is no internal name: only a to z, 0 to 9 and _ may be in it"
    ),
    "description-too-long": lambda cell: f"has {len(cell)} characters; a tenant keeps {LONGEST}",
}
