"""Exports written by hand, in the shapes of published templates and worse: what people really send.

Each is a layout as in ``layouts``. A line that asks for something in a way that can't be told for sure may be rejected, or
the file refused; it must never be read as something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from torture import render
from torture.layouts import ANA, BEN, TWO, Layout, ana, ben, layout
from torture.truth import NOTHING, Case, Doubtful, Member, Person, Team, bad, case


def cases() -> Iterator[Case]:
    """Write each as the kind of file in which it was thought up, alternately text and workbook."""
    for number, one in enumerate(EXPORTS):
        rows = [line.cells for line in one.lines]
        text = number % 3 > 0
        content = render.text(rows, delimiter=";,"[number % 2]).encode("utf-8-sig")
        yield case(
            f"export {one.name}",
            ".csv" if text else ".xlsx",
            content if text else render.xlsx(rows, one.sheet),
            [] if one.refused else one.lines,
            "" if text else one.sheet,
            refused=one.refused,
            safe=one.safe,
        )


def _perhaps(name: str, headers: str, *rows: tuple[object, str]) -> Layout:
    """Make a table whose rows may mean this, and nothing else."""
    lines = [
        (Doubtful(meant) if isinstance(meant, Person | Team | Member) else NOTHING, text)
        for meant, text in rows
    ]
    return layout(name, headers, *lines, safe=True)


OPS = Member("ana@acme.example", "Ops")
_OUT = Member("ana@acme.example", "Ops", adds=False)

EXPORTS = (
    # ---- whom it is about
    layout("the address of the manager, too", "Employee|Email|Manager|Manager Email|Role",
        (ana("Member"), "Ana|ana@acme.example|Boss|boss@acme.example|Member")),
    layout("the address of whoever asked", "Requested by|Approver Email|Email|Role",
        (ana("Member"), "Boss|boss@acme.example|ana@acme.example|Member")),
    layout("private addresses", "Name|Email (personal)|Private E-Mail|Work Email|Role",
        (ana("Guest"), "Ana|a@home.example|b@home.example|ana@acme.example|Guest")),
    layout("a login beside the address", "login|firstName|lastName|email|role",
        (ana("Guest"), "ana.old@acme.example|Ana|Lima|ana@acme.example|Guest")),
    _perhaps("an address that changes", "Email|New Email|Role", (None, "ana.old@acme.example|ana@acme.example|Member")),
    _perhaps("users of an AD, as PowerShell writes", "DisplayName|SamAccountName|UserPrincipalName|EmailAddress|Enabled",
        (ana(), "Ana|ana|ana@acme.example|ana@acme.example|True")),
    *(
        layout(f"no work address but {header}", f"Name|{header}|Role", "Ana|ana@home.example|Member", refused="e-mail")
        for header in ("Spouse email", "Previous email", "Emergency contact email", "Email of manager", "Correo personal", "Email 2")
    ),
    *(
        _perhaps(f"members by {header}", f"{header}|Group", (OPS, "ana@acme.example|Ops"))
        for header in ("User", "Member", "Employee", "Person", "Nutzer", "Utilisateur", "Contact", "Address", "UPN", "Login")
    ),
    _perhaps("members in one cell", "Group|Members", (None, "Ops|ana@acme.example; ben@acme.example")),
    _perhaps("the boss of a group", "Name|Supervisor Email|Group", (None, "Ana|boss@acme.example|Ops")),
    # ---- whether they come or go
    layout("end dates with a status", "Email|Role|Status|End Date", (ana("Member"), "ana@acme.example|Member|Active|2099-12-31"),
        (ben("Guest", standing="leaver"), "ben@acme.example|Guest|Terminated|2020-01-31")),
    layout("end dates without a status", "Email|Role|End Date", (ana("Member"), "ana@acme.example|Member|2099-12-31"),
        (ben("Guest"), "ben@acme.example|Guest|"), (bad("end-date-past"), "cem@acme.example|Guest|2020-01-31"),
        (bad("end-date-past"), "dan@acme.example|Guest|31.12.2020"), (bad("end-date-past"), "eva@acme.example|Guest|12/31/2020")),
    *(
        _perhaps(f"gone by {header}", f"Email|Role|{header}", (ana("Member", standing="leaver"), "ana@acme.example|Member|2020-01-31"))
        for header in (
            "Leaving Date", "Exit date", "Last day", "Kündigungsdatum", "Date de sortie", "Fecha de baja", "Contract end", "Valid until",
            "Deactivated at", "End of employment", "Austritt", "Letzter Arbeitstag", "Offboarding date", "Left on", "Account expires",
        )
    ),
    *(
        _perhaps(f"a no under {header}", f"Email|Group|{header}", (_OUT, f"ana@acme.example|Ops|{word}"))
        for header, word in (
            ("Approved", "No"), ("Keep?", "No"), ("Decision", "Revoke"), ("Reviewer decision", "Deny"), ("Request status", "Rejected"),
            ("Revoked", "TRUE"), ("Until", "2020-01-31"), ("End date", "2020-01-31"),
        )
    ),
    *(
        _perhaps(f"a no to a person under {header}", f"Email|Role|{header}", (ana("Member", standing="leaver"), f"ana@acme.example|Member|{word}"))
        for header, word in (("Invite?", "No"), ("Needs access", "No"), ("Approved", "No"), ("Access", "None"))
    ),
    _perhaps("a standing beside one group", "Email|Group|Active", (_OUT, "ana@acme.example|Ops|No")),
    layout("blocked or not", "Email|Role|Inactive", (ana("Member"), "ana@acme.example|Member|No"),
        (ben("Guest", standing="leaver"), "ben@acme.example|Guest|Yes")),
    layout("GAM", "primaryEmail|name.givenName|name.familyName|suspended|isAdmin", (ana(), "ana@acme.example|Ana|Lima|False|True"),
        (ben(standing="leaver"), "ben@acme.example|Ben|Ode|True|False")),
    layout("Cognito", "name|given_name|email|email_verified|cognito:username|enabled",
        (ana(), "Ana|Ana|ana@acme.example|true|ana|true"), (ben(standing="leaver"), "Ben|Ben|ben@acme.example|false|ben|false")),
    layout("Moodle", "username|password|firstname|lastname|email|course1|role1x|suspended", (ana(), "ana|pw|Ana|Lima|ana@acme.example|C1|student|0"),
        (ben(standing="leaver"), "ben|pw|Ben|Ode|ben@acme.example|C1|teacher|1")),
    layout("Canvas", "user_id|login_id|first_name|last_name|email|status", (ana(), "u1|ana|Ana|Lima|ana@acme.example|active"),
        (ben(standing="leaver"), "u2|ben|Ben|Ode|ben@acme.example|deleted")),
    layout("HiBob", "Display name|Email|Site|Department|Reports to|Start date|Lifecycle status",
        (ana(), "Ana Lima|ana@acme.example|Berlin|Data|Boss|20/11/2020|Employed"),
        (ben(standing="leaver"), "Ben Ode|ben@acme.example|Berlin|Data|Boss|20/11/2020|Left")),
    layout("Atlan's own", "Username|First name|Last name|Email|Role|Groups|Status", (ana("Admin", ["Data", "Ops"]),
        "ana|Ana|Lima|ana@acme.example|Admin|Data,Ops|Active"), (ben("Member", standing="leaver"), "ben|Ben|Ode|ben@acme.example|Member||Disabled")),
    layout("Jira", "id|full_name|email|active|last login|group_name", (ana("", ["users"]), "1|Ana|ana@acme.example|Yes|2026-11-01|users"),
        (ana("", ["admins"]), "1|Ana|ana@acme.example|Yes|2026-11-01|admins")),
    _perhaps("Slack", "username|email|status|billing-active|fullname", (None, "ana|ana@acme.example|Owner|1|Ana"),
        (ben(standing="leaver"), "ben|ben@acme.example|Deactivated|0|Ben")),
    # ---- which group
    _perhaps("a group and its id", "group_id|name|description", (Team("Ops", "Runs"), "123|Ops|Runs")),
    _perhaps("a pivot table", "Group1|11.067|5.0731|16.1401", (None, "10|1|2|3"), (None, "Grand Total|1|2|3")),
    _perhaps("a report about gas", "Group Name|Record Number|Location Name|Type of Gas|Pressure", (None, "North|1|Hall|Air|6")),
    _perhaps("requirements", "NN|Hierarchy|ID|Type|Name|Description", (None, "1|1.1|R1|req|Speed|fast")),
    _perhaps("ditto marks", "Email|Group", (OPS, "ana@acme.example|Ops"), (None, 'ben@acme.example|"'), (None, "cem@acme.example|〃")),
    layout("the group once for several", "Group|Email", (Member("ana@acme.example", "Ops"), "Ops|ana@acme.example"),
        (bad("group-missing"), "|ben@acme.example"), (Member("cem@acme.example", "HR"), "HR|cem@acme.example")),
    layout("crosses below groups", "Email|Finance|Ops", "ana@acme.example|x|", refused="invites nobody"),
    layout("crosses below roles", "Email|Admin|Member|Guest", "ana@acme.example|x||", refused="."),
    # ---- around the table
    layout("a page number between", "email|role", TWO[0], (NOTHING, "Page 1 of 3|"), TWO[1]),
    layout("more notes than anybody reads", *["note"] * 30, "email|role", *(text for _, text in TWO), refused="."),
    layout("nobody yet", "email|role|groups"),
    layout("blanks of every kind", "email|role", "\u00a0|\u200b", (ANA, "\ufeffana@acme.example\u200e|\u3000Member"), " |\t", (BEN, "ben@acme.example|Guest")),
)  # fmt: skip
