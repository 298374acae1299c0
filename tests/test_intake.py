from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from builders import email, row
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding.codes import CODES
from onboarding.headers import Kind, Table
from onboarding.intake import Rules, take_in
from onboarding.intake.dates import past
from onboarding.intake.domains import _by_a_slip, _slips
from onboarding.model import (
    Desired,
    Email,
    Finding,
    GroupKey,
    GroupName,
    Held,
    Intake,
    Person,
    Role,
    RowRef,
    Severity,
    Standing,
    Team,
    group_key,
)
from onboarding.near import marks, near
from onboarding.schemas import NOTHING
from onboarding.sheets import Reading, read

ANA, BEN, CEM = email("ana"), email("ben"), email("cem")
FINANCE, OPS = group_key("Finance"), group_key("Ops")


def tables(*texts: str, kind: Kind | None = None) -> list[Table]:
    """Read texts as tables t0, t1, …; ``@`` at the end of a word stands for the domain of the samples."""
    found: list[Table] = []
    for index, text in enumerate(texts):
        content = text.replace("@,", "@acme.example,").replace("@\n", "@acme.example\n")
        (table,) = read(["-"], Reading(kind=kind), stdin=io.BytesIO(content.encode())).tables
        source = f"t{index}"
        findings = tuple(
            replace(f, source=f.source and source, row=f.row and RowRef(index, f.row.row, source))
            for f in table.findings
        )
        found.append(replace(table, index=index, source=source, findings=findings))
    return found


def taken(*texts: str, rules: Rules = Rules(), kind: Kind | None = None) -> Intake:  # noqa: B008  (frozen)
    return take_in(tables(*texts, kind=kind), rules)


def t(table: int, number: int) -> RowRef:
    return row(number, f"t{table}", table)


def told(intake: Intake, *, notes: bool = False) -> list[str]:
    """Give the findings as ``t0:2 email "x" message [code]``."""
    severity = Severity.NOTE if notes else Severity.REJECT
    return [
        f'{f.row} {f.column} "{f.value}" {f.message} [{f.code}]'
        for f in intake.findings
        if f.severity is severity
    ]


# ---- what is asked for -----------------------------------------------------------------------------------------------


def test_what_three_sheets_ask_for() -> None:
    intake = taken(
        "email,role,groups,status\nAna@ACME.example,Member,Finance; ops,\nben@,,,Terminated\n",
        "group,internal_name,description,default\nFinance,fin,Money,yes\nOps,,(clear),\n",
        "email,group,action\ncem@,OPS,\nana@,HR,remove\n",
    )
    assert intake == Intake(
        Desired(
            persons={
                ANA: Person(ANA, (t(0, 2),), Role.MEMBER, standing_said=False),
                BEN: Person(BEN, (t(0, 3),), None, Standing.LEAVER, groups_blank=True),
            },
            teams={
                FINANCE: Team("Finance", (t(1, 2),), GroupName("fin"), "Money", default=True),
                OPS: Team("Ops", (t(1, 3),), None, ""),
            },
            grants={ANA: {FINANCE: (t(0, 2),), OPS: (t(0, 2),)}, CEM: {OPS: (t(2, 2),)}},
            revokes={ANA: {group_key("HR"): (t(2, 3),)}},
            labels={FINANCE: "Finance", OPS: "Ops", group_key("HR"): "HR"},
        ),
        rows=(t(0, 2), t(0, 3), t(1, 2), t(1, 3), t(2, 2), t(2, 3)),
    )


def test_a_person_on_several_rows_is_one_person() -> None:
    intake = taken(
        "email,role,groups,personal email,login\n"
        "ana@,Member,Finance,ana@home.example,zora\n"
        'ANA@,,Ops; Finance,"A2@home.example",ana\n'
        "ana@,member,,no address,\n"
    )
    rows = (t(0, 2), t(0, 3), t(0, 4))
    others = (email("a2@home.example"), email("ana@home.example"))
    said = {"other_addresses": others, "username": "ana", "standing_said": False}
    assert intake.desired.persons == {ANA: Person(ANA, rows, Role.MEMBER, **said)}
    assert intake.desired.grants == {ANA: {FINANCE: rows[:2], OPS: (rows[1],)}}


def test_a_letter_that_only_resembles_another_without_case_is_another_person() -> None:
    for odd, usual in ("\u0130i", "\u0131i", "\u017fs"):
        intake = taken(f"email,role\n{odd}m@acme.example,Member\n{usual}m@acme.example,Guest\n")
        assert {*intake.desired.persons} >= {f"{usual}m@acme.example"}
        assert len(intake.desired.persons) == 2


def test_a_user_name_that_is_an_address_is_another_address() -> None:
    person = taken("email,login,role\nana@,a.smith@acme.example,Guest\n").desired.persons[ANA]
    assert (person.other_addresses, person.username) == ((email("a.smith"),), "")


