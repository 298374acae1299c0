"""Tables of other systems, and tables that may mean the contrary: whole files in, what they ask for out."""

from __future__ import annotations

import base64
import csv
import gzip
import html
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from test_headers import ENTRA, GOOGLE, OKTA

from onboarding.errors import SheetError, UsageError
from onboarding.headers import Kind
from onboarding.intake import Rules, take_in
from onboarding.model import Intake, Severity, Standing
from onboarding.sheets import Inputs, Reading, read
from onboarding.writers import explained

PASSWORD = "Tr0ub4dor&3"


def filled(headers: str, *rows: dict[str, str], above: str = "") -> str:
    """Make a file of a template: each row gives the cells of some headers, by how these begin."""
    names = next(csv.reader([headers]))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for row in rows:
        cells = ["" for _ in names]
        for start, cell in row.items():
            cells[next(i for i, name in enumerate(names) if name.startswith(start))] = cell
        writer.writerow(cells)
    return above + text.getvalue()


def as_workbook(text: str, path: Path) -> Path:
    book = openpyxl.Workbook()
    assert book.active
    for row in csv.reader(io.StringIO(text)):
        book.active.append(row)
    book.save(path)
    return path


def inputs(folder: Path, *, group: str = "", **files: str) -> Inputs:
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return read(paths, Reading(group=group))


def asked(found: Inputs) -> Intake:
    return take_in(found.tables, Rules())


def told(intake: Intake) -> dict[str, tuple[str | None, str, list[str]]]:
    """Give who would be what, in which groups."""
    desired = intake.desired
    people = {
        email: (person.role.label if person.role else None, person.standing.value)
        for email, person in desired.persons.items()
    }
    return {
        email: (*people.get(email, (None, "")), sorted(map(str, desired.grants.get(email, {}))))
        for email in sorted({*people, *desired.grants})
    }


ACTIVE, LEAVER = Standing.ACTIVE.value, Standing.LEAVER.value
ANA = "ana@acme.example"
BOB = "bob@acme.example"

