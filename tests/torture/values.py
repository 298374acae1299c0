"""Cells: every field's values, good and bad, disguised and damaged, each alone in its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torture import render
from torture.truth import (
    NO_ROW,
    Bad,
    Case,
    Doubtful,
    Line,
    Meaning,
    Member,
    Person,
    Team,
    bad,
    case,
)

INVISIBLE = {
    "blank": " ", "no-break space": "\u00a0", "thin space": "\u2009", "ideographic space": "\u3000", "tab": "\t",
    "zero width": "\u200b", "joiner": "\u200d", "word joiner": "\u2060", "mark": "\ufeff", "left to right": "\u200e",
    "soft hyphen": "\u00ad", "line break": "\n",
}  # fmt: skip
"""What a cell may have around its text without anybody seeing it."""


def cases() -> Iterator[Case]:
    """Write each column of values as text and as workbooks; a workbook can't hold control characters."""
    for name, lines in TABLES.items():
        rows = [one.cells for one in lines]
        made = render.text(rows, quoting=1).encode()
        yield case(f"values {name} csv", ".csv", made, lines)
        marked = ("\ufeff" + render.text(rows, delimiter=";", end="\n")).encode()
        yield case(f"values {name} marked", ".csv", marked, lines)
        for suffix, write in render.WRITERS.items():
            yield case(f"values {name} {suffix[1:]}", suffix, write(rows), lines, "Sheet1")


def _table(headers: str, *rows: tuple[Meaning, Sequence[Any]]) -> list[Line]:
    return [
        Line(tuple(headers.split("|"))),
        *(Line(tuple(cells), meaning) for meaning, cells in rows),
    ]


# ---- e-mail ----------------------------------------------------------------------------------------------------------

GOOD_ADDRESSES = {
    "ana@acme.example": "ana@acme.example",
    "Ana.Lima@ACME.Example": "ana.lima@acme.example",
    "o'neil@acme.example": "o'neil@acme.example",
    "ana+atlan@acme.example": "ana+atlan@acme.example",
    "a@b.co.example": "a@b.co.example",
    "ana-maria_2@sub.acme-labs.example": "ana-maria_2@sub.acme-labs.example",
    "x" * 64 + "@acme.example": "x" * 64 + "@acme.example",
}
PLAIN_ADDRESSES = {
    "Ana Lima <d1@acme.example>": "d1@acme.example",
    "<d2@acme.example>": "d2@acme.example",
    "mailto:d3@acme.example": "d3@acme.example",
    "d4@acme.example.": "d4@acme.example",
    "d5@acme.example;": "d5@acme.example",
}
"""What is meant is plain, and asking for the address itself is as good."""
BAD_ADDRESSES = (
    "ana", "ana@", "@acme.example", "ana@acme", "ana@@acme.example", "ana@acme..example", ".ana@acme.example",
    "ana.@acme.example", "ana..b@acme.example", "ana@-acme.example", "ana b@acme.example",
    "ana@acme .example", "ana,b@acme.example", '"ana"@acme.example', "ana@acme.example; ben@acme.example", "ana@acme.example, ben@acme.example",
    "ana@acme.example/ben", "ana@acme.example\nben@acme.example", "ana@[127.0.0.1]", "ana@127.0.0.1", "ana(at)acme.example",
    "ana@acme.example?subject=x", "ana@acme,example", "ana\\@acme.example", "x" * 65 + "@acme.example",
    "ana@" + "x" * 64 + ".example", "ana@" + "x." * 130 + "example", "#ana@acme.example", "=ana@acme.example",
    "аna@acme.example", "ana@acme.еxample", "ana@ａcme.example", "ａna@acme.example", "ana@acme。example",
    "ana\u202e@acme.example", "ana@acme.exam\u00b7ple", "n/a", "none",
    "#N/A", "TRUE", "-", "****", "ana@acme.test", "ana@localhost", "ana@acme.invalid", "1.23E+11", "<script>@acme.example",
)  # fmt: skip