@pytest.mark.parametrize(
    ("columns", "cells", "blank"),
    [
        ("groups", "Finance", False),
        ("groups", " ; ", True),
        ("groups", "", True),
        ("group1,group2", ",Ops", False),
        ("role", "Guest", False),
    ],
)
def test_a_blank_groups_cell_is_not_a_missing_one(columns: str, cells: str, blank: bool) -> None:
    intake = taken(f"email,{columns}\nana@,{cells}\n")
    assert intake.desired.persons[ANA].groups_blank is blank


def test_numbered_columns_hold_one_group_each() -> None:
    intake = taken('email,group1,group2\nana@,"Finance, EU",Ops\n')
    assert intake.desired.grants == {ANA: {group_key("finance, eu"): (t(0, 2),), OPS: (t(0, 2),)}}


@pytest.mark.parametrize(
    ("header", "cell", "standing"),
    [
        ("status", "", Standing.ACTIVE),
        ("status", "On leave", Standing.ON_LEAVE),
        ("status", "Hired", Standing.NOT_STARTED),
        ("active", "FALSE", Standing.LEAVER),
        ("Block sign in (Yes/No)", "Yes", Standing.LEAVER),
        ("suspended", "no", Standing.ACTIVE),
        ("suspended", "", Standing.ACTIVE),
        ("Inactive", "TRUE", Standing.LEAVER),
        ("is_active", "FALSE", Standing.LEAVER),
        ("suspended,deleted", "0,1", Standing.LEAVER),
        ("suspended,deleted", "1,", Standing.LEAVER),
        ("suspended,deleted", "0,0", Standing.ACTIVE),
        ("sourcedId,orgSourcedIds,role,status,enabledUser", "1,2,x,active,false", Standing.LEAVER),
        ("sourcedId,orgSourcedIds,role,status,enabledUser", "1,2,x,active,", Standing.ACTIVE),
    ],
)
def test_a_status_is_read_the_right_way_round(header: str, cell: str, standing: Standing) -> None:
    assert taken(f"email,{header}\nana@,{cell}\n").desired.persons[ANA].standing is standing


def test_the_commonest_spelling_wins_then_the_smallest() -> None:
    assert taken("email,groups\nana@,ops\nben@,OPS; HR\ncem@,ops; hr\n").desired.labels == {
        OPS: "ops",
        group_key("HR"): "HR",
    }
    intake = taken("group,default\nOPS,\nops,\nops,\n", "email,group\nana@,Ops\n")
    assert intake.desired.teams[OPS].label == intake.desired.labels[OPS] == "ops"


def test_a_group_may_be_named_by_the_internal_name_that_a_groups_row_gives() -> None:
    intake = taken(
        "group,internal_name\nData Platform,dp\n", "email,groups\nana@,dp; Data Platform\n"
    )
    key = group_key("Data Platform")
    assert intake.desired.grants == {ANA: {key: (t(1, 2),)}}
    assert intake.desired.labels == {key: "Data Platform"}


def test_a_label_comes_before_an_internal_name() -> None:
    intake = taken("group,internal_name\nHR,people\nOps,hr\n", "email,groups\nana@,hr\n")
    assert intake.desired.grants == {ANA: {group_key("HR"): (t(1, 2),)}}


def test_role_aliases_are_the_settings() -> None:
    intake = taken("email,role\nana@,Editor\n", rules=Rules({"editor": "Member"}))
    assert intake.desired.persons[ANA].role is Role.MEMBER


def test_a_report_fed_back_is_never_authoritative() -> None:
    assert taken("email,role\nana@,Guest\n").authoritative
    assert not taken("email,role,result_row\nana@,Guest,x:1\n").authoritative


# ---- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "E-Mail,role\nbob@acme,Guest\n",
            't0:2 E-Mail "bob@acme" is not an e-mail address: it has no dot after the @ [email-invalid]',
            id="no dot",
        ),
        pytest.param("email,role\n,Guest\n", 't0:2 email "" is blank [email-missing]', id="blank"),
        pytest.param(
            "email,Rolle\nana@, Boss \n",
            't0:2 Rolle "Boss" is no role; the roles are Guest, Member and Admin [role-unknown]',
            id="role",
        ),
        pytest.param(
            "email,Suspended\nana@,Perhaps\n",
            't0:2 Suspended "Perhaps" is no known status [status-unknown]',
            id="inverted status",
        ),
        pytest.param(
            "email,group,action\nana@,Ops,Move\n",
            't0:2 action "Move" is neither add nor remove [action-unknown]',
            id="action",
        ),
        pytest.param(
            "group,internal_name\nOps,Our Ops\n",
            't0:2 internal_name "Our Ops" is no internal name: only a to z, 0 to 9 and _ may be in it '
            "[internal-name-invalid]",
            id="internal name",
        ),
        pytest.param(
            "Team,default\n???,yes\n",
            't0:2 Team "???" has no letter a to z and no digit to make an internal name of; '
            "give one in a column internal_name [group-name-invalid]",
            id="nothing left of a name",
        ),
        pytest.param(
            "email,role\nana@,Guest,x\n",
            't0:2  "x" has 3 cells, and the table has 2 columns [row-ragged]',
            id="too many cells",
        ),
    ],
)
def test_a_cell_that_is_wrong_is_named_as_the_file_spells_it(text: str, message: str) -> None:
    intake = taken(text)
    assert told(intake) == [message]
    assert intake.rows == (t(0, 2),)
    assert intake.desired == Desired()


