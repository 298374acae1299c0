"""Changes, findings and rows in; words out."""

from __future__ import annotations

import doctest

import pytest
from builders import directory, email, group, row, user

from onboarding import words
from onboarding.model import Finding, GroupName, Membership, Role
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.words import detail, fix, in_words, labels, meaning, places, said, title

FINANCE = {GroupName("finance"): "Finance"}


def membership(name: str) -> Membership:
    return Membership(email(name), GroupName("finance"))


INVITE = Change(None, user("ana", Role.ADMIN))
PROMOTE = Change(user("ana", Role.GUEST), user("ana", Role.ADMIN))
FROM_UNKNOWN = Change(user("ana", None), user("ana", Role.GUEST))
CREATE = Change(None, group("ops", description="Runs it", default=True))
UPDATE = Change(group("ops", "Old Ops"), group("ops", "Ops", description="Runs it", default=True))
GRANT = Change(None, membership("ana"))
REVOKE = Change(membership("ana"), None)
LEAVE = Change(membership("ana"), None, cause=Cause.LEAVER)
ABSENT = Change(membership("eve"), None, cause=Cause.ABSENT)


@pytest.mark.parametrize(
    ("change", "applied", "planned", "exactly"),
    [
        pytest.param(
            INVITE, "invited as Admin", "would be invited as Admin", "as Admin", id="invite"
        ),
        pytest.param(
            PROMOTE,
            "role changed from Guest to Admin",
            "role would be changed from Guest to Admin",
            "Guest to Admin",
            id="role",
        ),
        pytest.param(
            FROM_UNKNOWN,
            "role changed from an unknown role to Guest",
            "role would be changed from an unknown role to Guest",
            "an unknown role to Guest",
            id="from no role of ours",
        ),
        pytest.param(
            CREATE,
            "group Ops created",
            "group Ops would be created",
            'description "Runs it", default yes',
            id="create",
        ),
        pytest.param(
            UPDATE,
            "group Ops changed (name, description, default)",
            "group Ops would be changed (name, description, default)",
            'name "Old Ops" to "Ops", description "" to "Runs it", default no to yes',
            id="update",
        ),
        pytest.param(GRANT, "added to Finance", "would be added to Finance", "", id="grant"),
        pytest.param(
            REVOKE, "removed from Finance", "would be removed from Finance", "", id="revoke"
        ),
        pytest.param(
            LEAVE, "removed from Finance", "would be removed from Finance", "leaver", id="leaver"
        ),
        pytest.param(
            ABSENT,
            "eve@acme.example removed from Finance",
            "eve@acme.example would be removed from Finance",
            "no row grants it",
            id="absent: the row is about somebody else",
        ),
    ],
)
def test_every_kind_of_change_has_its_words(
    change: Change, applied: str, planned: str, exactly: str
) -> None:
    assert in_words([(change, Status.APPLIED)], FINANCE) == applied
    assert in_words([(change, Status.PLANNED)], FINANCE) == planned
    assert detail(change) == exactly


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.APPLIED, "added to Finance"),
        (Status.PLANNED, "would be added to Finance"),
        (Status.UNCHANGED, "already added to Finance"),
        (Status.IN_DOUBT, "perhaps added to Finance"),
        (Status.MANUAL, "to be added to Finance by hand"),
        (Status.FAILED, "not added to Finance"),
        (Status.SKIPPED, "not added to Finance"),
        (Status.REJECTED, "not added to Finance"),
    ],
)
def test_every_status_has_its_mood(status: Status, words: str) -> None:
    assert in_words([(GRANT, status)], FINANCE) == words


def test_changes_are_told_in_order_and_like_ones_together() -> None:
    ops = Change(None, Membership(email("ana"), GroupName("ops")))
    legal = Change(None, Membership(email("ana"), GroupName("legal")))
    applied, failed = Status.APPLIED, Status.FAILED
    told = [(INVITE, applied), (GRANT, applied), (legal, failed), (ops, applied)]
    assert in_words(told, FINANCE) == "invited as Admin; added to Finance, ops; not added to legal"


def test_nothing_done_has_no_words() -> None:
    assert in_words([], FINANCE) == ""


def test_what_is_no_change_has_no_words() -> None:
    with pytest.raises(ValueError, match="no change leads from"):
        in_words([(Change(None, None), Status.APPLIED)], {})


def test_groups_go_by_the_name_that_they_have_or_will_have() -> None:
    current = directory(groups=[group("finance"), group("ops", "Old Ops")])
    aside = Settled(Status.SKIPPED, "held", "", (), Change(None, group("legal", "Law")))
    assert labels(current, Plan("t", (UPDATE, CREATE, GRANT), (aside,))) == {
        "finance": "Finance",
        "ops": "Ops",
        "legal": "Law",
    }


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param([], "", id="none"),
        pytest.param([row(7)], "users.csv:7", id="one"),
        pytest.param([row(9), row(2), row(3), row(4)], "users.csv:2-4, 9", id="a run"),
        pytest.param([row(2), row(2)], "users.csv:2", id="once"),
        pytest.param(
            [row(5, "hr.xlsx!Users", 1), row(4)], "users.csv:4; hr.xlsx!Users:5", id="two tables"
        ),
        pytest.param([row(2), row(3, table=1)], "users.csv:2; users.csv:3", id="same name twice"),
    ],
)
def test_places_are_told_briefly(rows: list, told: str) -> None:  # type: ignore[type-arg]
    assert places(rows) == told


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        pytest.param(
            Finding("email-invalid", "has no dot", row(2), "Mail", "bob@acme"),
            'Mail "bob@acme" has no dot',
            id="a cell",
        ),
        pytest.param(
            Finding("email-missing", "is empty", row(2), "Mail"),
            "Mail is empty",
            id="an empty cell",
        ),
        pytest.param(
            Finding("person-unknown", "nobody knows ana", row(2), value="ana"),
            "nobody knows ana",
            id="a whole row",
        ),
        pytest.param(
            Finding("column-unknown", "is no known column", column="Agency", source="hr.csv"),
            '"Agency" is no known column',
            id="a whole column",
        ),
        pytest.param(
            Finding("description-too-long", "is too long", row(2), "About", "x" * 300),
            f'About "{"x" * 77}..." is too long',
            id="a long cell",
        ),
    ],
)
def test_a_finding_is_read_aloud(finding: Finding, words: str) -> None:
    assert said(finding) == words


def test_a_code_that_nobody_wrote_down_is_read_aloud() -> None:
    new = "some-thing-new"
    assert (title(new), meaning(new), fix(new)) == ("some thing new", "some thing new", "")
    assert title("domain-not-allowed") == "domain not allowed"
    assert meaning("done") == "Done, and seen in the tenant."


def test_the_examples_hold() -> None:
    assert doctest.testmod(words).failed == 0