def _addresses() -> list[Line]:
    rows: list[tuple[Meaning, Sequence[Any]]] = [
        (Person(meant, "Guest"), (written, "Guest")) for written, meant in GOOD_ADDRESSES.items()
    ]
    for i, sign in enumerate(INVISIBLE.values()):
        address = f"p{i}@acme.example"
        rows.append((Person(address, "Guest"), (f"{sign}{address}{sign}", "Guest")))
        if sign in "\u200b\u2060\ufeff\u00ad":
            inside = f"q{i}@ac{sign}me.example"
            rows.append((Doubtful(Person(f"q{i}@acme.example", "Guest")), (inside, "Guest")))
    rows += [
        (Doubtful(Person(meant, "Guest")), (written, "Guest"))
        for written, meant in PLAIN_ADDRESSES.items()
    ]
    rows += [(bad("email-invalid", "cell-error"), (written, "Guest")) for written in BAD_ADDRESSES]
    return _table("email|role", *rows)


# ---- words -----------------------------------------------------------------------------------------------------------


def _person(number: int, **facts: Any) -> Person:
    return Person(f"p{number}@acme.example", **facts)


def _roles() -> list[Line]:
    good = {
        **dict.fromkeys(("Member", "member", "MEMBER", "$member", "$Member", " Member ", "Mem\u200bber\u00a0"), "Member"),
        **dict.fromkeys(("Guest", "$guest"), "Guest"),
        **dict.fromkeys(("Admin", "$admin", "$ADMIN"), "Admin"),
        **dict.fromkeys(("", " ", "\u00a0\u200b"), ""),
    }  # fmt: skip
    wrong = (
        "Administrator", "Owner", "Editor", "Viewer", "Member,Guest", "Member/Guest", "Member Guest", "$$member", "＄admin",
        "Ａdmin", "Аdmin", "admın", "N/A", "null", "none", "-", "?", "TRUE", "1", "0", "Guest?", "Member (trial)", "#REF!",
        "member1", "Adm\u0131n", "A dmin", "Gast, Member",
    )  # fmt: skip
    rows: list[tuple[Meaning, Sequence[Any]]] = []
    for number, (cell, role) in enumerate(good.items()):
        rows.append((_person(number, role=role), (f"p{number}@acme.example", cell)))
    for number, cell in enumerate(wrong, len(good)):
        rows.append((bad("role-unknown", "cell-error"), (f"p{number}@acme.example", cell)))
    return _table("email|role", *rows)


def _states() -> list[Line]:
    said = {
        "active": "Active|ACTIVE|enabled|current|Employed|yes|Y|TRUE|1|aktiv|actif|activo",
        "leaver": "Terminated|Suspended|inactive|Inactive|disabled|deactivated|left|Former|no|FALSE|0|Ausgeschieden|inaktiv",
        "on-leave": "On leave|on_leave|ON-LEAVE|Parental leave|Elternzeit",
        "not-started": "Hired|Pre-hire|Not started|Future hire",
    }
    rows: list[tuple[Meaning, Sequence[Any]]] = [(_person(0), ("p0@acme.example", ""))]
    for standing, words in said.items():
        for word in words.split("|"):
            person = _person(len(rows), standing=standing)
            rows.append((person, (person.email, word)))
    for word in (
        "maybe",
        "-",
        "N/A",
        "null",
        "2026-01-01",
        "Active?",
        "active, on leave",
        "not active",
        "in-active",
        "A",
        "2",
        "unknown",
    ):
        rows.append((bad("status-unknown"), (f"p{len(rows)}@acme.example", word)))
    return _table("email|status", *rows)


def _actions() -> list[Line]:
    adds = ("", " ", "add", "ADD", "Add ", "grant", "join", "hinzufügen")
    removes = ("remove", "REMOVE", " Removed", "revoke", "delete", "entfernen", "supprimer")
    wrong = (
        "-", "+", "x", "no", "yes", "keep", "no change", "N/A", "D", "move", "add/remove", "don't add", "#N/A", "?", ".",
    )  # fmt: skip
    rows: list[tuple[Meaning, Sequence[Any]]] = []
    for number, word in enumerate((*adds, *removes, *wrong)):
        email = f"p{number}@acme.example"
        member = Member(email, "Ops", adds=word in adds)
        meant = bad("action-unknown", "cell-error") if word in wrong else member
        rows.append((meant, (email, "Ops", word)))
    return _table("email|group|action", *rows)