def test_every_wrong_cell_of_a_row_is_told() -> None:
    intake = taken("email,role,status,group1,group2\nx,boss,maybe,," + "y" * 256 + "\n")
    assert [(f.column, f.code) for f in intake.findings] == [
        ("email", "email-invalid"),
        ("role", "role-unknown"),
        ("status", "status-unknown"),
        ("group2", "group-name-invalid"),
    ]


def test_domains_outside_the_allowed_ones_are_rejected_and_held() -> None:
    intake = taken(
        "email,role\nana@gmial.example,Guest\nben@,Guest\n",
        rules=Rules(allowed_domains=frozenset({"acme.example"})),
    )
    assert told(intake) == [
        (
            't0:2 email "ana@gmial.example" is at gmial.example, which is no allowed domain '
            "[domain-not-allowed]"
        )
    ]
    assert intake.held == Held({email("ana@gmial.example"): t(0, 2)})


def test_rows_that_disagree_about_a_person_are_all_rejected_each_naming_another() -> None:
    intake = taken(
        "email,role,groups\nana@,Member,Ops\nana@,Guest,\nana@,,\nben@,Guest,\n",
        "email,status\ncem@,active\ncem@,terminated\n",
    )
    assert told(intake) == [
        't0:2 role "Member" disagrees with other rows: t0:3 says Guest [person-conflict]',
        't0:3 role "Guest" disagrees with other rows: t0:2 says Member [person-conflict]',
        't0:4 role "" disagrees with other rows: t0:2 says Member, t0:3 says Guest [person-conflict]',
        't1:2 status "active" disagrees with other rows: t1:3 says leaver [person-conflict]',
        't1:3 status "leaver" disagrees with other rows: t1:2 says active [person-conflict]',
    ]
    assert list(intake.desired.persons) == [BEN]
    assert intake.held == Held({ANA: t(0, 2), CEM: t(1, 2)}, {OPS: t(0, 2)})


def test_a_row_that_is_wrong_by_itself_contradicts_nobody() -> None:
    intake = taken("email,role,status\nana@,Member,\nana@,Guest,maybe\n")
    assert [f.code for f in intake.findings] == ["status-unknown"]
    assert (list(intake.desired.persons), intake.held.people) == ([ANA], {ANA: t(0, 3)})


def test_one_mailbox_in_two_spellings_is_not_invited_twice() -> None:
    intake = taken(
        "email,role\nlu@bücher.example,Member\nlu@xn--bcher-kva.example,Member\nmo@bücher.example,\n"
    )
    assert told(intake) == [
        (
            't0:2 email "lu@bücher.example" is the mailbox lu@xn--bcher-kva.example on t0:3 in another spelling; '
            "write it one way [person-conflict]"
        ),
        (
            't0:3 email "lu@xn--bcher-kva.example" is the mailbox lu@bücher.example on t0:2 in another spelling; '
            "write it one way [person-conflict]"
        ),
    ]
    assert intake.desired.persons[Email("mo@bücher.example")].other_addresses == (
        "mo@xn--bcher-kva.example",
    ), "by which an account at the other spelling is found"


@pytest.mark.parametrize(
    ("cells", "gone"),
    [
        ("31-Oct-2026|31-Oct-26|Oct 31, 2026|31 octobre 2026|15 juillet 2026|1. März 2026", True),
        ("Oct 2026|Oct-26|10/2026|2026-10|Q3 2026|Mai 2026|2025|Dez 25|20261031|Nov 20 2026|2026-11-20", True),
        ("30-Nov-26|Nov 2026|Nov-26|11/2026|2026-11|2026-12|Q4/2026|1 décembre 2026|2027|31.12.2026|21-Nov-26|Nov 21 2026", False),
        ("open|2026-02-30|31.10.|46326|2026|31. 2026|13/2026|2026-00|end of 2026", None),
    ],
)  # fmt: skip
def test_an_end_date_is_understood_however_its_month_is_written(
    cells: str, gone: bool | None
) -> None:
    today = dt.date(2026, 11, 21)
    assert {cell: past(cell, today) for cell in cells.split("|")} == dict.fromkeys(
        cells.split("|"), gone
    )