PEOPLE = [
    pytest.param(
        "Auth0 users",
        f"user_id,email,email_verified,name,nickname,blocked\nauth0|1,{ANA},true,Ana,ana,false\n"
        f"auth0|2,{BOB},true,Bob,bob,true\n",
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Auth0",
    ),
    pytest.param(
        "Cognito users",
        f"name,email,email_verified,cognito:username,enabled\nAna,{ANA},true,ana,true\nBob,{BOB},true,bob,false\n",
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Cognito",
    ),
    pytest.param(
        "Lattice employees",
        f"External User ID,Preferred Full Name,Email,Title,Department,Start Date,Status\n1,Ana,{ANA},Chef,Ops,2020-01-01,Active\n",
        {ANA: (None, ACTIVE, [])},
        id="Lattice",
    ),
    pytest.param(
        "PeopleForce employees",
        f"Employee ID,Full name,Email,Position,Hired on,Status\n1,Ana,{ANA},Chef,2020-01-01,Employed\n",
        {ANA: (None, ACTIVE, [])},
        id="PeopleForce",
    ),
    pytest.param(
        "Canvas group roster",
        f"name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\nAna,1,u1,{ANA},A,Ops,7,g1\n",
        {ANA: (None, "", ["ops"])},
        id="Canvas roster",
    ),
    pytest.param(
        "Microsoft Entra user download",
        "userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,state,invitationState\n"
        f"{ANA},Ana,Lima,{ANA},Ana,x1,Member,Chef,Ops,True,Bavaria,\n{BOB},Bob,Ode,{BOB},Bob,x2,Guest,,,False,,Accepted\n",
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Entra users, downloaded",
    ),
    pytest.param(
        "Canvas users",
        f"user_id,login_id,email,status\nu1,ana,{ANA},active\nu2,bob,{BOB},deleted\n",
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Canvas users",
    ),
    pytest.param(
        "Google Workspace users",
        filled(
            GOOGLE,
            {"First": "Ana", "Email A": ANA, "Password [": "****", "New Status": "Active"},
            {"Email A": BOB, "New Status": "Suspended", "Recovery E": "bob@home.example"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Google users",
    ),
    pytest.param(
        "Google Workspace users",
        filled(
            "First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required],"
            "Status [READ ONLY],Last Sign In [READ ONLY],New Status [UPLOAD ONLY]",
            {"Email": ANA, "Status": "Active"},
            {"Email": BOB, "Status": "Suspended"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Google users, downloaded",
    ),
    pytest.param(
        "Microsoft Entra bulk create",
        filled(
            ENTRA,
            {"Name": "Example: Chris Green", "User": "chris@contoso.example"},
            {"Name": "Ana", "User": ANA, "Initial": PASSWORD, "Block": "No"},
            {"Name": "Bob", "User": BOB, "Initial": PASSWORD, "Block": "Yes"},
            above="version:v1.0\n",
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Entra bulk create",
    ),
    pytest.param(
        "Microsoft Entra bulk invite",
        filled(
            "Email address to invite [inviteeEmail] Required,Redirection url [inviteRedirectURL] Required,"
            "Send invitation message (true or false) [sendEmail]",
            {"Email": ANA, "Redir": "https://acme.example", "Send": "FALSE"},
        ),
        {ANA: (None, ACTIVE, [])},
        id="Entra bulk invite",
    ),
    pytest.param(
        "Microsoft Entra user download",
        filled(
            "userPrincipalName,displayName,surname,mail,givenName,id,userType,accountEnabled,state,city",
            {
                "userP": "ana@acme.onmicrosoft.example",
                "mail": ANA,
                "userT": "Member",
                "acc": "TRUE",
            },
            {"userP": "b", "mail": BOB, "userT": "Guest", "acc": "FALSE", "state": "NO"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Entra download: its user type is no role",
    ),
    pytest.param(
        "Okta users",
        filled(OKTA, {"login": ANA, "email": ANA, "userType": "Admin", "state": "NO"}),
        {ANA: (None, ACTIVE, [])},
        id="Okta",
    ),
    pytest.param(
        "BambooHR employees",
        filled(
            "Employee #,First Name,Work Email,Home Email,Employment Status,Status",
            {"Work": ANA, "Employment": "Full-Time", "Status": "Active"},
            {"Work": BOB, "Employment": "Full-Time", "Status": "Inactive", "Home": "b@x.example"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="BambooHR",
    ),
    pytest.param(
        "Workday workers",
        filled(
            "Employee ID,Worker,Email - Primary Work,Email - Primary Home,Active Status,Worker Type",
            {"Email - Primary W": ANA, "Active": "Yes"},
            {"Email - Primary W": BOB, "Active": "No", "Email - Primary H": "b@x.example"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Workday",
    ),
    pytest.param(
        "Rippling employees",
        filled(
            "Employee name,Work email,Manager - Work email,Employment status",
            {"Work": ANA, "Manager": BOB, "Employment": "Active"},
        ),
        {ANA: (None, ACTIVE, [])},
        id="Rippling",
    ),
    pytest.param(
        "HiBob people",
        filled(
            "First name,Display name,Email,Site,Reports to,Manager email,Status,Lifecycle status",
            {"Email": ANA, "Manager": BOB, "Status": "Active", "Life": "Employed"},
            {"Email": BOB, "Status": "Inactive", "Life": "Terminated"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="HiBob",
    ),
    pytest.param(
        "Personio employees",
        filled(
            "ID,First name,Last name,Email,Gender,Status,Position,Team",
            {"Email": ANA, "Status": "active", "Team": "Sales"},
            {"Email": BOB, "Status": "inactive"},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="Personio",
    ),
    pytest.param(
        "Personio employees",
        filled(
            "Vorname,Nachname,E-Mail,Vorgesetzter,Abteilung,Kostenstelle,Status",
            {"E-Mail": ANA, "Vorgesetzter": "Bob", "Status": "Aktiv"},
        ),
        {ANA: (None, ACTIVE, [])},
        id="Personio in German",
    ),
    pytest.param(
        "Adobe Admin Console users",
        filled(
            "Identity Type,Username,Domain,Email,First Name,Last Name,Country Code,ID,Admin Roles,User Groups",
            {"Email": ANA, "Admin": "SUPPORT_ADMIN", "User Groups": "Finance, Ops"},
        ),
        {ANA: (None, ACTIVE, ["finance", "ops"])},
        id="Adobe",
    ),
    pytest.param(
        "OneRoster users",
        filled(
            "sourcedId,status,enabledUser,orgSourcedIds,role,username,userIds,givenName,email,password",
            {"status": "active", "enabled": "true", "role": "student", "email": ANA},
            {"status": "active", "enabled": "false", "role": "teacher", "email": BOB},
        ),
        {ANA: (None, ACTIVE, []), BOB: (None, LEAVER, [])},
        id="OneRoster",
    ),
    pytest.param(
        "Moodle users",
        filled(
            "username,password,firstname,lastname,email,suspended,deleted,course1,role1,cohort1,cohort2",
            {"email": ANA, "role1": "student", "cohort1": "Ops", "cohort2": "Law, tax"},
            {"email": BOB, "suspended": "1", "deleted": "0"},
        ),
        {ANA: (None, ACTIVE, ["law, tax", "ops"]), BOB: (None, LEAVER, [])},
        id="Moodle",
    ),
    pytest.param(
        "Atlan Admin Export users",
        filled(
            "Username,First name,Last name,Email address,Groups,Created,Enabled,License type,Group names",
            {
                "User": "ana",
                "Email": ANA,
                "Groups": "finance\nr_d",
                "Enabled": "true",
                "License": "Admin",
                "Group n": "Finance\nR&D",
            },
        ),
        {ANA: ("Admin", ACTIVE, ["finance", "r_d"])},
        id="Atlan's own",
    ),
    pytest.param(
        "GAM group members",
        "group,email,role,type,status\nOps,ana@acme.example,MEMBER,USER,ACTIVE\n",
        {ANA: (None, "", ["ops"])},
        id="GAM: the role is the one in the group",
    ),
    pytest.param(
        "Google Groups members",
        "Group Email [Required],Member Email,Member Type,Member Role\nOps,ana@acme.example,USER,OWNER\n",
        {ANA: (None, "", ["ops"])},
        id="Google members",
    ),
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(("name", "text", "expected"), PEOPLE)
def test_a_table_of_another_system_asks_for_what_it_means(
    tmp_path: Path, name: str, text: str, expected: object, form: str
) -> None:
    if form == "csv":
        found = inputs(tmp_path, people=text)
    else:
        found = read([str(as_workbook(text, tmp_path / "people.xlsx"))], Reading())
    intake = asked(found)
    assert [table.columns.template for table in found.tables] == [name]
    assert [f for f in intake.findings if f.severity is Severity.REJECT] == []
    assert told(intake) == expected


def test_atlans_groups_and_personas_are_told_apart(tmp_path: Path) -> None:
    found = inputs(
        tmp_path,
        groups="Group name,Internal name,Number of users,Default\nFinance,finance,3,false\n",
        users="Username,Email address,License type\nana,ana@acme.example,Member\n",
    )
    assert [table.columns.kind for table in found.tables] == [Kind.GROUPS, Kind.USERS]
    with pytest.raises(SheetError, match="it holds personas"):
        inputs(tmp_path, personas="Persona name,Description,Users,Groups\nP,,ana,finance\n")


ENTRA_MEMBERS = (
    "version:v1.0\nMember object ID or user principal name [memberObjectIdOrUpn] Required\n"
    "Example: 9832aad8-e4fe-496b-a604-95c6eF01ae75\nana@acme.example\n"
)


def test_a_list_of_members_takes_its_group_from_outside(tmp_path: Path) -> None:
    assert told(asked(inputs(tmp_path, group="Ops", list=ENTRA_MEMBERS))) == {
        ANA: (None, "", ["ops"])
    }
    plain = inputs(tmp_path, group="Ops", list="Email,First name\nana@acme.example,Ana\n")
    assert told(asked(plain)) == {ANA: (None, "", ["ops"])}
    with pytest.raises(SheetError, match=r"Microsoft Entra group members.*--group NAME"):
        inputs(tmp_path, list=ENTRA_MEMBERS)
    with pytest.raises(UsageError, match="none of these tables is a list of members"):
        inputs(tmp_path, group="Ops", list="Email,Role\nana@acme.example,Guest\n")


CANVAS_USERS = (
    "user_id,integration_id,login_id,password,first_name,last_name,email,status\n"
    f"u1,,ana,{PASSWORD},Ana,Lee,ana@acme.example,active\n"
)
CANVAS_GROUPS = "group_id,account_id,name,status\ng1,,Ops,available\ng2,,Old,deleted\n"
CANVAS_MEMBERS = "group_id,user_id,status\ng1,u1,accepted\ng1,u9,accepted\n"


def test_canvas_ids_are_explained_by_the_other_files(tmp_path: Path) -> None:
    found = inputs(tmp_path, a=CANVAS_MEMBERS, b=CANVAS_GROUPS, c=CANVAS_USERS)
    intake = asked(found)
    assert told(intake) == {ANA: (None, ACTIVE, ["ops"])}
    wrong = [(str(f.row), f.code) for f in intake.findings if f.severity is Severity.REJECT]
    assert wrong == [("a.csv:3", "id-unknown"), ("b.csv:3", "group-deleted")]
    with pytest.raises(SheetError, match=r"Canvas group memberships.*its users file"):
        inputs(tmp_path, a=CANVAS_MEMBERS, b=CANVAS_GROUPS)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "m",
            "Email,Group,Acton\na@x.example,Ops,remove\n",
            '"Acton" .column C. nearly is "action"',
        ),
        ("m", "Email,Group,Staus\na@x.example,Ops,left\n", 'nearly is "status"'),
        ("u", "Email,Role,Grop\na@x.example,Guest,Ops\n", 'nearly is "group"'),
        ("u", "Email,Groups,Roel\na@x.example,Ops,Admin\n", 'nearly is "role"'),
        ("u", "Emial,Role,Status\na@x.example,Guest,left\n", 'nearly is "email"'),
        ("m", "Emial,Team name x,Action\na@x.example,Ops,add\n", 'nearly is "email"'),
        ("m", "Email,Group,Request type\na@x.example,Ops,Removal\n", 'says "removal"'),
        ("m", "Email,Group,Remove?\na@x.example,Ops,x\n", 'says "x"'),
        ("u", "Email,Role,Current state\na@x.example,Guest,Terminated\n", 'says "terminated"'),
        ("Leavers", "Email,Department\na@x.example,Ops\n", "speaks of people who go"),
        ("m", "To be removed:\nEmail,Group\na@x.example,Ops\n", "speaks of people who go"),
        ("u", "Email,Role,State\na@x.example,Guest,NO\n", "may be a place or a person's status"),
        ("u", "Name,Email,Description\nOps,ops@x.example,All\n", "may be that of a group"),
        *(
            ("m", f"{header},Group\na@x.example,Ops\n", "holds e-mail addresses")
            for header in ("User", "Member", "Employee", "Contact", "Address", "Personal Email")
        ),
        ("m", "Group,Members\nOps,a@x.example; b@x.example\n", "holds e-mail addresses"),
        ("m", "User,Group,Description\na@x.example,Ops,All\n", "holds e-mail addresses"),
        ("m", "Name,Supervisor Email,Group\nAna,boss@x.example,Ops\n", "holds e-mail addresses"),
        ("m", "Employee,Team\nAna Lima,Ops\n", '"Employee" .column A. is about people'),
        ("m", "Team,Mitglieder\nOps,Ana\n", "is about people"),
        *(
            ("m", f"Email,Group,{header}\na@x.example,Ops,Yes\nb@x.example,Ops,{word}\n", "says")
            for header, word in {
                "Approved": "No",
                "Keep?": "No",
                "Reviewer decision": "Deny",
                "Request status": "Rejected",
                "Genehmigt": "Nein",
                "Permission": "None",
                "Comment": "not approved",
            }.items()
        ),
        *(
            (
                "u",
                f"userPrincipalName,accountEnabled,{header}\na@x.example,True,2026-01-31\n",
                "were deleted",
            )
            for header in ("deletedDateTime", "deletionDateTime", "Deleted at")
        ),
        ("Leavers_Nov", "Email,Role,Status\na@x.example,Guest,\n", "speaks of people who go"),
        ("remove", "Email,Group,Action\na@x.example,Ops,remove\nb@x.example,Ops, \n", "speaks of"),
        ("u", "Email,Role\na@x.example,Guest\nLeavers,\nb@x.example,Guest\n", "row 3 says"),
        ("u", "Email,Role\na@x.example,Guest\nNot to be invited:,\nb@x.example,Guest\n", "row 3"),
        ("u", "Email,Role,Team\na@x.example,Guest,\nLeavers,,2 people\nb@x.example,,\n", "row 3"),
        ("u", "Do not invite these people,\nEmail,Role\na@x.example,Guest\n", "speaks of people"),
        ("do_not_invite", "Email,Role\na@x.example,Guest\n", "speaks of people who go"),
        ("dimissioni", "Email,Cognome,Gruppo\na@x.example,Rossi,Ops\n", "speaks of people who go"),
        ("u", "Email,Department,Exit\na@x.example,D,30.11.2025\n", 'says "30.11.2025"'),
        ("u", "Email,Role,Remarks\na@x.example,Guest,please do NOT invite\n", "do not invite"),
        ("u", "Email,Role,Remarks\na@x.example,Guest,left the company 1.11.\n", "left the comp"),
        ("m", "Email,Group,\na@x.example,Ops,remove\nb@x.example,Ops,add\n", 'says "remove"'),
        ("m", "Email,?,Group\na@x.example,remove,Ops\n", 'says "remove"'),
        ("m", ",Email,Group\nremove,a@x.example,Ops\n", 'says "remove"'),
        ("m", "Email,Group,In/Out\na@x.example,Ops,Out\n", 'says "out"'),
        ("m", "Email,Group,Member\na@x.example,Ops,No\n", 'says "no"'),
        ("m", "Email,Group,Comment\na@x.example,Ops,please remove from group\n", 'says "remov"'),
        ("u", "Email,Name,Employed?\na@x.example,Ana,No\n", 'says "no"'),
        ("u", "Email,Name,Event\na@x.example,Ana,Termination\n", 'says "terminat"'),
        ("u", "Email,Name,Typ\na@x.example,Ana,Austritt\n", 'says "austritt"'),
        ("u", "Email,Name,JML\na@x.example,Ana,L\n", 'says "l"'),
        ("u", "Email,Name,Headcount status\na@x.example,Ana,Gone\n", 'says "gone"'),
        ("m", "Email,+/-,Group\na@x.example,-,Ops\nb@x.example,+,Ops\n", '"-" and is not'),
        ("m", "Email,Group,Action,Approved\na@x.example,Ops,add,No\n", 'says "no"'),
        ("u", "Email,Role,Invite?\na@x.example,Guest,No\n", 'says "no"'),
        ("u", "Email,Role,Access\na@x.example,Admin,None\n", 'says "none"'),
        ("u", "Email,Role,Needs access\na@x.example,Admin,0\n", 'says "0"'),
        ("m", "Email,Group,Active\na@x.example,Ops,No\n", '"no" in the column "Active"'),
        ("m", "Email,Group,Inactive\na@x.example,Ops,Yes\n", '"yes" in the column "Inactive"'),
        ("m", "Email,Group,Status\na@x.example,Ops,inactive\n", "say --kind users"),
        ("u", "Email,New Email,Role\na@x.example,b@x.example,Guest\n", "shall become"),
        ("m", "Email,From group,To group,Role\na@x.example,A,B,Guest\n", '"To group" .column C'),
    ],
)
def test_what_may_ask_for_the_contrary_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(SheetError, match=message):
        inputs(tmp_path, **{name: text})


def test_an_entra_download_of_members_says_nothing_of_who_shall_go(tmp_path: Path) -> None:
    text = "userPrincipalName,objectType,userType,accountEnabled,deletedDateTime\na@x.example,User,Member,True,\n"
    (tmp_path / "m.csv").write_text(text)
    (table,) = read([str(tmp_path / "m.csv")], Reading(group="Marketing")).tables
    assert sorted(table.columns.fields) == ["email", "member_type"]


def test_what_is_said_clearly_is_not_refused(tmp_path: Path) -> None:
    for name, text in {
        "Leavers": "Email,Status\na@x.example,terminated\n",
        "removals": "Email,Group,Action\na@x.example,Ops,remove\n",
        "approvals": "Email,Group,Approved,Access count\na@x.example,Ops,Yes,0\nb@x.example,Ops,,3\n",
        "teams": "Team,Owner,Members,Description\nOps,boss@x.example,12,All\n",
        "contacts": "Group,Contact email,Description\nOps,boss@x.example,All\n",
        "status": "Email,Group,Status\na@x.example,Ops,Terminated\nb@x.example,Ops,Active\n",
        "jira": "Email,Group,Active\na@x.example,Ops,Yes\n",
        "moves": "Email,New Role,Role\na@x.example,,Guest\n",
        "departments": "Email,Department,Comment\na@x.example,Ops,was in retirement planning\n",
    }.items():
        assert inputs(tmp_path, **{name: text}).tables
    path = tmp_path / "m.csv"
    path.write_text("Email,Group,Acton\na@x.example,Ops,remove\n")
    mapped = read([str(path)], Reading(columns={"Acton": "action"}))
    assert asked(mapped).desired.grants == {}


def test_who_shall_get_another_address_is_rejected(tmp_path: Path) -> None:
    text = filled(
        "First Name [Required],Email Address [Required],Org Unit Path [Required],New Primary Email [UPLOAD ONLY]",
        {"Email": ANA, "New P": "zoe@acme.example"},
        {"Email": BOB},
    )
    intake = asked(inputs(tmp_path, google=text))
    assert [(f.code, f.value) for f in intake.findings if f.severity is Severity.REJECT] == [
        ("email-changed", "zoe@acme.example")
    ]
    assert [*intake.desired.persons] == [BOB]


def test_what_the_command_says_settles_a_doubt(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Email,Group,Active\na@x.example,Ops,No\n")
    (person,) = asked(read([str(path)], Reading(kind=Kind.USERS))).desired.persons.values()
    assert person.standing is Standing.LEAVER
    path.write_text("Contact,Team\nboss@x.example,Ops\n")
    for reading in (Reading(kind=Kind.GROUPS), Reading(columns={"Contact": "ignore"})):
        assert read([str(path)], reading).tables[0].columns.kind is Kind.GROUPS


def test_what_microsoft_calls_a_blocked_credential_is_a_leaver(tmp_path: Path) -> None:
    headers = "Display name,User principal name,First name,Last name,Block credential,Licenses"
    found = inputs(tmp_path, m365=f"{headers}\nAna,{ANA},Ana,Lima,True,\n")
    assert told(asked(found)) == {ANA: (None, LEAVER, [])}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Status", "status-unknown"),
        ("Employment Status Code", "status-unknown"),
        ("Terminated", ""),
    ],
)
def test_a_letter_is_no_status(tmp_path: Path, header: str, code: str) -> None:
    """T may be terminated, unless the header asks for a yes or no."""
    intake = asked(inputs(tmp_path, hr=f"Email,{header}\n{ANA},T\n"))
    assert "".join(f.code for f in intake.findings) == code


@pytest.mark.parametrize(
    ("text", "group", "beside"),
    [
        ("group_id,name,description\n123,Ops,Runs\n", 1, 0),
        ("Group email,Name,Description\nops@x.example,Ops,Runs\n", 1, 0),
        ("Group ID,Group Name,Description\n123,Ops,Runs\n", 1, 0),
        ("Group ID,Description\nops,Runs\n", 0, None),
        ("Email,Group ID,Group\na@x.example,123,Ops\n", 2, 1),
        ("Email,Group ID\na@x.example,ops\n", 1, None),
    ],
)
def test_a_name_goes_before_an_id(
    tmp_path: Path, text: str, group: int, beside: int | None
) -> None:
    fields = inputs(tmp_path, t=text).tables[0].columns.fields
    assert (fields["group"], fields.get("group_id")) == (
        (group,),
        None if beside is None else (beside,),
    )


@pytest.mark.parametrize(
    "header",
    [
        "Exit date",
        "Last day",
        "Kündigungsdatum",
        "Contract end",
        "Separation date",
        "Valid until",
        "End of employment",
        "Letzter Arbeitstag",
        "Left on",
        "Date left",
        "Account expires",
        "Access expires",
        "Expiry date",
        "Data cessazione",
        "Contract End Date",
    ],
)
def test_a_past_end_is_seen_under_its_many_names(tmp_path: Path, header: str) -> None:
    intake = asked(inputs(tmp_path, hr=f"Email,Role,{header}\n{ANA},Guest,2020-01-31\n"))
    assert [finding.code for finding in intake.findings] == ["end-date-past"]


def test_a_shifted_row_beside_passwords_stays_rejected_when_it_is_handed_back(
    tmp_path: Path,
) -> None:
    text = f"Email,Password,Group,Action\n{ANA},{PASSWORD},Ops,Data,remove\n"
    (table,) = inputs(tmp_path, m=text).tables
    (shown,) = table.surplus[2]
    assert PASSWORD not in shown
    report = (
        f"Email,Password,Group,Action,result_surplus,result_status\n{ANA},,,,{shown},rejected\n"
    )
    (again,) = inputs(tmp_path, results=report).tables
    assert [f.code for f in again.findings if f.severity is Severity.REJECT] == ["row-ragged"]


def test_a_member_that_is_a_group_is_rejected(tmp_path: Path) -> None:
    found = inputs(
        tmp_path,
        m="Group Email,Member Email,Member Type,Member Role\nops,all@acme.example,GROUP,MEMBER\n",
    )
    assert [f.code for f in found.tables[0].findings if f.severity is Severity.REJECT] == [
        "member-not-a-person"
    ]


def test_a_table_can_be_explained(tmp_path: Path) -> None:
    found = inputs(tmp_path, hr="Mail,Rolle,Colour,Passwort\nana@acme.example,Guest,red,x\n\n")
    facts = explained.facts(found.tables[0])
    assert json.loads(json.dumps(facts))["columns"] == [
        {"letter": "A", "header": "Mail", "field": "email", "why": "name", "suggestion": ""},
        {"letter": "B", "header": "Rolle", "field": "role", "why": "name", "suggestion": ""},
        {"letter": "C", "header": "Colour", "field": "", "why": "unknown", "suggestion": ""},
        {"letter": "D", "header": "Passwort", "field": "", "why": "password", "suggestion": ""},
    ]
    shown = explained.lines([facts])
    assert shown.splitlines() == [
        "hr.csv: users",
        "  because of  an e-mail and role",
        '  read as     utf-8, delimiter ","',
        "  rows        headers in row 1, 1 read; not read: 1 blank",
        "  A   Mail                   email            by its name",
        "  B   Rolle                  role             by its name",
        "  C   Colour                 carried along    unknown",
        "  D   Passwort               carried along    a password: written nowhere",
    ]
    assert max(map(len, shown.splitlines())) <= 80


def unpacked(content: bytes) -> bytes:
    """Give a file with all that is packed in it laid open: the parts of a workbook, the data of the page."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return b"".join(parts.read(name) for name in parts.namelist())
    for packed in re.findall(rb"H4sI[A-Za-z0-9+/=]{40,}", content):
        content += gzip.decompress(base64.b64decode(packed))
    return content


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_file_of_a_run_holds_a_password(tmp_path: Path, form: str) -> None:
    text = filled(
        ENTRA,
        {"Name": "Ana", "User": ANA, "Initial": PASSWORD, "Block": "No"},
        {"Name": "Bob", "User": "bob@acme", "Initial": PASSWORD, "Block": "perhaps"},
        above="version:v1.0\n",
    )
    sheet = tmp_path / f"people.{form}"
    sheet.write_text(text) if form == "csv" else as_workbook(text, sheet)
    command = [sys.executable, "-m", "onboarding", "run", sheet.name]
    done = subprocess.run(
        [*command, "--tenant", "sandbox", "--yes", "--verbose"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    files = [p for p in (tmp_path / "onboarding-reports").rglob("*") if p.is_file()]
    assert {"results.csv", "results.xlsx", "run.log", "plan.json", "journal.jsonl"} <= {
        p.name for p in files
    }
    assert [p.name for p in files if PASSWORD.encode() in unpacked(p.read_bytes())] == []
    assert [
        p.name for p in files if html.escape(PASSWORD).encode() in unpacked(p.read_bytes())
    ] == []
    assert PASSWORD.encode() not in done.stdout + done.stderr