# ---- groups ----------------------------------------------------------------------------------------------------------


def _lists() -> list[Line]:
    cells: tuple[tuple[str, tuple[str, ...] | None], ...] = (
        ("", ()), (" ; ", ()), ("Ops", ("Ops",)), ("Ops; HR", ("Ops", "HR")), ("Ops, HR", ("Ops", "HR")), ("Ops|HR", ("Ops", "HR")),
        ("Ops\nHR", ("Ops", "HR")), ("Ops;;HR;", ("Ops", "HR")), ("R&D, Ops; HR", ("R&D, Ops", "HR")), ('"R&D, Ops", HR', ("R&D, Ops", "HR")),
        ("Data   Platform", ("Data Platform",)), ("Data\u00a0Platform", ("Data Platform",)), (" Ops ,OPS, ops", ("Ops",)),
        ("Größe; 数据", ("Größe", "数据")), ("Zoe\u0301", ("Zoé",)), ("007", ("007",)), ("C++; C#", ("C++", "C#")), ("A/B", ("A/B",)),
        ("<b>x</b>", ("<b>x</b>",)), ("../../etc", ("../../etc",)), ("=cmd", None), ("x" * 255, ("x" * 255,)), ("x" * 256, None),
        ("Ops\u200b", ("Ops",)), ("😀 Team", ("😀 Team",)), ("#REF!", None), ("F\ufffdhrung", None), ("FÃ¼hrung", None),
    )  # fmt: skip
    wrong = bad("group-name-invalid", "cell-error", "cell-garbled", "cell-damaged")
    rows: list[tuple[Meaning, Sequence[Any]]] = []
    for number, (cell, names) in enumerate(cells):
        meant = wrong if names is None else _person(number, groups=names)
        rows.append((meant, (f"p{number}@acme.example", cell)))
    return _table("email|groups", *rows)


def _nothing_words() -> list[Line]:
    """Words that say that there is nothing; a group of that name is almost never meant."""
    words = ("N/A", "n/a", "null", "NULL", "None", "none", "nan", "-", "--", '["Ops", "HR"]')
    rows: list[tuple[Meaning, Sequence[Any]]] = []
    for number, word in enumerate(words):
        rows.append((Doubtful(_person(number)), (f"p{number}@acme.example", "Guest", word)))
    return _table("email|role|groups", *((_no_role(m), cells) for m, cells in rows))


def _no_role(meaning: Meaning) -> Meaning:
    match meaning:
        case Doubtful(Person(email)):
            return Doubtful(Person(email, "Guest"))
        case _:
            return meaning


def _mangled() -> list[Line]:
    """What other programs make of a name; the name that was meant, or none."""
    cells: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("R&amp;D", ("R&D",)), ("Ops &#38; HR", ("Ops & HR",)), ("&lt;Ops&gt;", ("<Ops>",)), ('="Ops"', ("Ops",)),
        ('=HYPERLINK("http://x.example","Ops")', ("Ops",)), ("• Ops\n• HR", ("Ops", "HR")), ("- Ops\n- HR", ("Ops", "HR")),
        ("Ops_x000D_", ("Ops",)), ("Ops\u200b", ("Ops",)), ("“Ops, HR”", ("Ops, HR",)), ("1.23E+11", ()), ("TRUE", ()), ('"', ()), ("〃", ()),
    )  # fmt: skip
    rows: list[tuple[Meaning, Sequence[Any]]] = []
    for number, (cell, names) in enumerate(cells):
        person = _person(number, role="Guest", groups=names)
        rows.append((Doubtful(person), (person.email, "Guest", cell)))
    return _table("email|role|groups", *rows)