def test_rows_that_disagree_about_a_group_are_all_rejected() -> None:
    intake = taken(
        "group,internal_name,description,default\n"
        "Ops,ops,a,\nops,ops2,(clear),no\nHR,,,yes\nhr,,,no\nLegal,,x,\nlegal,lg,,yes\n"
    )
    assert [(f.row, f.column) for f in intake.findings if f.code == "group-conflict"] == [
        (t(0, 2), "internal_name"),
        (t(0, 2), "description"),
        (t(0, 3), "internal_name"),
        (t(0, 3), "description"),
        (t(0, 4), "default"),
        (t(0, 5), "default"),
    ]
    legal = Team("Legal", (t(0, 6), t(0, 7)), GroupName("lg"), "x", default=True)
    assert intake.desired.teams == {group_key("legal"): legal}
    assert intake.held.not_created.keys() >= {OPS, group_key("hr"), group_key("ops2")}


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("Data Eng,", "data_eng,", "data_eng"),
        ("R&D,", "R-D,", "r_d"),
        ("Ops,x", "HR,x", "x"),
        ("Café,", "Other,cafe", "cafe"),
    ],
)
def test_two_groups_with_one_internal_name_are_both_rejected(
    first: str, second: str, name: str
) -> None:
    intake = taken(f"group,internal_name\n{first}\n{second}\n")
    assert [(f.row, f.code) for f in intake.findings if f.severity is Severity.REJECT] == [
        (t(0, 2), "internal-name-collision"),
        (t(0, 3), "internal-name-collision"),
    ]
    assert f"would have the internal name {name}, as would" in told(intake)[0]
    assert intake.desired.teams == {}
    assert GroupKey(name) in intake.held.not_created


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["email,group,action\nana@,Ops,add\nana@,ops,remove\n"], id="memberships"),
        pytest.param(
            ["email,groups\nana@,HR; Ops\n", "email,group,action\nana@,ops,remove\n"], id="users"
        ),
        pytest.param(
            [
                "email,group,action\nana@,Ops,add\nana@,o_p_s,remove\n",
                "group,internal_name\nOps,o_p_s\n",
            ],
            id="by its internal name",
        ),
    ],
)
def test_adding_and_removing_the_same_membership_rejects_both(texts: Sequence[str]) -> None:
    intake = taken(*texts)
    rejected = {f.row for f in intake.findings if f.severity is Severity.REJECT}
    assert {f.code for f in intake.findings} == {"membership-conflict"}
    assert rejected == {ref for ref in intake.rows if not texts[ref.table].startswith("group")}
    assert (intake.desired.grants, intake.desired.revokes) == ({}, {})
    assert intake.held.people == {ANA: t(0, 2)}


def test_a_contradiction_names_the_other_row() -> None:
    intake = taken("email,groups\nana@,HR; Ops\n", "email,group,action\nana@,ops,remove\n")
    assert told(intake) == [
        (
            't0:2 groups "Ops" is contradicted: this row adds ana@acme.example, the opposite stands on t1:2 '
            "[membership-conflict]"
        ),
        (
            't1:2 group "ops" is contradicted: this row removes ana@acme.example, the opposite stands on t0:2 '
            "[membership-conflict]"
        ),
    ]


def test_a_leavers_own_grants_contradict_nothing() -> None:
    intake = taken("email,groups,status\nana@,Ops,left\n", "email,group,action\nana@,ops,remove\n")
    assert intake.findings == ()
    assert intake.desired.revokes == {ANA: {OPS: (t(1, 2),)}}
    assert intake.desired.grants == {ANA: {OPS: (t(0, 2),)}}


@pytest.mark.parametrize(
    ("first", "second", "blank"),
    [("", "", True), ("", "Ops", False), ("Ops", "", False), ("Ops", "HR", False)],
)
def test_the_groups_of_a_person_are_blank_where_all_rows_leave_them_so(
    first: str, second: str, *, blank: bool
) -> None:
    intake = taken(f"email,groups\nana@,{first}\nana@,{second}\n")
    assert intake.desired.persons[ANA].groups_blank is blank


# ---- who is at a stranger's domain, or gone ---------------------------------------------------------------------------


def at(*domains: tuple[int, str]) -> str:
    """Write a sheet with so many people at each domain."""
    lines = [
        f"p{number}.{i}@{domain},Guest"
        for i, (n, domain) in enumerate(domains)
        for number in range(n)
    ]
    return "\n".join(["email,role", *lines, ""])


