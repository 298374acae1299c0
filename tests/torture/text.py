"""Text files: encodings x delimiters x line ends x quoting, damaged files, and files that end too soon."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from torture import render
from torture.truth import (
    NO_ROW,
    NOTHING,
    Case,
    Doubtful,
    Line,
    Meaning,
    Member,
    Person,
    bad,
    case,
    line,
)

SEED = 20_261_120

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be-marked", "utf-32", "utf-16-le", "utf-16-be")
LEGACY = ("cp1252", "cp1250", "iso-8859-15", "mac-roman", "cp932", "gb18030", "cp437", "koi8-r")
WORDS = {
    "cp1250": "Žák",
    "cp932": "ポール",  # its bytes hold a | in cp932
    "gb18030": "王小明",
    "koi8-r": "Борис",
}
"""Encoding -> a name that it can write; otherwise ``Müller``."""
DELIMITERS = {",": ".csv", ";": ".csv", "\t": ".tsv", "|": ".txt"}
ENDS = ("\r\n", "\n", "\r")
QUOTING = {"as needed": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}


def cases() -> Iterator[Case]:
    yield from _matrix()
    yield from _damaged()
    yield from _structures()
    yield from _cut()


# ---- the matrix ------------------------------------------------------------------------------------------------------


def people(name: str = "Lima", group: str = "Ops") -> list[Line]:
    """A users table; ``name`` stands where nothing reaches the tenant, ``group`` where all does."""
    return [
        line(NO_ROW, "Last Name", "email", "role", "groups", "status"),
        line(
            Person("ana@acme.example", "Member", ("Finance", group)),
            name,
            "ana@acme.example",
            "Member",
            f"Finance|{group}",
            "active",
        ),
        line(
            Person("ben@acme.example", "Guest", (), "on-leave"),
            "O'Neil, Jr.; PhD",
            " Ben@ACME.example ",
            "$guest",
            "",
            "On leave",
        ),
        line(NO_ROW, "", "", "", "", ""),
        line(
            Person("cem@acme.example", "", ("R&D, Ops", "HR")), "two\nlines", "cem@acme.example",
            "", "R&D, Ops\nHR", "",
        ),
        line(bad("email-invalid"), "x", "dan@acme", "Member", "Finance", "active"),
        line(
            Person("eva@acme.example", "Admin", ("Finance",), "leaver"),
            'Eva "E" Q',
            "eva@acme.example",
            "ADMIN",
            "Finance",
            "Terminated",
        ),
        line(bad("role-unknown"), "x\ty", "fay@acme.example", "Chief", "", ""),
        line(bad("email-missing"), "x", "", "Member", "Finance", ""),
    ]  # fmt: skip


def _matrix() -> Iterator[Case]:
    """Each encoding with each delimiter; ends, quoting and the rest by lot."""
    lots = random.Random(SEED)
    for encoding, delimiter in itertools.product((*UNICODE, *LEGACY), DELIMITERS):
        for where in ("nowhere", "carried", "counted"):
            end = lots.choice(ENDS)
            quoting = lots.choice(list(QUOTING))
            final = lots.random() < 0.7
            yield _written(encoding, delimiter, where, end, quoting, final=final)


def _written(
    encoding: str, delimiter: str, where: str, end: str, quoting: str, *, final: bool
) -> Case:
    word = WORDS.get(encoding, "Müller")
    lines = people(
        name=word if where == "carried" else "Lima", group=word if where == "counted" else "Ops"
    )
    rows = [one.cells for one in lines]
    written = render.text(rows, delimiter=delimiter, end=end, quoting=QUOTING[quoting], final=final)
    name = f"{encoding} {DELIMITERS[delimiter][1:]} {ord(delimiter):x} {where} {len(end)}{ord(end[0])} {quoting} {final}"
    made = case(name, DELIMITERS[delimiter], encoded(written, encoding), lines)
    if encoding in {"utf-16-le", "utf-16-be"}:
        return replace(made, safe=True)  # nothing in it says what it is; read right, or not at all
    if encoding in LEGACY and where == "counted":
        return replace(made, sheets={}, refused="--encoding")
    if encoding == "cp932" and delimiter == "|" and where == "carried" and quoting == "as needed":
        return replace(made, safe=True, sheets={"": [_shaken(one.meaning) for one in lines]})
    return made


def _shaken(meaning: Meaning) -> Meaning:
    return Doubtful(meaning) if isinstance(meaning, Person) else meaning


def encoded(text: str, encoding: str) -> bytes:
    if encoding == "utf-16-be-marked":
        return b"\xfe\xff" + text.encode("utf-16-be")
    return text.encode(encoding)


# ---- damages ---------------------------------------------------------------------------------------------------------

ANA = Person("ana@acme.example", "Member")
BEN = Person("ben@acme.example", "Guest")
TWO = "email,role\r\nana@acme.example,Member\r\nben@acme.example,Guest\r\n"
_TWO = (NO_ROW, ANA, BEN)


def _of(name: str, text: str | bytes, *meanings: Meaning, suffix: str = ".csv", **how: Any) -> Case:
    content = text if isinstance(text, bytes) else text.encode()
    return case(f"text {name}", suffix, content, [Line((), one) for one in meanings], **how)


def _damaged() -> Iterator[Case]:
    ana, ben = "ana@acme.example,Member\n", "ben@acme.example,Guest\n"
    refused = [
        ("empty", "", "nothing"),
        ("blank lines only", "\n \n\t\n", "nothing"),
        ("only a mark", "\ufeff", "nothing"),
        ("open quote", f'email,role\n"{ana}{ben}', "quote"),
        ("text behind a quote", 'email,role\n"ana"@acme.example,Member\n', "quote"),
        (
            "backslashes before quotes",
            'email,groups\nana@acme.example,"Ops \\"A\\", HR"\n',
            "quote",
        ),
        ("no headers", f"{ana}{ben}", "e-mail"),
        ("web page", "<html><body><table><tr><td>email</td></tr></table></body></html>", "."),
        ("json", '[{"email": "ana@acme.example", "role": "Member"}]', "."),
        ("json lines", '{"email": "ana@acme.example", "role": "Member"}\n', "."),
        ("rich text", r"{\rtf1 email,role\par ana@acme.example,Member}", "."),
        ("pdf", "%PDF-1.7\n%\xe2\xe3\nemail", "."),
        ("whole lines quoted", f'"email,role"\n"{ana[:-1]}"\n', "."),
        ("columns of blanks", "email             role\nana@acme.example  Member\n", "."),
        ("first column of headers", "email,ana@acme.example\nrole,Member\ngroups,Ops\n", "."),
        ("card of a group", "Group,Finance\nDescription,Money\nDefault,no\n", "."),
    ]
    for name, content, why in refused:
        yield _of(name, content, refused=why)
    yield _of("empty, for a workbook", "", suffix=".xlsx", refused=".")
    for mark in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08\x00", b"\x89PNG\r\n\x1a\n"):
        yield _of(f"junk {mark.hex()}", mark + bytes(range(256)), refused=".")
    yield _of("two marks", "\ufeff\ufeff" + TWO, *_TWO, safe=True)
    yield _of("mark of UTF-8 before UTF-16", b"\xef\xbb\xbf" + TWO.encode("utf-16"), refused=".")
    yield _of("control Z at the end", TWO + "\x1a", *_TWO)
    yield _of("control Z behind the last cell", TWO[:-2] + "\x1a", NO_ROW, ANA, Doubtful(BEN))
    yield _of("NUL in a cell", TWO.replace("Member", "Mem\0ber"), refused="NUL")
    yield _of("NULs at the end", TWO + "\0" * 512, *_TWO, safe=True)
    yield _of("mixed encodings, carried", b"email,role,name\nana@acme.example,Member,M\xfcller\n"
              b"ben@acme.example,Guest,M\xc3\xbcller\n", *_TWO, safe=True)  # fmt: skip
    yield _of("mixed encodings, counted", b"email,groups\na@acme.example,F\xfchrung\n"
              b"b@acme.example,F\xc3\xbchrung\n", refused="--encoding")  # fmt: skip
    group = "email,group\nana@acme.example,{}\n"
    yield _of("UTF-8 once read as cp1252", group.format("FÃ¼hrung"), NO_ROW, NOTHING, safe=True)
    yield _of("a letter lost for ever", group.format("F\ufffdhrung"), NO_ROW, NOTHING, safe=True)


def _structures() -> Iterator[Case]:
    """Shapes that some program writes; what they mean is beyond doubt."""
    ana, ben = "ana@acme.example,Member", "ben@acme.example,Guest"
    yield _of("ends mixed", f"email,role\r\n{ana}\n{ben}\r", *_TWO, safe=True)
    yield _of("ends doubled", f"email,role\r\r\n{ana}\r\r\n{ben}\r\r\n",
              NO_ROW, NO_ROW, ANA, NO_ROW, BEN, NO_ROW, safe=True)  # fmt: skip
    yield _of("ends reversed", f"email,role\n\r{ana}\n\r{ben}\n\r",
              NO_ROW, NO_ROW, ANA, NO_ROW, BEN, NO_ROW, safe=True)  # fmt: skip
    for name, sign in (
        ("VT", "\v"),
        ("FF", "\f"),
        ("NEL", "\x85"),
        ("LS", "\u2028"),
        ("FS", "\x1c"),
    ):
        text = f"email,role,name\nana@acme.example,Member,a{sign}b\n{ben},\n"
        yield _of(f"{name} is no line end", text, *_TWO)
    for which, instruction in enumerate(("sep=;", "SEP=;", '"sep=;"', "sep=;;")):
        text = f"{instruction}\nemail;groups\nana@acme.example;Ops, HR\n"
        yield _of(
            f"instruction {which}", text, NO_ROW, Person("ana@acme.example", "", ("Ops", "HR"))
        )
    yield _of(
        "instruction that is none",
        'sep="\nemail,role\n' + ana + "\n",
        NO_ROW,
        NO_ROW,
        Doubtful(ANA),
        safe=True,
    )
    yield _of("delimiter behind each line", f"email,role,\n{ana},\n{ben},\n", *_TWO)
    yield _of("delimiter behind each row", f"email,role\n{ana},\n{ben},\n", *_TWO)
    yield _of("delimiters before each line", f",email,role\n,{ana}\n,{ben}\n", *_TWO)
    yield _of("many blank columns", f"email,role,,,,\n{ana},,,,\n{ben},,,,\n,,,,,\n", *_TWO, NO_ROW)
    yield _of("rows numbered, header not", f"email,role\n1,{ana}\n2,{ben}\n",
              NO_ROW, bad("row-ragged"), bad("row-ragged"))  # fmt: skip
    yield _of(
        "comma in a name, unquoted",
        f"name,email,role\nLima, Ana,{ana}\n",
        NO_ROW,
        bad("row-ragged"),
    )
    yield _of("blank behind each comma", f"email, role\nana@acme.example, Member\n{ben}\n", *_TWO)
    yield _of("quotes behind blanks", '"email", "group"\n"ana@acme.example", "Ops"\n',
              NO_ROW, Doubtful(Member("ana@acme.example", "Ops")), safe=True)  # fmt: skip
    yield _of("quotes behind blanks, comma inside", 'email, groups\nana@acme.example, "Ops, HR"\n',
              NO_ROW, Doubtful(Person("ana@acme.example", "", ("Ops", "HR"))), safe=True)  # fmt: skip
    yield _of(
        "single quotes", "'email','role'\n'ana@acme.example','Member'\n", NO_ROW, NOTHING, safe=True
    )
    yield _of("a table in Markdown", "| email | role |\n|---|---|\n| ana@acme.example | Member |\n",
              NO_ROW, NOTHING, ANA, safe=True, suffix=".txt")  # fmt: skip
    yield _of("output of a database", "email             | role\n------------------+-----\n "
              "ana@acme.example | Member\n(1 row)\n", NO_ROW, NOTHING, ANA, NOTHING, suffix=".txt")  # fmt: skip
    yield _of(
        "line of a type above",
        f'#TYPE Selected.ADUser\n"email","role"\n{ana}\n',
        NO_ROW,
        NO_ROW,
        ANA,
    )
    yield _of("commented out", f"# by HR\nemail,role\n{ana}\n#ben@acme.example,Guest\n# end\n",
              NO_ROW, NO_ROW, ANA, NOTHING, NOTHING)  # fmt: skip
    yield _of("headers only", "email,role\n", NO_ROW)
    yield _of("a long cell, carried", f"email,role,name\n{ana},{'x' * 100_000}\n{ben},\n", *_TWO)
    yield _of(
        "a very long cell", f"email,role,name\n{ana},{'x' * 200_000}\n{ben},\n", *_TWO, safe=True
    )
    wide = ",".join(f"c{i}" for i in range(400))
    yield _of("many columns", f"{wide},email,role\n{',' * 400}{ana}\n{',' * 400}{ben}\n", *_TWO)
    yield _of("a delimiter of its own", TWO.replace(",", "^"), *_TWO, delimiter="^")
    yield _of("an encoding that is said", "email,groups\nana@acme.example,Führung\n".encode("cp850"),
              NO_ROW, Person("ana@acme.example", "", ("Führung",)), encoding="cp850")  # fmt: skip
    lines = ["email,role", *([ana, ""] * 40), ben]
    meanings = [NO_ROW, *([ANA, NO_ROW] * 40), BEN]
    yield _of("blank lines between", "\n".join(lines) + "\n", *meanings)


# ---- files that end too soon -----------------------------------------------------------------------------------------


def _cut() -> Iterator[Case]:
    """Cut a file at every byte of its last two rows.

    The rows before the last one are whole. The last one may be right only where nothing but the end of its last cell is
    missing: no content can show that. It must never have lost a cell and be taken for good.
    """
    head = "email,group,action\r\nana@acme.example,Finance,add\r\n"
    rows = ["ben@acme.example,Ops,remove\r\n", "cem@acme.example,Ops,remove\r\n"]
    whole = head + "".join(rows)
    for end in range(len(head) + 1, len(whole)):
        left = whole[:end].rstrip("\r\n")
        meanings: list[Meaning] = [_kept(row) for row in left[len(head) :].split("\r\n") if row]
        yield _of(f"cut at {end}", left, NO_ROW, Member("ana@acme.example", "Finance"), *meanings)


def _kept(row: str) -> Meaning:
    cells: Sequence[str] = row.split(",")
    if len(cells) < 3:
        return NOTHING
    email, group, action = cells
    return Member(email, group, adds=False) if action == "remove" else NOTHING
