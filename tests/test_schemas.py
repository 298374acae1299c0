"""What a cell means: rule by rule, and line by line of the tables in docs/sheets.md."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding import schemas
from onboarding.cli.signals import Signals
from onboarding.codes import CODES
from onboarding.errors import Interrupted, UsageError
from onboarding.intake import Rules, take_in
from onboarding.model import Role, Severity, Standing
from onboarding.schemas import (
    ADD,
    BLANKS,
    NO,
    PLAIN,
    REMOVE,
    ROLES,
    STANDINGS,
    YES,
    clean,
    fault,
    fold,
    label,
    names,
    plain,
    role_words,
    rules,
    tidied,
    unusual,
)
from onboarding.schemas.addresses import _ALONE, _AROUND, HOPELESS, meant
from onboarding.schemas.damage import damage, degarbled, disguised, garbled
from onboarding.schemas.rules import _MESSAGES, judge
from onboarding.schemas.words import _WORDS_OF
from onboarding.sheets import Reading, read


class Failed(NamedTuple):
    """One cell that fails."""

    row: int
    column: str
    code: str
    value: str
    words: str


def failures(
    kind: str, *, domains: frozenset[str] = frozenset(), **columns: list[str]
) -> list[Failed]:
    """Judge columns of cells, in rows from 2; in the order of the rows."""
    rows = range(2, 2 + len(next(iter(columns.values()))))
    judged = judge(pd.DataFrame(columns, index=rows, dtype="str"), kind, ROLES, domains)
    cells = [
        Failed(int(str(row)), failure.column, failure.code, value, failure.words(place))
        for failure in judged
        for place, (row, value) in enumerate(failure.cells.to_dict().items())
    ]
    return sorted(cells, key=lambda cell: (cell.row, [*columns].index(cell.column)))


def verdict(kind: str, *, domains: frozenset[str] = frozenset(), **cells: str) -> str:
    """Judge one row; the code and words of what is wrong with it."""
    columns = {name: [cell] for name, cell in cells.items()}
    found = failures(kind, domains=domains, **columns)
    return "; ".join(f"{f.code}: {f.words}" for f in found)


def test_sound_rows_have_no_failures() -> None:
    assert (
        failures(
            "users",
            email=["ana@acme.example", "ben@acme.example"],
            role=["$member", ""],
            status=["active", "on leave"],
            groups=["Finance; Ops", ""],
        )
        == []
    )
    assert (
        failures(
            "groups", group=["Ops"], internal_name=["ops"], description=["(clear)"], default=["yes"]
        )
        == []
    )
    assert failures("memberships", email=["a@acme.example"], group=["Ops"], action=["remove"]) == []


def test_a_failure_says_where_and_what() -> None:
    found = failures("users", email=["ana@acme.example", "ben@acme"], role=["boss", "member"])
    assert found == [
        (2, "role", "role-unknown", "boss", "is no role; the roles are Guest, Member and Admin"),
        (
            3,
            "email",
            "email-invalid",
            "ben@acme",
            "is not an e-mail address: it has no dot after the @",
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "cells", "code"),
    [
        ("users", {"email": ""}, "email-missing"),
        ("users", {"email": "x"}, "email-invalid"),
        ("users", {"email": "a@acme.example", "role": "owner"}, "role-unknown"),
        ("users", {"email": "a@acme.example", "status": "perhaps"}, "status-unknown"),
        ("users", {"email": "a@acme.example", "blocked": "perhaps"}, "status-unknown"),
        ("users", {"email": "a@acme.example", "groups": "x" * 256}, "group-name-invalid"),
        (
            "users",
            {"email": "a@acme.example", "groups": "a", "groups1": "x" * 256},
            "group-name-invalid",
        ),
        ("groups", {"group": ""}, "group-missing"),
        ("groups", {"group": "x" * 256}, "group-name-invalid"),
        ("groups", {"group": "a", "internal_name": "A b"}, "internal-name-invalid"),
        ("groups", {"group": "a", "internal_name": "a\n"}, "internal-name-invalid"),
        ("groups", {"group": "a", "internal_name": "x" * 256}, "internal-name-invalid"),
        ("groups", {"group": "a", "description": "x" * 256}, "description-too-long"),
        ("groups", {"group": "a", "default": "perhaps"}, "default-unknown"),
        ("memberships", {"email": "", "group": "a"}, "email-missing"),
        ("memberships", {"email": "a@acme.example", "group": ""}, "group-missing"),
        (
            "memberships",
            {"email": "a@acme.example", "group": "a", "action": "move"},
            "action-unknown",
        ),
    ],
)
def test_every_rule_has_its_code(kind: str, cells: dict[str, str], code: str) -> None:
    assert verdict(kind, **cells).startswith(f"{code}: ")


def test_every_code_is_explained() -> None:
    assert _MESSAGES.keys() <= CODES.keys()


def test_a_signal_passes_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    def signalled(_: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "is odd"

    monkeypatch.setattr(rules, "fault", signalled)
    with Signals().handled(), pytest.raises(Interrupted):
        verdict("users", email="ana@acme.example")


@pytest.mark.parametrize("bug", [ZeroDivisionError(), MemoryError()])
def test_a_bug_in_a_rule_is_raised_as_it_is(
    monkeypatch: pytest.MonkeyPatch, bug: Exception
) -> None:
    def stumble(_: str) -> str:
        raise bug

    monkeypatch.setattr(rules, "fault", stumble)
    with pytest.raises(type(bug)) as caught:
        verdict("users", email="ana@acme.example")
    assert caught.value is bug


@pytest.mark.parametrize("fails", ["import_module", "Thread"])
def test_whoever_can_not_load_the_rules_ahead_says_nothing(
    monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    told: list[object] = []

    def fail(*_: object, **__: object) -> None:
        raise {"import_module": ImportError, "Thread": RuntimeError}[fails]

    monkeypatch.setattr(threading, "excepthook", told.append)
    monkeypatch.setattr(schemas, fails, fail)
    before = {*threading.enumerate()}
    schemas.load_rules()
    for thread in {*threading.enumerate()} - before:
        thread.join()
    assert told == []


def test_a_long_list_of_short_names_is_no_long_name() -> None:
    assert verdict("users", email="a@acme.example", groups=";".join(["Finance"] * 99)) == ""


def test_one_failure_is_told_of_a_cell() -> None:
    allowed = frozenset({"acme.example"})
    assert verdict("users", domains=allowed, email="ben@other") == (
        "email-invalid: is not an e-mail address: it has no dot after the @"
    )


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("a@acme.example", True),
        ("a@ACME.example", True),
        ("a@sub.acme.example", False),
        ("a@acme.example.evil.example", False),
        ("a@acmе.example", False),
        ("a@gmial.example", False),
    ],
)
def test_only_allowed_domains_pass_letter_by_letter(address: str, passes: bool) -> None:
    found = verdict("memberships", domains=frozenset({"acme.example"}), email=address, group="x")
    assert (found == "") is passes


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param("ana@acme.example", "", id="plain"),
        pytest.param("Ana.O'Neil+x@Sub-1.Acme.Example", "", id="much"),
        pytest.param("a_b-c&d.e'f@x-1.acme.example", "", id="as much as is plain"),
        pytest.param("#ana@acme.example", "is the row commented out?", id="commented out"),
        pytest.param("=ana@acme.example", 'begins with "="', id="a formula"),
        pytest.param("ana%evil.example@acme.example", "send it on", id="routed"),
        pytest.param(
            "ann_x.example#EXT#@acme.example", "Microsoft's name", id="a guest account's name"
        ),
        pytest.param(
            "ana@acme.example, ben@acme.example", "holds 2 addresses", id="several addresses"
        ),
        pytest.param("zoë@acme.example", "", id="an accent"),
        pytest.param("иван@почта.рф", "", id="all in one other alphabet"),
        pytest.param("bob@acme", "it has no dot after the @", id="no dot"),
        pytest.param("bob@", "nothing follows the @", id="no domain"),
        pytest.param("bob", "must have an @-sign", id="no @"),
        pytest.param("a@b@acme.example", "invalid characters", id="two @"),
        pytest.param("b ob@acme.example", "SPACE", id="a blank inside"),
        pytest.param("bob@acme..example", "two periods", id="two dots"),
        pytest.param("bob@acme.example,", "','", id="a comma behind"),
        pytest.param("Bob <bob@acme.example>", "display name", id="a name before"),
        pytest.param("bob@127.0.0.1", "top-level domain", id="a number for a domain"),
        pytest.param("bob@laptop.local", "special-use", id="a special-use domain"),
        pytest.param(
            "x" * 65 + "@acme.example", "more than 64 characters", id="too long before the @"
        ),
        pytest.param(
            "\u0430na@acme.example", 'holds "\u0430" (cyrillic small letter a)', id="Cyrillic name"
        ),
        pytest.param("ana@\u0430cme.example", "another alphabet", id="Cyrillic in the domain"),
        pytest.param(
            "ana@xn--cme-7cd.example", "another alphabet", id="Cyrillic in the domain, spelled xn--"
        ),
        pytest.param("ana@acme.ex\u03b1mple", "greek small letter alpha", id="Greek in the domain"),
        pytest.param("\uff41na@acme.example", "fullwidth", id="full-width letters"),
        pytest.param("\u0251na@acme.example", "latin small letter alpha", id="phonetic letters"),
        pytest.param("\U0001f600@acme.example", "grinning face", id="a picture"),
        pytest.param("a\u202eb@acme.example", "right-to-left override", id="written backwards"),
    ],
)
def test_an_address_is_judged_with_a_reason(address: str, reason: str) -> None:
    found = fault(address)
    assert bool(found) is bool(reason)
    assert reason in found


ADDRESS = st.from_regex(
    r"\A[a-zA-Z0-9_+'&.\-]{1,66}@([a-z0-9\-]{1,64}\.){1,3}[a-z]{1,8}\Z", fullmatch=True
)


@settings(max_examples=300)
@given(
    ADDRESS | st.sampled_from(["a@b.test", "a@b.local", "a@xn--a.com", "a@b--c.com", "a@ab--c.com"])
)
def test_the_quick_pattern_never_passes_what_the_library_refuses(address: str) -> None:
    if PLAIN.fullmatch(address):
        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            pytest.fail(f"{address}: {error}")


@pytest.mark.parametrize("letter", ["\u0130", "\u0131", "\u017f", "\u212a"])
def test_a_letter_that_is_ascii_only_without_case_is_not_plain(letter: str) -> None:
    texts = [f"{letter}pek@acme.example", f"ana@{letter}cme.example", f"ana@acme.{letter}o"]
    for cells in (texts, [*texts, *["ana@acme.example"] * 9]):
        column = pd.Series(cells, dtype="str")
        assert not plain("email", column, ROLES, frozenset(), commas=True)[:3].any()


@given(st.text("ab.@<>: ä\u3002'+-", max_size=9) | st.text(max_size=9))
def test_what_is_no_address_for_sure_has_a_fault(text: str) -> None:
    assert not HOPELESS.fullmatch(text) or fault(text)


@given(st.text("ab.@<>:;, ä\u0308'+-_x0009", max_size=9) | st.text(max_size=9))
def test_around_what_is_all_signs_of_addresses_nothing_is_found(cell: str) -> None:
    if _ALONE.fullmatch(cell) and clean(cell) == cell:
        assert [without(cell) for _, without in _AROUND] == [cell] * len(_AROUND)
        assert unicodedata.normalize("NFC", cell.strip()) == cell


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(fault(text), str)
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  ana@acme.example\t", "ana@acme.example"),
        ("\u00a0ana@acme.example\u200b", "ana@acme.example"),
        ("ana\u200b@acme.example", "ana@acme.example"),
        ("\u202aana@acme.example\u202c", "ana@acme.example"),
        ("\ufeff", ""),
        ("Cafe\u0301", "Café"),
        ("Data  Eng", "Data  Eng"),
    ],
)
def test_invisible_characters_come_off(cell: str, text: str) -> None:
    assert clean(cell) == text


def test_every_blank_is_blank() -> None:
    assert clean(BLANKS) == ""


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        pytest.param("", (), id="blank"),
        pytest.param("Finance", ("Finance",), id="one"),
        pytest.param("Finance; Ops", ("Finance", "Ops"), id="semicolons"),
        pytest.param("Finance|Ops", ("Finance", "Ops"), id="bars"),
        pytest.param("Finance\nOps\r\nHR", ("Finance", "Ops", "HR"), id="lines"),
        pytest.param("Finance, Ops", ("Finance", "Ops"), id="commas"),
        pytest.param(
            "Finance, EU; Ops", ("Finance, EU", "Ops"), id="a comma beside semicolons is a letter"
        ),
        pytest.param("Finance, EU;", ("Finance, EU",), id="one name with a comma"),
        pytest.param('"Finance, EU", Ops', ("Finance, EU", "Ops"), id="quotes keep a comma"),
        pytest.param('"Finance; EU"', ("Finance; EU",), id="quotes keep a semicolon"),
        pytest.param('Team "A", Ops', ('Team "A"', "Ops"), id="quotes inside a name stay"),
        pytest.param('5" disks; Ops', ('5" disks', "Ops"), id="a single quote"),
        pytest.param(";; Ops ;;", ("Ops",), id="nothing between"),
        pytest.param("Ops; Ops", ("Ops",), id="each once"),
        pytest.param("Data \u00a0 Eng\u200b;x", ("Data Eng", "x"), id="blanks inside collapse"),
    ],
)
def test_a_groups_cell_is_split(cell: str, groups: tuple[str, ...]) -> None:
    assert names(cell) == groups


def test_in_a_numbered_column_a_comma_is_part_of_the_name() -> None:
    assert names("Finance, EU", commas=False) == ("Finance, EU",)
    assert names("Finance; EU", commas=False) == ("Finance", "EU")


@given(
    st.lists(st.text("abc,;| ", min_size=1).filter(lambda name: label(name) == name), unique=True)
)
def test_quoted_names_survive_splitting(groups: list[str]) -> None:
    assert names("; ".join(f'"{name}"' for name in groups)) == tuple(groups)


@pytest.mark.parametrize("word", ["$member", "member", "Member", " MEMBER ", "$Member"])
def test_a_role_may_be_written_in_several_ways(word: str) -> None:
    assert ROLES[fold(word)] is Role.MEMBER


@pytest.mark.parametrize("word", ["＄admin", "admins", "$$admin", "administrator", "ad\u043cin"])
def test_what_only_resembles_a_role_is_none(word: str) -> None:
    assert fold(word) not in ROLES


def test_aliases_add_words_for_roles() -> None:
    known = role_words({"Data Steward": "Member", "Boss": "$admin"})
    assert (known["data steward"], known["boss"], known["guest"]) == (
        Role.MEMBER,
        Role.ADMIN,
        Role.GUEST,
    )
    with pytest.raises(
        UsageError, match='"Boss" to "King", which is none of Guest, Member and Admin'
    ):
        role_words({"Boss": "King"})


@pytest.mark.parametrize(
    ("word", "standing"),
    [
        ("Active", Standing.ACTIVE),
        ("yes", Standing.ACTIVE),
        ("Terminated", Standing.LEAVER),
        ("SUSPENDED", Standing.LEAVER),
        ("No", Standing.LEAVER),
        ("tobedeleted", Standing.LEAVER),
        ("On Leave", Standing.ON_LEAVE),
        ("leave_of_absence", Standing.ON_LEAVE),
        ("Pre-Hire", Standing.NOT_STARTED),
        ("accepted", Standing.NOT_STARTED),
        ("Onboarding", Standing.NOT_STARTED),
        ("DEPROVISIONED", Standing.LEAVER),
    ],
)
def test_a_status_word_is_understood(word: str, standing: Standing) -> None:
    assert STANDINGS[fold(word)] is standing


@pytest.mark.parametrize("cell", ["-", "--", "_", "- -"])
def test_a_lone_dash_is_a_word_and_not_a_blank_cell(cell: str) -> None:
    """As an action, a blank cell adds; whoever writes a minus may well mean the opposite."""
    assert fold(cell) == cell
    assert fold(cell) not in ADD | REMOVE | set(ROLES) | set(STANDINGS)


def test_our_own_words_for_a_standing_are_understood() -> None:
    assert {STANDINGS[fold(standing.value)] for standing in Standing} == set(Standing)


def test_yes_and_no_of_several_languages_are_a_standing() -> None:
    said = {
        word: STANDINGS[fold(word)] for word in ("Sì", "sí", "Sim", "Oui", "Nee", "NÃO".title())
    }
    assert [word for word, standing in said.items() if standing is Standing.LEAVER] == [
        "Nee",
        "Não",
    ]


def test_no_word_means_two_things() -> None:
    assert not YES & NO
    assert not ADD & REMOVE
    assert sum(map(len, _WORDS_OF.values())) == len(STANDINGS)


# ---- what programs do to text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("Finance", "Q1-2026", "2026", "3rd floor", "R&D", "E+F", "1E", "Mar", "March", "May Day", "7-12"),
        *("Set 10", "24/7", "10:30", "Not for Profit", "No Code", "Remove Background", "Habitat (NO", "Until Dawn", "v1.2", "A1.0", "1.2.3.4", "True North", "Decades", "12-A", "5 May Street"),
        *("CAFÉ®", "«Ä»", "Ærø", "Señor…", "Łódź", "İstanbul", "Ñandú", "Финансы", "財務部", "µService", "Ω-Team"),
    ],
)  # fmt: skip
def test_a_name_that_is_meant_so_is_left_alone(name: str) -> None:
    assert (damage(name), garbled(name), disguised(name)) == ("", "", "")


@pytest.mark.parametrize(
    "name",
    ["1.23E+11", "1,5e-3", "Mar-01", "1-Mar", "01. Mrz", "Mrz 24", "3-Dez-24", "2026-03-01", "1/3/2026", "2026-03-01 00:00:00", "01.03.26", "101.0", "7,00", "03:04:00", "0.5", "-1,25", "1 day, 2:00:00", "remove from Finance", "Finance (remove)", "not Ops", "Ops - until 31.12.2025", "TRUE", "falsch"],
)  # fmt: skip
def test_what_a_spreadsheet_program_makes_of_names_is_told(name: str) -> None:
    assert damage(name)


@given(st.text("äöüßéèñçøåĳłżабвгдежЖΑΒΓ財務€…–“", min_size=1, max_size=12))
def test_what_was_garbled_once_or_twice_is_found_again(text: str) -> None:
    once = text.encode().decode("latin-1")
    assert degarbled(once) == text
    assert degarbled(once.encode().decode("latin-1")) == text


@given(st.text(max_size=20))
def test_what_is_told_of_any_text_is_said_of_a_name_that_is_not_empty(text: str) -> None:
    assert all(isinstance(tell(text), str) for tell in (damage, garbled, disguised, unusual))
    assert tidied(text)[0] == tidied(tidied(text)[0])[0]


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("ana [at] acme.example", "ana@acme.example"),
        ("ana@acme[dot]example", "ana@acme.example"),
        ("ana@acme..example", "ana@acme.example"),
        ("see ana@acme.example", "ana@acme.example"),
        (".ana@acme.example", "ana@acme.example"),
        ("ana@acme", ""),
        ("ana", ""),
        ("ana@acme.example ben@acme.example", ""),
        ("", ""),
    ],
)
def test_an_address_is_suggested_where_one_is_near(cell: str, address: str) -> None:
    assert meant(cell) == address


# ---- the tables of docs/sheets.md, line by line ----------------------------------------------------------------------

SHEETS = Path(__file__).parent.parent / "docs" / "sheets.md"
SHOWN = str.maketrans({"␣": "\u00a0", "∅": "\u200b"})
TABLES = {
    "email": ("email,role", "{},Guest"),
    "group": ("email,groups", "ana@acme.example,{}"),
    "role": ("email,role", "ana@acme.example,{}"),
}


def told_cells() -> list[tuple[str, str, str, str]]:
    """Give every line of these tables: which one, the cell, what becomes of it, the code."""
    page, lines = SHEETS.read_text(), []
    for name in TABLES:
        found = re.search(rf"<!-- cells {name} -->\n(.*?)<!-- end -->", page, re.DOTALL)
        assert found
        for line in found[1].splitlines()[2:]:
            cell, becomes, code = re.findall(r"(?<=\| )(.*?) ?(?=\|)", line)
            lines.append((name, cell.strip("`"), becomes, code.strip("` ")))
    return lines


@pytest.mark.parametrize(("name", "cell", "becomes", "code"), told_cells())
def test_a_cell_is_read_as_the_document_says(name: str, cell: str, becomes: str, code: str) -> None:
    cell = cell.translate(SHOWN)
    header, row = TABLES[name]
    quoted = '"' + cell.replace('"', '""') + '"'
    text = f"{header}\n{row.format(quoted)}\n"
    (table,) = read(["-"], Reading(encoding="utf-8"), stdin=io.BytesIO(text.encode())).tables
    intake = take_in([table], Rules())
    assert [f.code for f in intake.findings] == ([code] if code else [])
    rejected = any(f.severity is Severity.REJECT for f in intake.findings)
    assert rejected is becomes.startswith("rejected")
    for finding in intake.findings:
        assert CODES[finding.code].about == ("row" if rejected else "note")
        for suggested in re.findall("suggests `(.*)`", becomes):
            assert suggested in finding.message
    if not rejected:
        read_as = re.match("`(.*?)`", becomes)
        used = {
            "email": list(intake.desired.persons),
            "group": list(intake.desired.labels.values()),
            "role": [
                str(person.role.label) for person in intake.desired.persons.values() if person.role
            ],
        }[name]
        as_is = cell.lower() if name == "email" else cell
        expected = read_as[1] if read_as else as_is if becomes.startswith("as it is") else becomes
        assert used == ([] if becomes.startswith("blank") else [expected.partition(";")[0]])