@pytest.mark.parametrize(
    ("sheet", "rejected"),
    [
        pytest.param(at((3, "acme.com"), (1, "acme.con")), 1, id="another end"),
        pytest.param(at((3, "acme.com"), (1, "acme.co")), 1, id="a letter missing"),
        pytest.param(at((6, "acme.example"), (2, "acmee.example")), 2, id="a letter too many"),
        pytest.param(at((3, "acme.example"), (1, "amce.example")), 1, id="two letters swapped"),
        pytest.param(at((9, "acme.example"), (1, "acm.example")), 1, id="a short part cut"),
        pytest.param(at((3, "mail.acme.example"), (1, "mailacme.example")), 1, id="no dot"),
        pytest.param(at((600, "acme.com"), (3, "acme.cm")), 3, id="one in two hundred"),
        pytest.param(at((2, "acme.com"), (1, "acme.con")), 0, id="no majority"),
        pytest.param(at((300, "acme.de"), (9, "acme.dk")), 0, id="too many to be slips"),
        pytest.param(at((30, "acme.de"), (3, "acme.dk")), 0, id="three are too many, too"),
        pytest.param(at((30, "acme.example"), (1, "acme-labs.example")), 0, id="not near"),
        pytest.param(at((30, "eu.acme.example"), (1, "us.acme.example")), 0, id="a short part"),
        pytest.param(at((30, "dev.acme.example"), (1, "dex.acme.example")), 0, id="three letters"),
        pytest.param(at((30, "shop.acme.example"), (1, "shap.acme.example")), 1, id="four letters"),
        pytest.param(at((30, "team1.acme.example"), (1, "team2.acme.example")), 0, id="a number"),
        pytest.param(at((30, "a.acme.com"), (1, "b.acme.con")), 0, id="two parts"),
    ],
)
def test_a_domain_that_is_probably_a_slip_is_rejected(sheet: str, rejected: int) -> None:
    found = [f for f in taken(sheet).findings if f.code == "domain-doubtful"]
    assert (len(found), {f.severity for f in found}) == (
        rejected,
        {Severity.REJECT} if rejected else set(),
    )


PLACES = st.text("ab1.", min_size=1, max_size=5).filter(lambda place: ".." not in f".{place}.")


@given(st.dictionaries(PLACES, st.integers(1, 9), max_size=12))
def test_slips_are_those_that_a_look_at_every_pair_finds(people: Mapping[str, int]) -> None:
    def is_slip(domain: str, other: str) -> bool:
        outnumbered = people[other] >= 3 * people[domain] and people[domain] <= 2
        near = domain != other and not marks(domain).isdisjoint(marks(other))
        return outnumbered and near and _by_a_slip(domain.split("."), other.split("."))

    meant = {domain: [o for o in people if is_slip(domain, o)] for domain in people}
    assert dict(_slips(people)) == {
        domain: max(others, key=lambda other: (people[other], other))
        for domain, others in meant.items()
        if others
    }


@given(st.lists(st.text("ab", max_size=4)), st.lists(st.text("ab", max_size=4)))
def test_near_are_the_words_that_share_a_mark(strange: list[str], known: list[str]) -> None:
    assert near(strange, known) == {
        word: others
        for word in strange
        if (others := {o for o in known if o != word and marks(o) & marks(word)})
    }


def test_addresses_that_are_missing_or_no_addresses_are_nobody_and_the_others_who_they_are() -> (
    None
):
    intake = taken(
        "email,role\n,Guest\nx_at_y,Guest\n<Ana@acme.example>,boss\nBob@acme.example,Guest\n"
    )
    assert [line.rpartition(" ")[2] for line in told(intake)] == [
        "[email-missing]", "[email-invalid]", "[role-unknown]",
    ]  # fmt: skip
    assert [line.split()[0] for line in told(intake, notes=True)] == ["t0:4"]
    assert (intake.held.people.keys(), intake.held.absence) == ({"ana@acme.example"}, t(0, 2))
    assert intake.desired.persons.keys() == {"bob@acme.example"}


def test_a_slip_is_told_with_what_was_meant() -> None:
    assert told(taken(at((3, "acme.com"), (1, "acme.con")))) == [
        (
            't0:5 email "p0.1@acme.con" is at acme.con, one slip away from acme.com, where 3 others are '
            "[domain-doubtful]"
        )
    ]


def test_people_count_and_not_rows_and_memberships_too() -> None:
    sheet = "email,group\na@acme.com,Ops\na@acme.com,HR\na@acme.com,IT\nb@acme.con,Ops\n"
    assert told(taken(sheet)) == []
    assert len(told(taken(sheet + "c@acme.com,HR\nd@acme.com,HR\n"))) == 1


def test_who_names_the_domains_is_asked_nothing() -> None:
    rules = Rules(allowed_domains=frozenset({"acme.com", "acme.con"}))
    assert taken(at((3, "acme.com"), (1, "acme.con")), rules=rules).findings == ()


