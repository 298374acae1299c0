"""What each kind of row comes to beside each kind of tenant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from builders import directory, email, group, intake, person, row, team, user

from onboarding.model import (
    Directory,
    Email,
    Finding,
    Group,
    GroupName,
    Held,
    Intake,
    Membership,
    Person,
    Role,
    Severity,
    Standing,
    User,
    group_key,
)
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.reconcile import Reconciled, Wishes, reconcile

ONE, TWO, THREE, FOUR = row(2), row(3), row(4), row(5)
TEAM = row(2, "groups.csv", 1)
AUTHORITATIVE = Wishes(authoritative=True)
REVOKE_LEAVERS = Wishes(leavers_revoke=True)

ANA = user("ana")
BOB = user("bob")
FINANCE = group("finance")


def planned(
    sheets: Intake,
    current: Directory,
    wishes: Wishes | None = None,
    *,
    earlier: Iterable[str] = (),
) -> Plan:
    return reconcile(sheets, current, wishes or Wishes(), earlier=dict.fromkeys(earlier)).plan


def keys(plan: Plan) -> list[str]:
    return [change.key for change in plan.changes]


def settled(plan: Plan) -> list[tuple[Status, str, tuple[int, ...]]]:
    return [(s.status, s.code, tuple(ref.row for ref in s.rows)) for s in plan.settled]


def rejected(reconciled: Reconciled) -> list[tuple[str, int]]:
    return [
        (f.code, f.row.row) for f in reconciled.findings if f.severity is Severity.REJECT and f.row
    ]


def membership(name: str, team: str) -> Membership:
    return Membership(email(name), GroupName(team))


NOTHING_ELSE = [(Status.UNCHANGED, "no-change", (2,))]


# ---- joiners -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "default", "role"),
    [
        pytest.param(Role.ADMIN, None, Role.ADMIN, id="said"),
        pytest.param(Role.GUEST, Role.MEMBER, Role.GUEST, id="said-wins-over-default"),
        pytest.param(None, Role.MEMBER, Role.MEMBER, id="default"),
        pytest.param(None, None, Role.GUEST, id="least-privilege"),
        pytest.param(None, Role.ADMIN, Role.GUEST, id="default-is-never-admin"),
    ],
)
def test_somebody_new_is_invited_with_a_role(
    said: Role | None, default: Role | None, role: Role
) -> None:
    plan = planned(intake([person("ana", said)]), directory(), Wishes(default_role=default))
    assert plan == Plan(
        "acme.example", (Change(None, User(email("ana"), role, pending=True), (ONE,)),)
    )


def test_rows_that_say_the_same_share_a_change() -> None:
    sheets = intake(
        [person("ana", Role.MEMBER, rows=(THREE, ONE))],
        grants={"ana": {"Finance": [THREE, TWO]}},
    )
    plan = planned(sheets, directory(groups=[FINANCE]))
    assert [(c.key, c.rows) for c in plan.changes] == [
        ("invite ana@acme.example", (ONE, THREE)),
        ("grant ana@acme.example finance", (TWO, THREE)),
    ]


def test_somebody_who_has_not_started_is_left_alone_with_all_their_rows() -> None:
    sheets = intake(
        [person("ana", Role.MEMBER, standing=Standing.NOT_STARTED)],
        grants={"ana": {"Nowhere": [ONE], "Finance": [TWO]}},
        revokes={"ana": {"Ops": [THREE]}},
    )
    reconciled = reconcile(
        sheets, directory([ANA], [group("ops"), FINANCE], {"ops": ["ana"]}), Wishes()
    )
    assert reconciled.findings == ()
    assert keys(reconciled.plan) == []
    assert settled(reconciled.plan) == [(Status.UNCHANGED, "not-started", (2, 3, 4))]


# ---- people who are there ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "has", "changes"),
    [
        pytest.param(Role.ADMIN, Role.MEMBER, ["change-role ana@acme.example"], id="promotion"),
        pytest.param(Role.GUEST, Role.MEMBER, ["change-role ana@acme.example"], id="demotion"),
        pytest.param(Role.GUEST, None, ["change-role ana@acme.example"], id="from-unknown"),
        pytest.param(Role.MEMBER, Role.MEMBER, [], id="right-already"),
        pytest.param(None, Role.ADMIN, [], id="blank-changes-nothing"),
    ],
)
def test_a_role_changes_only_where_the_row_says_another(
    said: Role | None, has: Role | None, changes: list[str]
) -> None:
    plan = planned(intake([person("ana", said)]), directory([user("ana", has)]))
    assert keys(plan) == changes
    assert settled(plan) == ([] if changes else NOTHING_ELSE)


def test_a_role_change_keeps_all_else_of_the_account() -> None:
    pending = user("ana", Role.GUEST, pending=True)
    plan = planned(intake([person("ana", Role.MEMBER)]), directory([pending]))
    assert plan.changes == (Change(pending, replace(pending, role=Role.MEMBER), (ONE,)),)


def test_a_row_of_which_something_is_said_is_not_called_unchanged_as_well() -> None:
    sheets = intake([person("ana", Role.MEMBER)], grants={"ana": {"Finance": [ONE], "Ops": [ONE]}})
    current = directory([ANA], [FINANCE, group("ops")], {"finance": ["ana"]})
    plan = planned(sheets, current)
    assert keys(plan) == ["grant ana@acme.example ops"]
    assert plan.settled == ()


def test_a_disabled_account_of_an_active_person_is_for_an_admin_and_kept_up_otherwise() -> None:
    sheets = intake([person("ana", Role.MEMBER)], grants={"ana": {"Finance": [ONE]}})
    current = directory([user("ana", Role.GUEST, enabled=False)], [FINANCE])
    plan = planned(sheets, current)
    assert keys(plan) == ["grant ana@acme.example finance", "change-role ana@acme.example"]
    assert settled(plan) == [(Status.MANUAL, "reactivate", (2,))]


def test_a_disabled_account_that_is_otherwise_as_asked_is_not_called_unchanged() -> None:
    plan = planned(intake([person("ana")]), directory([user("ana", enabled=False)]))
    assert settled(plan) == [(Status.MANUAL, "reactivate", (2,))]


@pytest.mark.parametrize(
    ("standing", "enabled"), [(Standing.LEAVER, True), (Standing.ACTIVE, False)]
)
def test_who_enables_and_disables_an_account_is_said(standing: Standing, *, enabled: bool) -> None:
    for scim in (True, False):
        current = directory([user("ana", Role.GUEST, enabled=enabled, scim=scim)])
        plan = planned(intake([person("ana", standing=standing)]), current)
        said = "; SCIM keeps it, so that is done in the identity provider"
        assert [work.message.endswith(said) for work in plan.settled] == [scim]


# ---- memberships ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    ["Data Platform", "  data   PLATFORM ", "dp", "DP"],
)
def test_a_group_goes_by_its_alias_or_internal_name_whatever_the_blanks_and_case(
    spelling: str,
) -> None:
    sheets = intake(grants={"ana": {spelling: [ONE]}})
    plan = planned(sheets, directory([ANA], [group("dp", "Data Platform")]))
    assert plan.changes == (Change(None, membership("ana", "dp"), (ONE,)),)


def test_two_spellings_of_one_group_are_one_grant() -> None:
    sheets = intake(grants={"ana": {"Data Platform": [TWO], "dp": [ONE]}})
    plan = planned(sheets, directory([ANA], [group("dp", "Data Platform")]))
    assert plan.changes == (Change(None, membership("ana", "dp"), (ONE, TWO)),)


@pytest.mark.parametrize(
    ("current", "changes", "code"),
    [
        pytest.param(
            directory([ANA], [FINANCE], {"finance": ["ana"]}),
            ["revoke ana@acme.example finance"],
            None,
            id="member",
        ),
        pytest.param(directory([ANA], [FINANCE]), [], "no-change", id="no-member"),
        pytest.param(directory([], [FINANCE]), [], "unknown-to-remove", id="unknown-person"),
    ],
)
def test_a_removal_takes_away_what_is_there(
    current: Directory, changes: list[str], code: str | None
) -> None:
    plan = planned(intake(revokes={"ana": {"Finance": [ONE]}}), current)
    assert keys(plan) == changes
    assert [s.code for s in plan.settled] == ([code] if code else [])


def test_a_removal_from_a_group_that_is_only_now_created_is_unchanged() -> None:
    sheets = intake(teams=[team("Finance")], revokes={"ana": {"Finance": [ONE]}})
    plan = planned(sheets, directory([ANA]))
    assert keys(plan) == ["create-group finance"]
    assert settled(plan) == [(Status.UNCHANGED, "unknown-to-remove", (2,))]


def test_somebody_invited_can_be_kept_out_of_a_default_group() -> None:
    """Else this run would invite into the group, and the next one find somebody to remove."""
    sheets = intake([person("ana")], revokes={"ana": {"All": [TWO], "Old": [TWO]}})
    groups = [group("all", default=True), group("old", default=True)]
    off = intake(
        [person("ana")],
        [team("Old", default=False)],
        revokes={"ana": {"All": [TWO], "Old": [TWO]}},
    )
    everybody = ["invite ana@acme.example", "revoke ana@acme.example all"]
    assert keys(planned(sheets, directory([], groups))) == [
        *everybody,
        "revoke ana@acme.example old",
    ]
    assert keys(planned(off, directory([], groups))) == ["update-group old", *everybody]


def test_somebody_invited_does_not_land_in_a_group_that_becomes_default_last() -> None:
    sheets = intake([person("ana")], [team("All", default=True)], revokes={"ana": {"All": [TWO]}})
    plan = planned(sheets, directory(groups=[group("all")]))
    assert keys(plan) == ["invite ana@acme.example", "update-group all"]
    assert settled(plan) == [(Status.UNCHANGED, "unknown-to-remove", (3,))]


# ---- leavers -------------------------------------------------------------------------------------------------

LEAVER = person("ana", Role.ADMIN, standing=Standing.LEAVER)
IN_TWO = {"finance": ["ana"], "all": ["ana"]}
GROUPS = [FINANCE, group("all", default=True), group("ops")]


@pytest.mark.parametrize(
    ("current", "status", "code"),
    [
        pytest.param(directory([ANA]), Status.MANUAL, "deactivate", id="enabled"),
        pytest.param(
            directory([user("ana", enabled=False)]),
            Status.UNCHANGED,
            "already-disabled",
            id="disabled",
        ),
        pytest.param(directory(), Status.UNCHANGED, "unknown-leaver", id="unknown"),
    ],
)
def test_a_leavers_account_is_for_an_admin(current: Directory, status: Status, code: str) -> None:
    plan = planned(intake([LEAVER]), current)
    assert plan.changes == ()
    assert settled(plan) == [(status, code, (2,))]


@pytest.mark.parametrize("standing", [Standing.LEAVER, Standing.ACTIVE])
def test_nobody_is_asked_to_switch_the_account_of_an_api_token_on_or_off(
    standing: Standing,
) -> None:
    off = standing is Standing.ACTIVE
    robot = user("robot", username="service-account-apikey-7", enabled=not off)
    plan = planned(intake([person("robot", standing=standing)]), directory([robot]))
    assert [(entry.status, entry.code) for entry in plan.settled] == [
        (Status.SKIPPED, "token-account")
    ]


def test_a_leaver_keeps_memberships_unless_told_otherwise_and_gains_none() -> None:
    sheets = intake([LEAVER], grants={"ana": {"Ops": [ONE], "Finance": [TWO]}})
    plan = planned(sheets, directory([ANA], GROUPS, IN_TWO))
    assert plan.changes == ()
    assert settled(plan) == [
        (Status.MANUAL, "deactivate", (2,)),
        (Status.UNCHANGED, "leaver-grants", (3,)),
    ]


@pytest.mark.parametrize("enabled", [True, False])
def test_a_leaver_is_taken_out_of_all_groups_but_default_ones(enabled: bool) -> None:
    plan = planned(
        intake([LEAVER]),
        directory([user("ana", enabled=enabled)], GROUPS, IN_TWO),
        REVOKE_LEAVERS,
    )
    assert plan.changes == (Change(membership("ana", "finance"), None, (ONE,), Cause.LEAVER),)


def test_a_removal_row_shares_the_leavers_revocation_and_reaches_default_groups() -> None:
    sheets = intake([LEAVER], revokes={"ana": {"Finance": [TWO], "All": [THREE]}})
    plan = planned(sheets, directory([ANA], GROUPS, IN_TWO), REVOKE_LEAVERS)
    assert plan.changes == (
        Change(membership("ana", "finance"), None, (ONE, TWO), Cause.LEAVER),
        Change(membership("ana", "all"), None, (THREE,)),
    )


def test_an_unknown_group_does_not_keep_a_leaver_from_being_taken_out() -> None:
    sheets = intake([LEAVER], grants={"ana": {"Closed Long Ago": [ONE]}})
    reconciled = reconcile(sheets, directory([ANA], GROUPS, IN_TWO), REVOKE_LEAVERS)
    assert reconciled.findings == ()
    assert keys(reconciled.plan) == ["revoke ana@acme.example finance"]


# ---- groups --------------------------------------------------------------------------------------------------


def test_a_group_that_the_tenant_lacks_is_created_as_the_row_says() -> None:
    sheets = intake(teams=[team("Data  Platform", description="Pipes", default=True)])
    plan = planned(sheets, directory())
    wish = Group(GroupName("data_platform"), "Data Platform", "Pipes", default=True)
    assert plan.changes == (Change(None, wish, (TEAM,)),)


HAS = group("dp", "Data Platform", description="Pipes", default=True, channels=("c",))


@pytest.mark.parametrize(
    ("label", "facts", "becomes"),
    [
        pytest.param("Data Platform", {}, {}, id="nothing-said"),
        pytest.param("dp", {}, {}, id="by-internal-name"),
        pytest.param("Data Platform", {"description": ""}, {"description": ""}, id="cleared"),
        pytest.param("Data Platform", {"description": "Pipes"}, {}, id="same-description"),
        pytest.param("Data Platform", {"default": False}, {"default": False}, id="default-off"),
        pytest.param("Platform", {"internal_name": "dp"}, {"alias": "Platform"}, id="renamed"),
        pytest.param("DATA  platform", {"internal_name": "dp"}, {}, id="case-and-blanks"),
        pytest.param("DATA  platform", {}, {}, id="no-internal-name"),
    ],
)
def test_only_what_a_groups_row_says_changes_a_group(
    label: str, facts: dict[str, object], becomes: dict[str, object]
) -> None:
    plan = planned(intake(teams=[team(label, **facts)]), directory(groups=[HAS]))
    wish = replace(HAS, **becomes)  # type: ignore[arg-type]
    assert plan.changes == ((Change(HAS, wish, (TEAM,)),) if becomes else ())
    assert settled(plan) == ([] if becomes else NOTHING_ELSE)


def test_a_renamed_group_goes_by_its_new_name_and_no_longer_by_the_old_one() -> None:
    sheets = intake(
        teams=[team("Platform", internal_name=GroupName("dp"))],
        grants={"ana": {"Platform": [ONE]}, "bob": {"Data Platform": [TWO]}},
    )
    reconciled = reconcile(sheets, directory([ANA, BOB], [HAS]), Wishes())
    assert keys(reconciled.plan) == ["update-group dp", "grant ana@acme.example dp"]
    assert rejected(reconciled) == [("group-unknown", 3)]


@pytest.mark.parametrize(
    "name", [pytest.param("fin", id="renamed"), pytest.param("new", id="created")]
)
@pytest.mark.parametrize("label", ["Data Platform", "DP"])
def test_no_group_takes_a_name_that_means_another(name: str, label: str) -> None:
    sheets = intake(teams=[team(label, internal_name=GroupName(name))])
    reconciled = reconcile(sheets, directory(groups=[HAS, group("fin")]), Wishes())
    assert rejected(reconciled) == [("group-ambiguous", 2)]
    assert reconciled.plan.changes == ()


def test_of_two_groups_that_have_one_name_already_each_can_be_meant() -> None:
    sheets = intake(teams=[team("Data Platform", internal_name=GroupName("dp"), description="x")])
    twins = [HAS, group("other", "Data Platform")]
    assert keys(planned(sheets, directory(groups=twins))) == ["update-group dp"]


def test_a_group_whose_renaming_is_suspended_goes_by_both_names() -> None:
    sheets = intake(
        teams=[team("Platform", internal_name=GroupName("dp"))],
        grants={"ana": {"Platform": [ONE]}, "bob": {"Data Platform": [TWO]}},
        held=Held({}, {group_key("Platform"): THREE}),
    )
    assert keys(planned(sheets, directory([ANA, BOB], [HAS]))) == [
        "grant ana@acme.example dp",
        "grant bob@acme.example dp",
    ]


# ---- groups that nobody knows --------------------------------------------------------------------------------


def test_an_unknown_group_rejects_the_row_and_suggests_the_nearest() -> None:
    sheets = intake(grants={"ana": {"Finanse": [ONE], "Finance": [TWO]}})
    reconciled = reconcile(sheets, directory([ANA], [FINANCE]), Wishes())
    assert reconciled.findings == (
        Finding(
            "group-unknown",
            'is known neither to the sheets nor to the tenant; did you mean "Finance"?',
            ONE,
            value="Finanse",
        ),
    )
    assert reconciled.plan.changes == ()
    assert settled(reconciled.plan) == [(Status.SKIPPED, "held", (3,))]
    assert "users.csv:2" in reconciled.plan.settled[0].message


def test_a_group_of_a_groups_sheet_is_known_by_both_of_its_names() -> None:
    sheets = intake(
        teams=[team("Data Platform", internal_name=GroupName("dp"))],
        grants={"ana": {"Data Platform": [ONE]}, "bob": {"dp": [TWO]}},
    )
    assert keys(planned(sheets, directory([ANA, BOB]))) == [
        "create-group dp",
        "grant ana@acme.example dp",
        "grant bob@acme.example dp",
    ]


def test_a_granting_row_may_create_a_group() -> None:
    sheets = intake(
        grants={"ana": {"New Team": [ONE]}, "bob": {"New Team": [TWO]}},
        revokes={"ana": {"Never Heard": [THREE]}},
    )
    plan = planned(sheets, directory([ANA, BOB]), Wishes(create_groups=True))
    assert plan.changes == (
        Change(None, Group(GroupName("new_team"), "New Team"), (ONE, TWO)),
        Change(None, membership("ana", "new_team"), (ONE,)),
        Change(None, membership("bob", "new_team"), (TWO,)),
    )
    assert settled(plan) == [(Status.UNCHANGED, "unknown-to-remove", (4,))]


@pytest.mark.parametrize(
    "sheets",
    [
        pytest.param(
            intake([LEAVER], grants={"ana": {"New": [ONE]}}),
            id="leaver",
        ),
        pytest.param(
            intake(grants={"ana": {"New": [TWO]}}, held=Held({email("ana"): ONE})), id="held"
        ),
    ],
)
def test_a_grant_that_is_not_carried_out_creates_no_group(sheets: Intake) -> None:
    assert planned(sheets, directory([ANA]), Wishes(create_groups=True)).changes == ()


def test_a_name_that_fits_two_groups_rejects_the_row_with_both() -> None:
    groups = [group("finance", "Finance"), group("fin", "finance")]
    sheets = intake(
        teams=[team("Finance", description="x")],
        grants={"ana": {"FINANCE": [ONE]}, "bob": {"fin": [TWO]}},
    )
    reconciled = reconcile(sheets, directory([ANA, BOB], groups), Wishes())
    assert [(f.code, f.row, f.message) for f in reconciled.findings] == [
        (
            "group-ambiguous",
            where,
            'may be fin ("finance") and finance ("Finance")',
        )
        for where in (ONE, TEAM)
    ]
    assert keys(reconciled.plan) == ["grant bob@acme.example fin"]


def test_an_internal_name_tells_groups_of_one_alias_apart() -> None:
    groups = [group("finance", "Finance"), group("fin", "Finance")]
    sheets = intake(teams=[team("Finance", internal_name=GroupName("fin"), description="x")])
    assert keys(planned(sheets, directory(groups=groups))) == ["update-group fin"]


def test_a_new_group_whose_internal_name_another_group_of_the_tenant_has_is_rejected() -> None:
    sheets = intake(
        teams=[team("Data Eng", description="x")],
        grants={"ana": {"Data Eng": [ONE]}, "bob": {"data_eng": [TWO]}},
    )
    reconciled = reconcile(sheets, directory([ANA, BOB], [group("data_eng", "DE")]), Wishes())
    assert rejected(reconciled) == [("internal-name-collision", 2)]
    assert keys(reconciled.plan) == ["grant bob@acme.example data_eng"]
    assert settled(reconciled.plan) == [(Status.SKIPPED, "held", (2,))]


@pytest.mark.parametrize(
    "labels", [pytest.param(["Data Eng", "Data-Eng"], id="cleaned"), ["Data Eng", "data_eng"]]
)
def test_two_new_groups_with_one_internal_name_are_both_rejected(labels: list[str]) -> None:
    grants = {"ana": {labels[0]: [ONE]}, "bob": {labels[1]: [TWO]}}
    by_grant = reconcile(intake(grants=grants), directory([ANA, BOB]), Wishes(create_groups=True))
    assert rejected(by_grant) == [("internal-name-collision", 2), ("internal-name-collision", 3)]
    assert by_grant.plan.changes == ()

    by_row = reconcile(
        intake(
            teams=[
                team(label, rows=(row(n, "groups.csv", 1),)) for n, label in enumerate(labels, 2)
            ],
            grants=grants,
        ),
        directory([ANA, BOB]),
        Wishes(),
    )
    assert rejected(by_row) == [("internal-name-collision", 2), ("internal-name-collision", 3)]
    assert by_row.plan.changes == ()
    assert [s.code for s in by_row.plan.settled] == ["held", "held"]


def test_two_groups_rows_for_one_group_of_the_tenant_are_both_rejected() -> None:
    sheets = intake(
        teams=[
            team("Data Platform", rows=(TEAM,), description="x"),
            team("dp", rows=(row(3, "groups.csv", 1),), default=True),
        ],
        grants={"ana": {"dp": [ONE]}},
    )
    reconciled = reconcile(sheets, directory([ANA], [group("dp", "Data Platform")]), Wishes())
    assert rejected(reconciled) == [("internal-name-collision", 2), ("internal-name-collision", 3)]
    assert keys(reconciled.plan) == ["grant ana@acme.example dp"]


def test_a_name_of_which_nothing_is_left_creates_no_group() -> None:
    sheets = intake(grants={"ana": {"***": [ONE]}})
    reconciled = reconcile(sheets, directory([ANA]), Wishes(create_groups=True))
    assert rejected(reconciled) == [("group-name-invalid", 2)]


def test_a_removal_alone_neither_creates_a_group_nor_minds_its_name() -> None:
    sheets = intake(revokes={"ana": {"***": [ONE]}, "bob": {"New Team": [TWO]}})
    reconciled = reconcile(sheets, directory([ANA, BOB]), Wishes(create_groups=True))
    assert reconciled.findings == ()
    assert settled(reconciled.plan) == [
        (Status.UNCHANGED, "unknown-to-remove", (2,)),
        (Status.UNCHANGED, "unknown-to-remove", (3,)),
    ]


# ---- people whom nobody knows --------------------------------------------------------------------------------


def test_adding_somebody_unknown_rejects_the_row_and_suggests_the_nearest() -> None:
    sheets = intake(grants={"anna": {"Finance": [ONE]}})
    reconciled = reconcile(sheets, directory([ANA], [FINANCE]), Wishes())
    assert reconciled.findings == (
        Finding(
            "person-unknown",
            "is known neither to the users sheet nor to the tenant; did you mean ana@acme.example?",
            ONE,
            value="anna@acme.example",
        ),
    )
    assert reconciled.plan == Plan("acme.example")


@pytest.mark.parametrize(
    ("written", "known", "meant"),
    [
        pytest.param("ana.l", ["ana.i", "bob"], "ana.i@acme.example", id="another-letter"),
        pytest.param("aan", ["ana", "anna"], "ana@acme.example", id="swapped"),
        pytest.param("ana@acme.test", ["ana", "bob"], "ana@acme.example", id="another-domain"),
        pytest.param(
            "anna", ["ana", "hannah", "anne"], "ana@acme.example", id="nearest-of-several"
        ),
        pytest.param("zoe", ["ana", "bob"], None, id="nobody-near"),
    ],
)
def test_the_address_suggested_is_one_slip_away(
    written: str, known: list[str], meant: str | None
) -> None:
    sheets = intake(grants={written: {"Finance": [ONE]}})
    current = directory([user(name) for name in known], [FINANCE])
    (finding,) = reconcile(sheets, current, Wishes()).findings
    assert finding.message.partition("; ")[2] == (f"did you mean {meant}?" if meant else "")


def test_somebody_whose_own_row_was_rejected_is_held_and_not_unknown() -> None:
    sheets = intake(grants={"ana": {"Finance": [TWO]}}, held=Held({email("ana"): ONE}))
    reconciled = reconcile(sheets, directory(groups=[FINANCE]), Wishes())
    assert reconciled.findings == ()
    assert settled(reconciled.plan) == [(Status.SKIPPED, "held", (3,))]


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        pytest.param(
            {"other_addresses": (email("a.old"), email("ana.old"))},
            "ana.old@acme.example",
            id="address",
        ),
        pytest.param({"username": "Ana.Old"}, "Ana.Old", id="username"),
        pytest.param({"username": "ANA.OLD@acme.example"}, "ANA.OLD@acme.example", id="upn"),
    ],
)
@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.LEAVER])
def test_somebody_new_with_an_account_under_another_name_is_rejected(
    facts: dict[str, object], value: str, standing: Standing
) -> None:
    sheets = intake(
        [person("ana.new", standing=standing, **facts)],  # type: ignore[arg-type]
        grants={"ana.new": {"Finance": [TWO]}},
    )
    current = directory([user("ana.old")], [FINANCE])
    reconciled = reconcile(sheets, current, Wishes())
    assert [(f.code, f.row, f.value) for f in reconciled.findings] == [
        ("email-changed", ONE, value)
    ]
    assert reconciled.plan.changes == ()
    assert settled(reconciled.plan) == [(Status.SKIPPED, "held", (3,))]


def test_an_account_under_another_name_is_no_matter_before_somebody_starts() -> None:
    sheets = intake([person("ana", standing=Standing.NOT_STARTED, other_addresses=(BOB.email,))])
    reconciled = reconcile(sheets, directory([BOB]), Wishes())
    assert reconciled.findings == ()
    assert settled(reconciled.plan) == [(Status.UNCHANGED, "not-started", (2,))]


def test_a_secondary_address_with_an_account_is_no_matter_for_somebody_known() -> None:
    sheets = intake([person("ana", other_addresses=(email("bob"),))])
    assert settled(planned(sheets, directory([ANA, BOB]))) == NOTHING_ELSE


@pytest.mark.parametrize(
    ("own", "codes"),
    [
        pytest.param([], [], id="of whom nothing else is said"),
        pytest.param(
            [person("bob", rows=(TWO,), standing=Standing.LEAVER)],
            ["held"],
            id="who seems to leave",
        ),
        pytest.param(
            [person("bob", rows=(TWO,), groups_blank=True)],
            ["no-change"],
            id="not of somebody else",
        ),
    ],
)
def test_a_changed_address_holds_the_account_that_it_is_about(
    own: list[Person], codes: list[str]
) -> None:
    """HR renames a person: the old address leaves, the new one comes, and it is one account."""
    moved = person("bob.new", other_addresses=(BOB.email,))
    sheets = intake(
        [moved, *own, person("ana", rows=(THREE,))],
        grants={"ana": {"Finance": [THREE]}},
    )
    wishes = Wishes(authoritative=True, leavers_revoke=True)
    members = {"finance": ["ana", "bob"]}
    plan = planned(sheets, directory([ANA, BOB], [FINANCE], members), wishes)
    assert [s.code for s in plan.settled if TWO in s.rows] == codes
    assert plan.changes == ()


def test_adding_and_removing_under_two_spellings_rejects_both_rows() -> None:
    sheets = intake(grants={"ana": {"dp": [ONE]}}, revokes={"ana": {"Data Platform": [TWO]}})
    reconciled = reconcile(sheets, directory([ANA], [HAS]), Wishes())
    assert rejected(reconciled) == [("membership-conflict", 2), ("membership-conflict", 3)]
    assert reconciled.plan == Plan("acme.example")


def test_the_internal_name_of_a_group_that_is_only_now_created_is_a_spelling_of_it() -> None:
    sheets = intake(grants={"ana": {"New Team": [ONE]}}, revokes={"ana": {"new_team": [TWO]}})
    reconciled = reconcile(sheets, directory([ANA]), Wishes(create_groups=True))
    assert rejected(reconciled) == [("membership-conflict", 2), ("membership-conflict", 3)]


def test_the_user_name_of_an_account_without_address_counts_too() -> None:
    nameless = replace(ANA, email=email("ana.old"), username="ana.old")
    current = directory(unreadable=[replace(nameless, email=Email(""))])
    reconciled = reconcile(intake([person("ana", username="ana.old")]), current, Wishes())
    assert rejected(reconciled) == [("email-changed", 2)]


@pytest.mark.parametrize(
    ("account", "standing", "codes"),
    [
        pytest.param(
            user("ana", username="ANA"), Standing.ACTIVE, [("email-changed", 2)], id="new"
        ),
        pytest.param(user("ana"), Standing.ON_LEAVE, [("email-changed", 2)], id="on-leave"),
        pytest.param(user("ana"), Standing.LEAVER, [("email-changed", 2)], id="leaver"),
        pytest.param(user("ana"), Standing.NOT_STARTED, [], id="not-started"),
        pytest.param(user("ana.old"), Standing.ACTIVE, [], id="another-name"),
        pytest.param(user("x", username="service-account-ana"), Standing.ACTIVE, [], id="token"),
    ],
)
def test_whose_name_has_an_account_that_shows_no_address_is_neither_invited_nor_called_gone(
    account: User, standing: Standing, codes: list[tuple[str, int]]
) -> None:
    current = directory(unreadable=[replace(account, email=Email(""))])
    reconciled = reconcile(intake([person("ana", standing=standing)]), current, Wishes())
    assert rejected(reconciled) == codes
    assert [finding.message for finding in reconciled.findings] == [
        f"may be the account {account.username}, which shows no address: its user name is the same"
        for _ in codes
    ]


def test_nobody_is_called_removed_whose_account_may_be_there_without_an_address() -> None:
    current = directory(
        groups=[group("finance")],
        unreadable=[replace(user(name), email=Email("")) for name in ("ana", "zoe")],
    )
    sheets = intake(revokes={"ana": {"Finance": [ONE]}, "bob": {"Finance": [TWO]}})
    reconciled = reconcile(sheets, current, Wishes())
    assert rejected(reconciled) == [("email-changed", 2)]
    assert [(entry.code, entry.rows) for entry in reconciled.plan.settled] == [
        ("unknown-to-remove", (TWO,))
    ]


def test_somebody_with_the_same_name_at_another_domain_is_somebody_else() -> None:
    current = directory([user("ana@acme-labs.example")])
    reconciled = reconcile(intake([person("ana")]), current, Wishes())
    assert (rejected(reconciled), len(reconciled.plan.changes)) == ([], 1)


ZED = user("zed")
CAPITAL_ZED = user("zed", id="u-Zed", username="zed2", enabled=False)
IN_FINANCE = {"finance": ["ana", "zed"]}
TWO_ZEDS = replace(
    directory([ANA, CAPITAL_ZED], [FINANCE], IN_FINANCE),
    ambiguous={email("zed"): (ZED, CAPITAL_ZED)},
)


@pytest.mark.parametrize(
    "sheets",
    [
        pytest.param(intake([person("zed", Role.ADMIN)]), id="active"),
        pytest.param(intake([person("zed", standing=Standing.LEAVER)]), id="leaver"),
        pytest.param(intake(grants={"zed": {"Finance": [ONE]}}), id="added"),
        pytest.param(intake(revokes={"zed": {"Finance": [ONE]}}), id="removed"),
    ],
)
def test_nothing_is_done_for_an_address_that_two_accounts_have(sheets: Intake) -> None:
    reconciled = reconcile(sheets, TWO_ZEDS, REVOKE_LEAVERS)
    assert [(f.code, f.row, f.value, f.message) for f in reconciled.findings] == [
        (
            "person-ambiguous",
            ONE,
            "zed@acme.example",
            "is the address of the accounts zed and zed2, capitals aside",
        )
    ]
    assert reconciled.plan == Plan("acme.example")


def test_rows_that_wait_for_one_about_an_address_of_two_accounts_are_held() -> None:
    sheets = intake([person("zed", standing=Standing.LEAVER)], grants={"zed": {"Finance": [TWO]}})
    assert settled(planned(sheets, TWO_ZEDS)) == [(Status.SKIPPED, "held", (3,))]


def test_an_address_of_two_accounts_is_no_matter_before_somebody_starts() -> None:
    reconciled = reconcile(
        intake([person("zed", standing=Standing.NOT_STARTED)]), TWO_ZEDS, Wishes()
    )
    assert reconciled.findings == ()
    assert settled(reconciled.plan) == [(Status.UNCHANGED, "not-started", (2,))]


# ---- held ----------------------------------------------------------------------------------------------------


def test_a_rejected_row_holds_its_person_on_every_sheet() -> None:
    sheets = intake(
        [person("ana", Role.ADMIN, rows=(TWO,)), person("bob", Role.ADMIN, rows=(FOUR,))],
        grants={"ana": {"Ops": [THREE]}},
        revokes={"ana": {"Finance": [THREE]}},
        held=Held({email("ana"): ONE}),
    )
    current = directory([ANA, BOB], GROUPS, IN_TWO)
    plan = planned(sheets, current, REVOKE_LEAVERS)
    assert keys(plan) == ["change-role bob@acme.example"]
    message = "nothing is done for ana@acme.example, since users.csv:2 is rejected"
    assert plan.settled == (Settled(Status.SKIPPED, "held", message, (TWO, THREE)),)


def test_a_held_leaver_keeps_everything() -> None:
    sheets = intake([LEAVER], held=Held({email("ana"): THREE}))
    plan = planned(sheets, directory([ANA], GROUPS, IN_TWO), REVOKE_LEAVERS)
    assert plan.changes == ()
    assert settled(plan) == [(Status.SKIPPED, "held", (2,))]


def test_a_rejected_row_suspends_updates_of_its_groups_and_not_grants() -> None:
    sheets = intake(
        teams=[team("Finance", description="new")],
        grants={"ana": {"Finance": [TWO]}},
        held=Held({email("bob"): ONE}, {group_key("FINANCE"): ONE}),
    )
    plan = planned(sheets, directory([ANA], [FINANCE]))
    assert keys(plan) == ["grant ana@acme.example finance"]
    message = 'nothing is done for the group "Finance", since users.csv:2 is rejected'
    assert plan.settled == (Settled(Status.SKIPPED, "held", message, (TEAM,)),)


def test_a_held_group_that_is_as_asked_is_unchanged() -> None:
    sheets = intake(teams=[team("Finance")], held=Held({}, {group_key("Finance"): ONE}))
    assert settled(planned(sheets, directory([ANA], [FINANCE]))) == NOTHING_ELSE


@pytest.mark.parametrize("create_groups", [True, False])
def test_a_group_whose_own_row_is_rejected_is_not_created_nor_are_its_memberships(
    create_groups: bool,
) -> None:
    key = group_key("Finance")
    sheets = intake(
        [person("ana", rows=(TWO,))],
        grants={"ana": {"Finance": [TWO]}},
        revokes={"bob": {"Finance": [THREE]}},
        held=Held({}, {key: TEAM}, {key: TEAM}),
    )
    plan = planned(sheets, directory([BOB]), Wishes(create_groups=create_groups))
    assert keys(plan) == ["invite ana@acme.example"]
    assert settled(plan) == [
        (Status.SKIPPED, "held", (3,)),
        (Status.UNCHANGED, "unknown-to-remove", (4,)),
    ]


def test_a_group_with_a_rejected_row_of_a_person_is_created_all_the_same() -> None:
    sheets = intake(
        teams=[team("Finance")], held=Held({email("ana"): ONE}, {group_key("Finance"): ONE})
    )
    assert keys(planned(sheets, directory())) == ["create-group finance"]


@pytest.mark.parametrize("name", ["Platform", "dp"])
def test_a_group_with_one_rejected_row_is_not_created_for_the_sake_of_another(name: str) -> None:
    """The rejected row may have named it either way."""
    sheets = intake(
        teams=[team("Platform", internal_name=GroupName("dp"))],
        grants={"ana": {"Platform": [ONE]}},
        held=Held({}, {}, {group_key(name): THREE}),
    )
    plan = planned(sheets, directory([ANA]))
    assert plan.changes == ()
    message = 'nothing is done for the group "Platform", since users.csv:4 is rejected'
    assert plan.settled == (
        Settled(Status.SKIPPED, "held", message, (ONE,)),
        Settled(Status.SKIPPED, "held", message, (TEAM,)),
    )


def test_what_is_held_names_the_first_row_that_holds_it() -> None:
    sheets = intake(
        grants={"zoe": {"Finance": [TWO], "Ops": [THREE]}}, revokes={"zoe": {"All": [FOUR]}}
    )
    plan = planned(sheets, directory(groups=GROUPS))
    message = "nothing is done for zoe@acme.example, since users.csv:3 is rejected"
    assert plan.settled == (Settled(Status.SKIPPED, "held", message, (FOUR,)),)


# ---- authoritative -------------------------------------------------------------------------------------------

LISTED = intake([person("ana")], grants={"ana": {"Finance": [ONE]}})
BOTH = {"finance": ["ana", "bob"], "ops": ["ana", "bob"]}
STANDARD = directory([ANA, BOB], [FINANCE, group("ops")], BOTH)


def inferred(plan: Plan) -> list[str]:
    assert all(c.rows == () for c in plan.changes if c.cause is Cause.ABSENT)
    return [c.key for c in plan.changes if c.cause is Cause.ABSENT]


def test_absence_takes_from_groups_with_a_granting_row_and_from_no_other() -> None:
    assert inferred(planned(LISTED, STANDARD, AUTHORITATIVE)) == ["revoke bob@acme.example finance"]
    assert inferred(planned(LISTED, STANDARD)) == []


def with_bob(**facts: object) -> Intake:
    people = [person("ana"), person("bob", rows=(TWO,), **facts)]  # type: ignore[arg-type]
    return intake(people, grants={"ana": {"Finance": [ONE]}})


@pytest.mark.parametrize(
    ("sheets", "current"),
    [
        pytest.param(with_bob(groups_blank=True), STANDARD, id="groups-cell-blank"),
        pytest.param(with_bob(standing=Standing.NOT_STARTED), STANDARD, id="not-started"),
        pytest.param(
            replace(LISTED, held=Held({email("bbo"): TWO, Email("bob@acme.exmple"): TWO})),
            STANDARD,
            id="perhaps meant by a rejected row",
        ),
        pytest.param(
            replace(LISTED, held=Held(also={"BOB": TWO})),
            STANDARD,
            id="user name in a rejected row",
        ),
        pytest.param(
            replace(LISTED, held=Held(also={email("bob"): TWO})),
            STANDARD,
            id="other address in a rejected row",
        ),
        pytest.param(replace(LISTED, authoritative=False), STANDARD, id="report-fed-back"),
        pytest.param(replace(LISTED, held=Held(absence=TWO)), STANDARD, id="key-unreadable"),
        pytest.param(replace(LISTED, held=Held({email("bob"): TWO})), STANDARD, id="held"),
        pytest.param(
            replace(LISTED, held=Held({}, {group_key("finance"): TWO})), STANDARD, id="group-held"
        ),
        pytest.param(LISTED, replace(STANDARD, own=BOB.id), id="own-account"),
        pytest.param(
            LISTED,
            directory([ANA, user("bob", username="service-account-apikey-7")], [FINANCE], BOTH),
            id="token-account",
        ),
        pytest.param(LISTED, directory([ANA], [FINANCE], BOTH), id="no-readable-address"),
        pytest.param(
            LISTED, directory([ANA, BOB], [replace(FINANCE, default=True)], BOTH), id="default"
        ),
        pytest.param(LISTED, replace(STANDARD, read_whole=frozenset()), id="not-read-whole"),
        pytest.param(LISTED, TWO_ZEDS, id="address-of-two-accounts"),
    ],
)
def test_absence_takes_nothing(sheets: Intake, current: Directory) -> None:
    assert inferred(planned(sheets, current, AUTHORITATIVE)) == []


def test_who_has_a_row_is_not_meant_by_a_strangers_rejected_one() -> None:
    """A contractor of the same name at another domain is rejected every night."""
    sheets = replace(with_bob(), held=Held({Email("bob@partner.example"): THREE}))
    assert inferred(planned(sheets, STANDARD, AUTHORITATIVE)) == ["revoke bob@acme.example finance"]


def test_who_has_a_row_is_not_meant_by_the_other_names_of_a_rejected_one() -> None:
    sheets = replace(with_bob(), held=Held(also={"bob": THREE}))
    assert inferred(planned(sheets, STANDARD, AUTHORITATIVE)) == ["revoke bob@acme.example finance"]


def test_a_leaver_whom_a_row_grants_a_group_is_not_absent_from_it() -> None:
    sheets = intake(
        [person("ana"), person("bob", rows=(TWO,), standing=Standing.LEAVER)],
        grants={"ana": {"Finance": [ONE]}, "bob": {"Finance": [TWO]}},
    )
    assert inferred(planned(sheets, STANDARD, AUTHORITATIVE)) == []


def test_the_groups_of_a_leaver_who_is_rejected_lose_nobody_by_absence() -> None:
    sheets = intake(
        [
            person("ana"),
            person("eva", rows=(TWO,), standing=Standing.LEAVER, username="bob"),
        ],
        grants={"ana": {"Finance": [ONE]}, "eva": {"Finance": [TWO]}},
    )
    reconciled = reconcile(sheets, STANDARD, AUTHORITATIVE)
    assert rejected(reconciled) == [("email-changed", 3)]
    assert inferred(reconciled.plan) == []


@pytest.mark.parametrize("name", ["Data Platform", "Platform", "dp"])
def test_a_renaming_takes_nothing_from_the_protection_of_single_sign_on(name: str) -> None:
    sheets = intake(
        teams=[team("Platform", internal_name=GroupName("dp"))], grants={"ana": {"dp": [ONE]}}
    )
    current = directory([ANA, BOB], [group("dp", "Data Platform")], {"dp": ["ana", "bob"]})
    wishes = Wishes(authoritative=True, sso_groups=frozenset({name}))
    assert keys(planned(sheets, current, wishes)) == ["update-group dp"]


@pytest.mark.parametrize("name", ["Finance", "finance", " FINANCE "])
def test_groups_of_single_sign_on_lose_nobody_by_absence(name: str) -> None:
    wishes = Wishes(authoritative=True, sso_groups=frozenset({name}))
    assert inferred(planned(LISTED, STANDARD, wishes)) == []


def test_what_a_row_asks_of_a_group_of_single_sign_on_is_done_and_noted() -> None:
    sheets = intake(grants={"ana": {"Finance": [ONE]}}, revokes={"bob": {"Finance": [TWO]}})
    current = directory([ANA, BOB], [FINANCE], {"finance": ["bob"]})
    reconciled = reconcile(sheets, current, Wishes(sso_groups=frozenset({"Finance"})))
    assert keys(reconciled.plan) == [
        "grant ana@acme.example finance",
        "revoke bob@acme.example finance",
    ]
    assert [(f.code, f.row, f.severity) for f in reconciled.findings] == [
        ("protected-group", ONE, Severity.NOTE),
        ("protected-group", TWO, Severity.NOTE),
    ]


@pytest.mark.parametrize(
    "sheets",
    [
        pytest.param(
            intake([person("ana", standing=Standing.LEAVER)], grants={"ana": {"Finance": [ONE]}}),
            id="leaver",
        ),
        pytest.param(
            intake(grants={"ana": {"Finance": [TWO]}}, held=Held({email("ana"): ONE})), id="held"
        ),
    ],
)
def test_a_grant_that_is_not_carried_out_makes_no_group_complete(sheets: Intake) -> None:
    assert inferred(planned(sheets, STANDARD, AUTHORITATIVE)) == []


def test_a_group_made_default_loses_nobody_and_one_made_ordinary_does() -> None:
    """The plan is judged by how it leaves the tenant, so that the next run finds nothing more to do."""
    made = replace(LISTED, desired=replace(LISTED.desired, teams=teams(default=True)))
    unmade = replace(LISTED, desired=replace(LISTED.desired, teams=teams(default=False)))
    default = directory([ANA, BOB], [replace(FINANCE, default=True)], BOTH)
    assert inferred(planned(made, STANDARD, AUTHORITATIVE)) == []
    assert inferred(planned(unmade, default, AUTHORITATIVE)) == ["revoke bob@acme.example finance"]


def teams(**facts: object) -> dict[object, object]:
    return {group_key("Finance"): team("Finance", **facts)}


def test_a_row_that_removes_somebody_is_the_cause_where_absence_is_too() -> None:
    sheets = intake(grants={"ana": {"Finance": [ONE]}}, revokes={"bob": {"Finance": [TWO]}})
    plan = planned(sheets, STANDARD, AUTHORITATIVE)
    assert plan.changes == (Change(membership("bob", "finance"), None, (TWO,)),)


# ---- after an interruption -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("invite ana@acme.example", (2,)),
        ("change-role ana@acme.example", (2,)),
        ("grant ana@acme.example finance", (3,)),
        ("revoke ana@acme.example ops", (4,)),
        ("create-group finance", (2,)),
        ("update-group finance", (2,)),
        ("revoke ana@acme.example nowhere", ()),
    ],
)
def test_what_an_interrupted_run_had_sent_and_is_as_asked_now_is_applied(
    key: str, rows: tuple[int, ...]
) -> None:
    sheets = intake(
        [person("ana", Role.MEMBER)],
        [team("Finance")],
        {"ana": {"Finance": [TWO]}},
        {"ana": {"Ops": [THREE]}},
    )
    current = directory([ANA], [FINANCE, group("ops")], {"finance": ["ana"]})
    plan = planned(sheets, current, earlier=[key])
    assert plan.changes == ()
    applied = [
        (s.change.key if s.change else "", s.rows) for s in plan.settled if s.code == "earlier-run"
    ]
    assert [(found, tuple(r.row for r in where)) for found, where in applied] == (
        [(key, rows)] if rows else []
    )


def test_what_an_interrupted_run_had_taken_from_a_leaver_is_applied() -> None:
    plan = planned(
        intake([LEAVER]),
        directory([ANA], GROUPS, {"all": ["ana"]}),
        REVOKE_LEAVERS,
        earlier=["revoke ana@acme.example finance"],
    )
    assert settled(plan) == [
        (Status.MANUAL, "deactivate", (2,)),
        (Status.APPLIED, "earlier-run", (2,)),
    ]
    assert plan.settled[1].change == Change(
        membership("ana", "finance"), None, (ONE,), Cause.LEAVER
    )


def test_what_an_interrupted_run_had_sent_and_is_not_as_asked_is_planned_again() -> None:
    sheets = intake(grants={"ana": {"Finance": [ONE]}})
    plan = planned(sheets, directory([ANA], [FINANCE]), earlier=["grant ana@acme.example finance"])
    assert keys(plan) == ["grant ana@acme.example finance"]
    assert plan.settled == ()
