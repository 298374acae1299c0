"""Layouts of real exports, each as lines with their meaning, written as every kind of file that can hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torture import render
from torture.truth import (
    NO_ROW,
    NOTHING,
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

Writer = Callable[[render.Rows, str], bytes]


@dataclass(frozen=True)
class Layout:
    """A table as it stands on the page: a bar between cells, ``>`` and what the line means in front."""

    name: str
    lines: tuple[Line, ...]
    refused: str = ""
    safe: bool = False
    sheet: str = "Sheet1"


def cases() -> Iterator[Case]:
    """Write each layout as text and as .xlsx, and as two more kinds of file in turn."""
    for number, table in enumerate(LAYOUTS):
        rows = [one.cells for one in table.lines]
        others = (OTHERS[number % len(OTHERS)], OTHERS[(number * 2 + 3) % len(OTHERS)])
        for how in ("comma", "xlsx", *dict.fromkeys(others)):
            suffix, write = WRITERS[how]
            sheet = "" if suffix in {".csv", ".tsv"} else table.sheet
            yield _case(table, how, suffix, write(rows, table.sheet), sheet)


def _text(delimiter: str) -> Writer:
    return lambda rows, _: render.text(rows, delimiter=delimiter).encode()


WRITERS: dict[str, tuple[str, Writer]] = {
    "comma": (".csv", _text(",")),
    "xlsx": (".xlsx", render.xlsx),
    "semicolon": (".csv", _text(";")),
    "tab": (".tsv", _text("\t")),
    "ods": (".ods", render.ods),
    "xlsb": (".xlsb", render.xlsb),
    "openpyxl": (".xlsx", render.by_openpyxl),
}
OTHERS = ("semicolon", "tab", "ods", "xlsb", "openpyxl")


def _case(table: Layout, how: str, suffix: str, content: bytes, sheet: str) -> Case:
    return case(
        f"layout {table.name} {how}",
        suffix,
        content,
        [] if table.refused else table.lines,
        sheet,
        refused=table.refused,
        safe=table.safe,
    )


def _lines(*written: str | tuple[Meaning, str]) -> tuple[Line, ...]:
    """Take lines as text, ``|`` between cells; without a meaning a line is no row."""
    found = []
    for one in written:
        meaning, text = one if isinstance(one, tuple) else (NO_ROW, one)
        found.append(Line(tuple(cell.replace("\\n", "\n") for cell in text.split("|")), meaning))
    return tuple(found)


def layout(name: str, *written: str | tuple[Meaning, str], **facts: Any) -> Layout:
    return Layout(name, _lines(*written), **facts)


def ana(role: str = "", groups: Sequence[str] = (), standing: str = "active") -> Person:
    return Person("ana@acme.example", role, tuple(groups), standing)


def ben(role: str = "", groups: Sequence[str] = (), standing: str = "active") -> Person:
    return Person("ben@acme.example", role, tuple(groups), standing)


ANA, BEN = ana("Member"), ben("Guest")
GONE = Person("cy@acme.example", "", (), "leaver")
NO_ADDRESS: Bad = bad("email-missing", "email-invalid", "row-total", "row-note")
TWO = ((ANA, "ana@acme.example|Member"), (BEN, "ben@acme.example|Guest"))
MEMBERS = (
    (Member("ana@acme.example", "Ops"), "ana@acme.example|Ops"),
    (Member("ben@acme.example", "HR"), "ben@acme.example|HR"),
)
TEAMS = ((Team("Finance", "Money"), "Finance|Money"), (Team("Ops", "Runs"), "Ops|Runs"))
CARD = "email|role"

LAYOUTS = (
    # ---- above the headers
    layout("plain", CARD, *TWO),
    layout("title", "Staff of ACME", CARD, *TWO),
    layout("title and blank lines", "Staff", "", "as of 20 November||", "", CARD, *TWO),
    layout("title with the address of HR", "Ask hr@acme.example", CARD, *TWO),
    layout("titles up to line 15", *["note"] * 14, CARD, *TWO),
    layout(
        "group headings as in Workday",
        "Active Workers|||||",
        "|Worker||Contact|Status|",
        "Employee ID|Worker|Business Title|Email - Primary Work|Worker Active|Cost Center",
        (ana(), "100001|Ana Lima [C]|Engineer|ana@acme.example|Yes|CC-10"),
        (ben(), "100002|Ben Ode (On Leave)|Analyst|ben@acme.example|1|CC-10"),
        (GONE, "100003|Cy Gone|Analyst|cy@acme.example|No|CC-11"),
    ),
    layout("two lines of headings", "Person|Person|Access|Access", "Name|Email|Role|Groups",
        (ana("Member", ["Ops"]), "Ana|ana@acme.example|Member|Ops")),
    layout("a line under the headers", CARD, "|", *TWO),
    # ---- headers
    layout("headers shouted", "E-MAIL ADDRESS|WORKSPACE ROLE", *TWO),
    layout("headers with marks", "Email *|Role (required)", *TWO),
    layout("headers on two lines", "E-mail\\naddress|Workspace\\nrole", *TWO),
    layout("headers with blanks", "  Email  | \u00a0Role\u200b ", *TWO),
    layout("headers in another order", "Role|x|Email", (ANA, "Member|1|ana@acme.example"),
        (BEN, "Guest|2|ben@acme.example")),
    layout("a column without header", "email||role", (ANA, "ana@acme.example|x|Member"),
        (BEN, "ben@acme.example|y|Guest")),
    layout("an empty first column", "|email|role", (ANA, "|ana@acme.example|Member"), (BEN, "|ben@acme.example|Guest")),
    layout("two addresses", "email|E-Mail|role", (NO_ROW, "a@acme.example|b@acme.example|Member"), refused="more than one"),
    layout("a header in doubt", "email|role|roles", (NO_ROW, "a@acme.example|Member|Guest"), refused="more than one"),
    layout("personal address only", "Personal Email|role", (NO_ROW, "ana@home.example|Member"), refused="e-mail"),
    layout("only addresses", "email", (NO_ROW, "ana@acme.example"), refused="invites nobody"),
    layout("nothing known", "foo|bar", (NO_ROW, "1|2"), refused="foo"),
    layout("numbered groups", "email|group1|group2|group3", (ana("", ["R&D, Ops", "HR"]), "ana@acme.example|R&D, Ops|HR|"),
        (ben(), "ben@acme.example|||")),
    layout("German", "Vorname|Nachname|E-Mail-Adresse|Rolle|Gruppen|Status",
        (ana("Member", ["Führung", "IT"]), "Jürgen|Groß|ana@acme.example|Member|Führung/IT".replace("/", "; ") + "|Aktiv"),
        (ben("Guest", standing="leaver"), "Eva|Weiß|ben@acme.example|Guest||Ausgeschieden")),
    layout("French", "Nom|Prénom|Courriel|Rôle|Statut", (ana("Guest"), "Dupont|Zoé|ana@acme.example|guest|Actif")),
    # ---- inside and below
    layout("blank lines inside", CARD, TWO[0], "|", "", TWO[1], "|", ""),
    layout("blank columns behind", "email|role||", (ANA, "ana@acme.example|Member||"), (BEN, "ben@acme.example|Guest||")),
    layout("total below people", "email|role|Licences", (ANA, "ana@acme.example|Member|1"), (NOTHING, "Total||1")),
    layout("count below people", "email|role|Cost", (ANA, "ana@acme.example|Member|1"), (NOTHING, "||1")),
    layout("total below members", "email|group", *MEMBERS, (NOTHING, "Total|2")),
    layout("total below groups", "Group|Description|Members", (Team("Finance", "Money"), "Finance|Money|12"),
        (Team("Ops", "Runs"), "Ops|Runs|4"), (NOTHING, "Total||16"), safe=True),
    layout("sums in German", "Gruppe|Beschreibung|Anzahl", (Team("Finance", "Money"), "Finance|Money|12"),
        (NOTHING, "Summe||12"), safe=True),
    layout("subtotals and headings", CARD, (NOTHING, "Department: Data|"), TWO[0], (NOTHING, "Subtotal|1"),
        (NOTHING, "Department: HR|"), TWO[1], (NOTHING, "Grand total|2")),
    layout("who exported it", CARD, *TWO, "|", (NOTHING, "Exported by hr@acme.example|"), (NOTHING, "End of report|")),
    layout("headers on each page, people", CARD, TWO[0], (NOTHING, CARD), TWO[1], safe=True),
    layout("headers on each page, members", "email|group", MEMBERS[0], (NOTHING, "email|group"), MEMBERS[1], safe=True),
    layout("headers on each page, groups", "Group|Description", TEAMS[0], (NOTHING, "Group|Description"), TEAMS[1], safe=True),
    layout("hints under the headers, people", CARD, (NOTHING, "required|Guest, Member or Admin"), *TWO),
    layout("hints under the headers, groups", "Group|Description", (NOTHING, "(required)|(optional)"), *TEAMS, safe=True),
    layout("an example among groups", "Group|Description", (NOTHING, "Example: Finance|money"), *TEAMS, safe=True),
    layout("repeated and agreeing", CARD, TWO[0], TWO[1], TWO[0]),
    layout("repeated and not agreeing", CARD, (bad("person-conflict"), "ana@acme.example|Member"), TWO[1],
        (bad("person-conflict"), "Ana@acme.example|Guest")),
    layout("added and removed", "email|group|action", (bad("membership-conflict"), "ana@acme.example|Ops|add"),
        (bad("membership-conflict"), "ana@acme.example|ops|remove"), (Member("ben@acme.example", "HR", False), "ben@acme.example|HR|Remove")),
    # ---- more than one table
    layout("people below groups", "Group|Description", TEAMS[0], "|", "email|role", "ana@acme.example|Member", refused="."),
    layout("groups below people", CARD, TWO[0], "|", (NOTHING, "Group|Description"), (NOTHING, "Ops|Runs"), safe=True),
    layout("roles below groups of people", "email|groups", (ana("", ["Ops"]), "ana@acme.example|Ops"), "|",
        (NOTHING, "email|role"), (NOTHING, "ben@acme.example|Member"), safe=True),
    layout("roles below members", "email|group", MEMBERS[0], (NOTHING, "email|role"), (NOTHING, "ben@acme.example|Admin"), safe=True),
    layout("removals below additions", "email|group", MEMBERS[0], "|", (NOTHING, "To be removed:|"), (NOTHING, "email|group"),
        (NOTHING, "ben@acme.example|HR"), safe=True),
    layout("side by side", "email|role||group|description", (NOTHING, "ana@acme.example|Member||Ops|Runs"), safe=True),
    # ---- lists that are to take away
    layout("leavers by the title", "Leavers November 2026||", "Email|Name|Department", (NOTHING, "ana@acme.example|Ana|IT"), safe=True),
    layout("removals by the title", "REMOVE THESE PEOPLE FROM THEIR GROUPS|", "Email|Group", (NOTHING, "ana@acme.example|Ops"), safe=True),
    layout("leavers by the sheet", "Email|Name", (NOTHING, "ana@acme.example|Ana"), sheet="Leavers", safe=True),
    layout("removals by the sheet", "Email|Group", (NOTHING, "ana@acme.example|Ops"), sheet="Remove", safe=True),
    *(
        layout(f"removal under {header}", f"Email|Group|{header}",
            (Doubtful(Member("ana@acme.example", "Ops", adds=False)), f"ana@acme.example|Ops|{word}"),
            (Doubtful(Member("ben@acme.example", "Ops")) if other == "Add" else NOTHING, f"ben@acme.example|Ops|{other}"),
            safe=True)
        for header, word, other in (("Delete", "x", ""), ("Remove?", "Yes", "No"), ("Add/Remove", "Remove", "Add"),
                                    ("Request type", "Removal", "Add"), ("Change", "remove", "add"))
    ),
    *(
        layout(f"leaver under {header}", f"Email|Role|{header}",
            (Doubtful(ana("Member", standing="leaver")), f"ana@acme.example|Member|{word}"), safe=True)
        for header, word in (
            ("Terminated", "Yes"), ("Is Terminated", "TRUE"), ("Leaver", "Yes"), ("Left?", "Y"), ("Account status", "Suspended"),
            ("Current Status", "Terminated"), ("Employment State", "Terminated"), ("Worker Status", "Terminated"),
            ("HR Status", "Inactive"), ("Login enabled", "No"), ("Account Locked", "TRUE"), ("Mitarbeiterstatus", "Ausgeschieden"),
            ("Beschäftigungsstatus", "Gekündigt"), ("Estado", "Baja"), ("Situação", "Desligado"),
        )
    ),
    layout("a last day that is past", "Email|Name|Last Day of Work", (NOTHING, "ana@acme.example|Ana|2020-01-01"), safe=True),
    # ---- templates of other systems
    layout("Google users, as downloaded",
        "First Name [Required]|Last Name [Required]|Email Address [Required]|Password [Required]|Org Unit Path [Required]"
        "|Recovery Email|Status [READ ONLY]|New Status [UPLOAD ONLY]",
        (ana(), "Ana|Lima|ana@acme.example|****|/|ana@home.example|Active|"),
        (ben("", standing="leaver"), "Ben|Ode|ben@acme.example|****|/||Suspended|")),
    layout("Google members", "Group Email [Required]|Member Email|Member Type|Member Role",
        (Member("ana@acme.example", "data@acme.example"), "data@acme.example|ana@acme.example|USER|MANAGER"),
        (NOTHING, "data@acme.example|other@acme.example|GROUP|MEMBER")),
    layout("members of GAM", "group|email|role|type|status",
        (Doubtful(Member("ana@acme.example", "data@acme.example")), "data@acme.example|ana@acme.example|OWNER|USER|ACTIVE"),
        (NOTHING, "data@acme.example|other@acme.example|MEMBER|GROUP|ACTIVE"),
        (Member("ben@acme.example", "data@acme.example"), "data@acme.example|ben@acme.example|MEMBER|USER|ACTIVE"), safe=True),
    layout("Entra bulk create", "version:v1.0|||",
        "Name [displayName] Required|User name [userPrincipalName] Required|Initial password [passwordProfile] Required"
        "|Block sign in (Yes/No) [accountEnabled] Required",
        "Example: Chris Green|chris@contoso.example|myPassword1234|No",
        (ana(), "Ana|ana@acme.example|Secret99|No"), (ben("", standing="leaver"), "Ben|ben@acme.example|Secret99|Yes")),
    layout("users of Entra", "userPrincipalName|displayName|mail|userType|accountEnabled|creationType",
        (ana(), "ana@acme.example|Ana|ana@acme.example|Member|TRUE|"), safe=True),
    layout("Entra bulk delete", "version:v1.0", "User name [userPrincipalName] Required", "ana@acme.example", refused="delete"),
    layout("Okta", "login|firstName|lastName|email|secondEmail|userType|state|status",
        (ana(), "ana@acme.example|Ana|Lima|ana@acme.example|ana@home.example|Contractor|CA|ACTIVE"),
        (ben("", standing="leaver"), "ben|Ben|Ode|ben@acme.example||Employee|CA|DEPROVISIONED")),
    layout("Rippling", "Employee name|Work email|Manager - Work email|Employment status|Start date",
        (ana(), "Ana|ana@acme.example|boss@acme.example|Active|11/20/2026"),
        (ben("", standing="not-started"), "Ben|ben@acme.example|boss@acme.example|Hired|12/01/2026"),
        (GONE, "Cy|cy@acme.example|boss@acme.example|Terminated|01/02/2020")),
    layout("BambooHR", "Employee #|Last Name, First Name|Work Email|Home Email|Employment Status|Status",
        (ana(), "12|Lima, Ana|ana@acme.example|ana@home.example|Full-Time|Active"),
        (bad("email-missing"), "13|Ode, Ben||ben@home.example|Part-Time|Active")),
    layout("Personio", "Vorname|Nachname|E-Mail|Status|Position|Abteilung|Eintrittsdatum",
        (ana(), "Ana|Lima|ana@acme.example|Aktiv|Dev|IT|01.02.2020"),
        (ben("", standing="on-leave"), "Ben|Ode|ben@acme.example|Elternzeit|Dev|IT|01.02.2020")),
    layout("OneRoster", "sourcedId|status|enabledUser|orgSourcedIds|role|username|givenName|familyName|email",
        (ana(), "1|active|true|o|student|ana|Ana|Lima|ana@acme.example"),
        (ben("", standing="leaver"), "2|tobedeleted|true|o|teacher|ben|Ben|Ode|ben@acme.example")),
    layout("Adobe", "Identity Type|Username|Domain|Email|User Groups|Admin Roles",
        (ana("", ["Data", "Ops"]), "Federated ID|ana|acme.example|ana@acme.example|Data,Ops|SYSTEM_ADMIN")),
    layout("Canvas memberships", "group_id|user_id|status", "g1|u1|accepted", refused="Canvas"),
    layout("groups with their addresses", "name|email|description|directMembersCount", (Doubtful(Team("Ops", "Runs")), "Ops|ops@acme.example|Runs|12"), safe=True),
    layout("a state of a postal address", "Email|Role|State", (NOTHING, "ana@acme.example|Member|NO"), (NOTHING, "ben@acme.example|Guest|CA"), safe=True),
    layout("contacts of groups", "Group|Contact email|Description", (Team("Ops", "Runs"), "Ops|boss@acme.example|Runs")),
)  # fmt: skip