TODAY = Rules(today=dt.date(2026, 3, 5))


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ("2026-03-04,", ["end-date-past"]),
        ("2026-03-04 00:00:00,", ["end-date-past"]),
        ("04.03.2026,", ["end-date-past"]),
        ("3/4/2025,", ["end-date-past"]),
        ("2026-03-04,active", ["end-date-noted"]),
        ("2026-03-04,parental leave", ["end-date-noted", "on-leave"]),
        ("2026-03-04,terminated", []),
        ("2026-03-04,hired", []),
        ("2026-03-05,", []),
        ("3/4/2026,", []),
        ("04.04.2026,", []),
        ("2026-13-99,", ["end-date-noted"]),
        ("never,", ["end-date-noted"]),
        ("never,active", []),
        ("44000,", ["end-date-noted"]),
        ("2020/01/31 00:00:00,", ["end-date-past"]),
        ("1/31/2020 12:00:00 AM,", ["end-date-past"]),
        ("31-Jan-20,", ["end-date-past"]),
        ("31. Januar 2020,", ["end-date-past"]),
        ("20200131,", ["end-date-past"]),
        ("31/01/20,", ["end-date-past"]),
        ("Jan 2020,", ["end-date-past"]),
        ("Jan 2027,", []),
        (",", []),
    ],
)
def test_who_has_left_by_the_end_date_alone_is_not_invited(cells: str, codes: list[str]) -> None:
    intake = taken(f"email,Termination Date,status\nana@,{cells}\n", rules=TODAY)
    assert sorted(f.code for f in intake.findings) == codes
    assert (ANA in intake.desired.persons) is (codes != ["end-date-past"])


@pytest.mark.parametrize(
    ("cells", "codes", "granted"),
    [
        pytest.param("2026-03-04,", ["end-date-past"], False, id="past"),
        pytest.param("2026-03-04,add", ["end-date-past"], False, id="past-and-added"),
        pytest.param("2026-03-05,", [], True, id="today"),
        pytest.param("never,", ["end-date-noted"], True, id="no-date"),
        pytest.param("2026-03-04,remove", [], False, id="past-and-removed"),
    ],
)
def test_a_membership_that_has_ended_is_not_granted(
    cells: str, codes: list[str], *, granted: bool
) -> None:
    intake = taken(f"email,group,End Date,action\nana@,Ops,{cells}\n", rules=TODAY)
    assert [f.code for f in intake.findings] == codes
    assert (ANA in intake.desired.grants) is granted


@pytest.mark.parametrize(
    "word", ["n/a", "N/A", "None", "null", "NULL", "nan", "-", "–", " (none) "]
)
def test_a_word_for_nothing_is_a_blank_cell(word: str) -> None:
    intake = taken(
        f"email,groups\nana@,{word}\n",
        f"group,description\nOps,{word}\n",
        f"email,group\nana@,{word}\n",
    )
    assert intake.desired.persons[ANA].groups_blank
    assert intake.desired.teams[OPS].description is None
    assert [f.code for f in intake.findings] == [
        "nothing-said",
        "nothing-said",
        "group-missing",
        "nothing-said",
    ]
    assert intake.desired.grants == {}


def test_a_group_may_be_called_na() -> None:
    assert taken("email,groups\nana@,NA\n").desired.grants == {ANA: {group_key("na"): (t(0, 2),)}}


# ---- what programs have done to columns that are only carried along ---------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("Employee ID", ["1.23E+11"], 'long numbers that a spreadsheet program has cut short, the first in row 2: "1.23E+11"'),
        ("Employee ID", ["17", "18.0"], 'numbers with a tail that a program added, the first in row 3: "18.0"'),
        ("Last name", ["MÃ¼ller"], 'text that was read in the wrong encoding, the first in row 2: "MÃ¼ller"'),
        ("Office", ["x_x000D_y"], 'line breaks as a spreadsheet program writes them in its files, the first in row 2: "x_x000D_y"'),
        ("Office", ["", "#REF!"], 'errors of formulas, the first in row 3: "#REF!"'),
        (
            "Employee ID",
            ["0012", "0013", "1014", "0015", "0016", "17"],
            'numbers shorter than the 4 digits of the others: zeros in front may be lost, the first in row 7: "17"',
        ),
        ("Employee ID", ["0012", "13", "14"], ""),
        ("Last name", ["Müller", "Ærø"], ""),
        ("Office", ["1.5", "12-03"], ""),
    ],
)  # fmt: skip
def test_a_damaged_column_that_is_only_carried_along_is_noted(
    header: str, cells: list[str], message: str
) -> None:
    lines = "".join(f"p{i}@,Guest,{cell}\n" for i, cell in enumerate(cells))
    found = [
        f for f in taken(f"email,role,{header}\n{lines}").findings if f.code == "column-damaged"
    ]
    assert [(f.column, f.source, f.row, f.message) for f in found] == (
        [(header, "t0", None, f"has {message}")] if message else []
    )