def _dates() -> list[Line]:
    """Ends of employment that are past, in a table without a status: nobody is to come back by that."""
    written = (
        "2020-01-31", "31.01.2020", "31/01/2020", "01/31/2020", "1/31/2020 12:00:00 AM", "2020/01/31", "2020/01/31 00:00:00",
        "2020-01-31T00:00:00Z", "31-Jan-2020", "31-Jan-20", "31. März 2020", "20200131",
    )  # fmt: skip
    rows: list[tuple[Meaning, Sequence[Any]]] = [
        (_person(0, role="Guest"), ("p0@acme.example", "Guest", "")),
        (_person(1, role="Guest"), ("p1@acme.example", "Guest", "2099-12-31")),
        (_person(2, role="Guest"), ("p2@acme.example", "Guest", "31.12.2099")),
    ]
    for number, day in enumerate(written, len(rows)):
        leaver = _person(number, role="Guest", standing="leaver")
        rows.append((Doubtful(leaver), (leaver.email, "Guest", day)))
    return _table("email|role|End date", *rows)


def _teams() -> list[Line]:
    _invalid: Bad = bad("group-name-invalid", "group-missing")
    rows: tuple[tuple[Meaning, Sequence[Any]], ...] = (
        (Team("Finance", "Money", False), ("Finance", "Money", "no", "")),
        (
            Team("Data Platform", None, True, "data_platform"),
            (" Data  Platform ", "", "YES", "data_platform"),
        ),
        (Team("Wiped", "", None), ("Wiped", "(clear)", "", "")),
        (Team("Wiped too", "", None), ("Wiped too", " (CLEAR) ", "", "")),
        (Team("R&D/Öps", "=1+1", None), ("R&D/Öps", "=1+1", "", "")),
        (Team("Long", "x" * 255, None), ("Long", "x" * 255, "", "")),
        (bad("description-too-long"), ("Longer", "x" * 256, "", "")),
        (bad("default-unknown"), ("Maybe", "", "perhaps", "")),
        (bad("default-unknown"), ("Maybe 2", "", "N/A", "")),
        (bad("internal-name-invalid"), ("Named", "", "", "Data Platform")),
        (bad("internal-name-invalid"), ("Named 2", "", "", "größe")),
        (bad("group-missing"), ("", "no name", "", "")),
        (_invalid, ("---", "no letters", "", "")),
        (_invalid, ("数据", "no internal name can be made", "", "")),
        (Team("データ", None, None, "data_jp"), ("データ", "", "", "data_jp")),
        (bad("internal-name-collision"), ("Data Eng", "", "", "")),
        (bad("internal-name-collision"), ("data_eng", "", "", "")),
        (bad("group-conflict"), ("Twice", "one", "", "")),
        (bad("group-conflict"), (" twice", "two", "", "")),
        (Team("Line", "one\ntwo", None), ("Line", "one\ntwo", "", "")),
    )
    return _table("group|description|default|internal_name", *rows)


def _other_addresses() -> list[Line]:
    """Secondary addresses and usernames are never whom to invite."""
    rows: tuple[tuple[Meaning, Sequence[Any]], ...] = (
        (
            _person(1, role="Guest"),
            ("home1@home.example", "p1@acme.example", "Guest", "boss@acme.example"),
        ),
        (bad("email-missing"), ("home2@home.example", "", "Guest", "boss@acme.example")),
        (_person(3, role="Guest"), ("", "p3@acme.example", "Guest", "")),
    )
    return _table("Home Email|Work Email|Role|Manager Email", *rows)


TABLES = {
    "addresses": _addresses(),
    "roles": _roles(),
    "states": _states(),
    "actions": _actions(),
    "lists of groups": _lists(),
    "words for nothing": _nothing_words(),
    "mangled names": _mangled(),
    "days that are past": _dates(),
    "groups": _teams(),
    "other addresses": _other_addresses(),
    "nothing but headers": [Line(("email", "role"), NO_ROW)],
}
"""What the table is about -> its lines."""