# ---- what is held ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "held"),
    [
        pytest.param(
            "email,role,groups\nana@,boss,Ops; HR\n",
            Held({ANA: t(0, 2)}, {OPS: t(0, 2), group_key("hr"): t(0, 2)}),
            id="a rejected row holds its person and its groups",
        ),
        pytest.param(
            "email,role,groups\nana@,Guest,Ops,x\n",
            Held({ANA: t(0, 2)}, {OPS: t(0, 2)}),
            id="so does one with too many cells",
        ),
        pytest.param(
            "email,role,groups\nana,Guest,Ops\n,Guest,\n",
            Held({}, {OPS: t(0, 2)}, {}, t(0, 2)),
            id="an unreadable address holds back all that is inferred",
        ),
        pytest.param(
            "email,role,secondary_email,username\nana@,boss,cem@,ana.a\ncem@,boss,,\n",
            Held({ANA: t(0, 2), CEM: t(0, 3)}, also={CEM: t(0, 2), "ana.a": t(0, 2)}),
            id="so does who goes by its other address or user name",
        ),
        pytest.param(
            "email,group\nana@,\n",
            Held({ANA: t(0, 2)}),
            id="a membership without a group holds its person",
        ),
        pytest.param(
            "group,default\nData Eng,perhaps\n",
            Held(
                {},
                {group_key("data eng"): t(0, 2), group_key("data_eng"): t(0, 2)},
                {group_key("data eng"): t(0, 2), group_key("data_eng"): t(0, 2)},
            ),
            id="a rejected group is not created by any of its names",
        ),
        pytest.param(
            "group,default\n,yes\n",
            Held({}, {}, {}, t(0, 2)),
            id="a group without a name holds back all that is inferred",
        ),
    ],
)
def test_what_a_rejected_row_holds(text: str, held: Held) -> None:
    assert taken(text).held == held


def test_sound_rows_hold_nobody() -> None:
    assert taken("email,role\nana@,Guest\n").held == Held()


# ---- what is worth saying --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param(
            "email,role\n\u00a0ana@acme.example\u200b,Guest\n",
            [
                "held more than an address (invisible characters); ana@acme.example is used [email-cleaned]"
            ],
            id="invisible characters",
        ),
        pytest.param("email,role\n  ana@acme.example ,Guest\n", [], id="ordinary blanks"),
        pytest.param(
            "email,role\nana@,Guest\nana@,Guest\nANA@,\n",
            ["stands on t0:2 too, and the rows agree [repeated]"] * 2,
            id="a person twice",
        ),
        pytest.param(
            "group,default\nOps,\nops,no\n",
            ["stands on t0:2 too, and the rows agree [repeated]"],
            id="a group twice",
        ),
        pytest.param(
            "email,group\nana@,Ops\nana@,OPS\nana@,HR\n",
            ["stands on t0:2 too, and the rows agree [repeated]"],
            id="a membership twice",
        ),
        pytest.param(
            "email,role\nana@,Guest\nana@acme-labs.example,Guest\n",
            [
                "has the same name before the @ as ana@acme-labs.example [same-local-part]",
                "has the same name before the @ as ana@acme.example [same-local-part]",
            ],
            id="the same name at two domains",
        ),
        pytest.param(
            "email,status\nana@,On Leave\n",
            ["is treated as active for ana@acme.example [on-leave]"],
            id="on leave",
        ),
        pytest.param(
            "group,default\nR&D/Ops,\nData Eng,\n",
            ["gets the internal name r_d_ops if the group is new [name-derived]"],
            id="a derived name",
        ),
    ],
)
def test_what_is_noted_and_goes_on(text: str, messages: list[str]) -> None:
    intake = taken(text)
    assert [f"{f.message} [{f.code}]" for f in intake.findings] == messages
    assert all(f.severity is Severity.NOTE for f in intake.findings)
    assert intake.held == Held()


def test_the_address_is_used_without_what_was_taken_off() -> None:
    assert list(taken("email,role\nana\u200b@acme.example\u00a0,Guest\n").desired.persons) == [ANA]


def test_findings_stand_in_the_order_of_the_input() -> None:
    intake = taken("email,role,colour\nana@,Guest,\nx,boss,\nana@,Guest,\n", "email,group\ny,\n")
    assert [(f.row, f.code) for f in intake.findings] == [
        (None, "column-unknown"),
        (t(0, 3), "email-invalid"),
        (t(0, 3), "role-unknown"),
        (t(0, 4), "repeated"),
        (t(1, 2), "email-invalid"),
        (t(1, 2), "group-missing"),
    ]


def test_findings_of_an_error_cell_are_told_once() -> None:
    (table,) = tables("email,role\n#N/A,Guest\n")
    error = Finding("cell-error", "is an error", t(0, 2), "email", "#N/A")
    intake = take_in([replace(table, findings=(error,))], Rules())
    assert intake.findings == (error,)
    assert intake.held == Held(absence=t(0, 2))


def test_no_rows_ask_for_nothing() -> None:
    intake = taken("email,role\n", "group,default\n", "email,group\n")
    assert replace(intake, findings=()) == Intake(Desired(), ())
    assert {f.severity for f in intake.findings} <= {Severity.NOTE}


# ---- laws ------------------------------------------------------------------------------------------------------------

SLOWLY = settings(max_examples=min(200, settings.default.max_examples))
"""Judging a table takes pandera 20 ms, however small it is."""

EMAILS = st.sampled_from(
    [
        "ana@acme.example",
        " ANA@acme.example",
        "ben@acme.example",
        "ana@labs.example",
        "x",
        "",
        "\u200b",
    ]
)
GROUPS = st.sampled_from(["Ops", "ops", "Data Eng", "data_eng", "R&D", "", "--", "  "])
SHEETS: Mapping[str, st.SearchStrategy[tuple[str, ...]]] = {
    "email,role,groups,status": st.tuples(
        EMAILS,
        st.sampled_from(["Member", "$guest", "", "boss"]),
        st.lists(GROUPS, max_size=3).map(";".join),
        st.sampled_from(["", "active", "left", "on leave", "?"]),
    ),
    "group,internal_name,description,default": st.tuples(
        GROUPS,
        st.sampled_from(["", "ops", "data_eng", "No Good"]),
        st.sampled_from(["", "some words", "(clear)"]),
        st.sampled_from(["", "yes", "no", "?"]),
    ),
    "email,group,action": st.tuples(EMAILS, GROUPS, st.sampled_from(["", "add", "remove", "?"])),
}
ROWS = st.tuples(*(st.lists(cells, max_size=6) for cells in SHEETS.values()))


def written(header: str, rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *rows])
    return text.getvalue()


def all_taken(sheets: Sequence[Sequence[tuple[str, ...]]]) -> Intake:
    return taken(*(written(header, rows) for header, rows in zip(SHEETS, sheets, strict=True)))


@SLOWLY
@given(ROWS)
def test_no_row_is_lost(sheets: Sequence[Sequence[tuple[str, ...]]]) -> None:
    intake = all_taken(sheets)
    visible = [
        t(table, number)
        for table, rows in enumerate(sheets)
        for number, cells in enumerate(rows, 2)
        if "".join(cells).replace("\u200b", "").strip()
    ]
    assert list(intake.rows) == visible

    rejected = {f.row for f in intake.findings if f.severity is Severity.REJECT}
    desired = intake.desired
    asking = {ref for person in desired.persons.values() for ref in person.rows}
    asking |= {ref for team in desired.teams.values() for ref in team.rows}
    for asks in (desired.grants, desired.revokes):
        asking |= {ref for wanted in asks.values() for refs in wanted.values() for ref in refs}
    assert rejected | asking == set(visible)
    assert not rejected & asking
    assert {f.code for f in intake.findings} <= CODES.keys()


@SLOWLY
@given(ROWS)
def test_a_bad_row_holds_somebody_or_everybody(
    sheets: Sequence[Sequence[tuple[str, ...]]],
) -> None:
    intake = all_taken(sheets)
    for finding in intake.findings:
        if finding.severity is Severity.REJECT and finding.row:
            cells = sheets[finding.row.table][finding.row.row - 2]
            if finding.row.table == 1:
                named = "" if cells[0] in NOTHING else " ".join(cells[0].split())
                assert group_key(named) in intake.held.not_created if named else intake.held.absence
            elif "@" in cells[0]:
                assert cells[0].strip().lower() in intake.held.people
            else:
                assert intake.held.absence


def unplaced(intake: Intake) -> tuple[object, ...]:
    """Everything but the row numbers."""
    desired, held = intake.desired, intake.held
    return (
        {key: replace(person, rows=()) for key, person in desired.persons.items()},
        {key: replace(team, rows=()) for key, team in desired.teams.items()},
        {who: set(wanted) for who, wanted in desired.grants.items()},
        {who: set(wanted) for who, wanted in desired.revokes.items()},
        desired.labels,
        set(held.people),
        set(held.groups),
        set(held.not_created),
        held.absence is None,
        sorted((f.code, f.value) for f in intake.findings if f.severity is Severity.REJECT),
    )


@pytest.mark.parametrize(
    "teams", [*permutations([("Ops", "No Good"), ("Data Eng", "ops"), ("data_eng", "ops")])]
)
def test_a_name_that_two_groups_claim_stands_for_neither(teams: Sequence[tuple[str, str]]) -> None:
    people = [("ana@acme.example", "Member", "", "")]
    memberships = [("ana@acme.example", "Ops", ""), ("ana@acme.example", "Data Eng", "remove")]
    taken = all_taken([people, [(*team, "", "") for team in teams], memberships])
    assert not any(finding.code == "membership-conflict" for finding in taken.findings)
    assert taken.held.groups.keys() >= {"ops", "data eng", "data_eng"}


@SLOWLY
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    sheets: Sequence[Sequence[tuple[str, ...]]], chance: random.Random
) -> None:
    shuffled = [chance.sample(rows, len(rows)) for rows in sheets]
    assert unplaced(all_taken(shuffled)) == unplaced(all_taken(sheets))
