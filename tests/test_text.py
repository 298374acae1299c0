"""What a terminal shows: findings as a compiler would, a plan that can be reviewed, an end of 25 lines."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from builders import email, fates_of, group, row, user
from hypothesis import example, given
from hypothesis import strategies as st

from onboarding.codes import CODES
from onboarding.model import Finding, GroupName, Membership, Role, RowRef, Severity
from onboarding.plan import Cause, Change, Outcome, Plan, Settled, Status
from onboarding.report import Deeds, RowResult
from onboarding.totals import totals
from onboarding.writers import text
from onboarding.writers.proposal import Forecast, proposal
from onboarding.writers.text import closing, diagnostics, duration, plain, wrapped

LABELS = {GroupName(name): name.title() for name in ("finance", "ops", "legal")}
NAUGHTY = "a\nb\r\x1b[31mc\x00\u202ed\u2028e\u200bf\ud800"
COLOURS = re.compile(r"\x1b\[(1|3[1-6]|0)m")


def lines(*expected: str) -> str:
    return "".join(f"{line}\n" for line in expected)


def finding(code: str, message: str, at: RowRef | None = None, **facts: object) -> Finding:
    return Finding(code, message, at, **facts)  # type: ignore[arg-type]


def joins(name: str, to: str) -> Change:
    return Change(None, Membership(email(name), GroupName(to)))


def leaves(name: str, of: str, cause: Cause = Cause.ASKED) -> Change:
    return Change(Membership(email(name), GroupName(of)), None, (), cause)


def invited(name: str, role: Role = Role.GUEST) -> Change:
    return Change(None, user(name, role))


def shown(
    *changes: Change,
    settled: Iterable[Settled] = (),
    calls: int = 9,
    rows: int = 9,
    **options: object,
) -> str:
    plan = Plan("acme.example", changes, tuple(settled))
    page = proposal(plan, Forecast(calls, 7.0, 300), LABELS, rows=rows, **options)  # type: ignore[arg-type]
    return page.replace(plan.fingerprint, "FINGERPRINT")


# ---- plain ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("Zoë 全 😀", "Zoë 全 😀"),
        ("a\nb", r"a\nb"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("a\u2028b\u00a0c", r"a\u2028b\xa0c"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_could_move_a_terminal_is_spelled_out(raw: str, safe: str) -> None:
    assert plain(raw) == safe


# ---- diagnostics ------------------------------------------------------------------------------------------------


def test_a_diagnostic_names_place_column_value_and_code() -> None:
    found = finding(
        "email-invalid",
        "is not an e-mail address",
        row(14, "hr.xlsx!Users"),
        column="email",
        value="bob@acme",
    )
    assert diagnostics([found]) == lines(
        'hr.xlsx!Users:14 email "bob@acme" is not an e-mail address [email-invalid]',
        "  fix: Correct the address; it looks like name@company.example.",
    )


def test_a_cause_that_repeats_is_told_once_with_its_first_places() -> None:
    found = [
        finding(
            "domain-not-allowed", "is elsewhere", row(n), column="Mail", value=f"p{n}@gmial.example"
        )
        for n in range(2, 39)
    ]
    assert diagnostics(found, more="see results.csv") == lines(
        "37 rows: domain not allowed [domain-not-allowed]",
        '  users.csv:2 Mail "p2@gmial.example" is elsewhere',
        '  users.csv:3 Mail "p3@gmial.example" is elsewhere',
        '  users.csv:4 Mail "p4@gmial.example" is elsewhere',
        "  ... and 34 more, see results.csv",
        "  fix: Correct the address, or ask the administrator to add the domain to",
        "       allowed_domains.",
    )


def test_rejections_come_before_notes_and_each_in_the_order_of_the_rows() -> None:
    found = [
        finding("on-leave", "ana is on leave", row(2), severity=Severity.NOTE),
        finding("table-ignored", "was not read", source="x.csv", severity=Severity.NOTE),
        finding("email-missing", "is empty", row(2, "teams.csv", 1)),
        finding("email-missing", "is empty", row(10)),
        finding("role-unknown", '"Boss" is no role', row(9), fix="Write Admin."),
        finding("email-missing", "is empty", row(8)),
    ]
    assert diagnostics(found) == lines(
        "users.csv:8 is empty [email-missing]",
        "  fix: Fill in the person's work address.",
        'users.csv:9 "Boss" is no role [role-unknown]',
        "  fix: Write Admin.",
        "users.csv:10 is empty [email-missing]",
        "teams.csv:2 is empty [email-missing]",
        "  fix: Fill in the person's work address.",
        "x.csv was not read [table-ignored]",
        "users.csv:2 ana is on leave [on-leave]",
    )


def test_causes_that_repeat_come_first_and_the_commonest_before() -> None:
    found = [finding("email-missing", "is empty", row(2))]
    found += [finding("role-unknown", "is no role", row(n), fix="Ask.") for n in range(3, 7)]
    found += [finding("group-missing", "is empty", row(n), fix="Ask.") for n in range(7, 12)]
    heads = [line for line in diagnostics(found).splitlines() if not line.startswith(" ")]
    assert heads == [
        f"5 rows: {CODES['group-missing'].title} [group-missing]",
        f"4 rows: {CODES['role-unknown'].title} [role-unknown]",
        "users.csv:2 is empty [email-missing]",
    ]


def test_a_finding_stays_in_one_line_and_what_to_do_is_wrapped() -> None:
    found = finding("group-unknown", f"nobody knows {'Finanse ' * 10}here", row(17))
    assert diagnostics([found]) == lines(
        f"users.csv:17 nobody knows {'Finanse ' * 10}here [group-unknown]",
        "  fix: Correct the name, add a row for it to the groups sheet, or run with",
        "       --create-groups.",
    )


@pytest.mark.parametrize(
    ("found", "head", "rest"),
    [
        pytest.param(
            [finding("cell-error", f"{cell} is #REF!", row(2)) for cell in "abcd"],
            "4 times: an error in the cell [cell-error]",
            "  ... and 1 more",
            id="one row",
        ),
        pytest.param(
            [finding("column-unknown", f"{n}", source="a.csv", column="c") for n in range(25)],
            "25 times: column not known [column-unknown]",
            "  ... and 5 more",
            id="one table",
        ),
        pytest.param(
            [finding("table-ignored", "was not read", source=f"{c}.csv") for c in "abcde"],
            "5 times: table not read [table-ignored]",
            "  e.csv was not read",
            id="whole tables, each of which matters",
        ),
        pytest.param(
            [finding("email-missing", "is empty", row(n)) for n in range(5)],
            "5 rows: no e-mail address [email-missing]",
            "  ... and 2 more, see results.csv",
            id="rows",
        ),
    ],
)
def test_rows_are_counted_only_where_each_finding_has_its_own(
    found: list[Finding], head: str, rest: str
) -> None:
    page = diagnostics(found, more="see results.csv").splitlines()
    told = [line for line in page if not line.startswith(("  fix:", "       "))]
    assert (told[0], told[-1]) == (head, rest)


def test_without_findings_nothing_is_shown() -> None:
    assert diagnostics([]) == ""


def test_diagnostics_are_bounded() -> None:
    found = [
        finding(code, "x" * 10_000, row(n), fix="y" * 9_999) for n in range(500) for code in CODES
    ]
    page = diagnostics(found)
    assert len(page.splitlines()) <= 6 * len(CODES)
    assert max(map(len, page.splitlines())) < 500


# ---- the plan ---------------------------------------------------------------------------------------------------


def test_a_plan_shows_a_line_per_person_and_group_and_sums_up() -> None:
    page = shown(
        invited("ana", Role.MEMBER),
        joins("ana", "finance"),
        joins("ana", "ops"),
        Change(user("bob", Role.MEMBER), user("bob", Role.GUEST)),
        leaves("cem", "ops", Cause.LEAVER),
        leaves("cem", "legal", Cause.LEAVER),
        Change(None, group("data_team", "Data Team", description="Tables")),
        Change(group("ops", "Old Ops"), group("ops", "Ops", default=True)),
    )
    assert page == lines(
        "  -  remove from groups",
        "  ~  change",
        "  +  create, invite, add to groups",
        "",
        "- cem@acme.example  remove from Legal, Ops (leaver)",
        "",
        '~ group Ops         change name "Old Ops" to "Ops", default no to yes',
        "~ bob@acme.example  role Member to Guest",
        "",
        '+ group data_team   create as data_team, description "Tables"',
        "+ ana@acme.example  invite as Member; add to Finance, Ops",
        "",
        "Plan: 1 person to invite, 1 group to create, 1 group to change, 1 role to",
        "      change, 2 memberships to add, 2 memberships to remove.",
        "This sends 1 invitation e-mail and takes 9 calls, about 7 seconds.",
        "Fingerprint: FINGERPRINT",
    )


def test_the_legend_has_only_the_symbols_that_are_used() -> None:
    page = shown(joins("ana", "ops"), calls=1)
    assert page == lines(
        "  +  create, invite, add to groups",
        "",
        "+ ana@acme.example  add to Ops",
        "",
        "Plan: 1 membership to add.",
        "This sends no e-mail and takes 1 call, about 7 seconds.",
        "Fingerprint: FINGERPRINT",
    )


@pytest.mark.parametrize(
    ("calls", "pace"),
    [
        (50, "about 7 seconds.\n"),
        (51, "about 7 seconds at 300 calls a minute\n     after the first 50.\n"),
    ],
)
def test_the_pace_is_told_where_it_is_kept(calls: int, pace: str) -> None:
    assert pace in shown(joins("ana", "ops"), calls=calls)


def test_a_mover_is_a_change_and_what_is_taken_comes_first() -> None:
    page = shown(
        joins("ana", "ops"), leaves("ana", "finance"), leaves("ana", "legal", Cause.ABSENT)
    )
    assert (
        "~ ana@acme.example  remove from Finance; remove from Legal (no row grants it);\n"
        "                    add to Ops\n"
    ) in page


def test_a_long_line_of_a_plan_goes_on_under_what_happens() -> None:
    page = shown(
        Change(group("ops", "Ops"), group("ops", "Ops", description="Keeps it all running " * 3)),
        Change(user("bob", Role.MEMBER), user("bob", Role.GUEST)),
    )
    assert page.splitlines()[2:6] == [
        '~ group Ops         change description "" to "Keeps it all running Keeps it all',
        '                    running Keeps it all running "',
        "~ bob@acme.example  role Member to Guest",
        "",
    ]


def test_a_name_longer_than_the_line_stays_whole() -> None:
    assert shown(joins("a" * 90, "ops")).splitlines()[2:4] == [
        f"+ {'a' * 90}@acme.example  add",
        f"{'':40}to Ops",
    ]


def test_an_option_is_not_broken_at_its_hyphens() -> None:
    assert wrapped("fix: ", "run with --create-groups", width=24) == [
        "fix: run with",
        "     --create-groups",
    ]


def test_no_line_of_a_plan_is_wider_than_a_terminal() -> None:
    people = [joins("ana", f"group_{n}_of_many") for n in range(9)]
    page = shown(*people, invited("bob"), leaves("cem", "ops", Cause.LEAVER), any_domain=True)
    assert max(map(len, page.splitlines())) <= 80


def test_admins_are_seen_first() -> None:
    people = [invited(f"a{n:03}") for n in range(100)]
    page = shown(*people, invited("zed", Role.ADMIN), blocks=2)
    assert page.splitlines()[2:5] == [
        "+ zed@acme.example   invite as Admin",
        "+ a000@acme.example  invite as Guest",
        "+ ... and 99 more, see plan.json",
    ]


def test_five_thousand_changes_hide_no_removal_and_fit_on_a_screen_or_two() -> None:
    changes = [change for n in range(2_500) for change in (invited(f"p{n}"), joins(f"p{n}", "ops"))]
    page = shown(*changes, leaves("eve", "finance"))
    assert len(page.splitlines()) < 40
    assert "- eve@acme.example  remove from Finance\n" in page
    assert "+ ... and 2,480 more, see plan.json\n" in page
    assert (
        "Plan: 2,500 people to invite, 2,500 memberships to add, 1 membership to remove.\n" in page
    )


def test_many_groups_of_a_person_are_counted() -> None:
    page = shown(*(joins("ana", f"g{n}") for n in range(9)))
    assert "add to g0, g1, g2, g3, g4, g5 and 3 more\n" in page


def test_two_groups_of_one_name_are_two_lines() -> None:
    twins = (Change(None, group("ops", "Ops")), Change(None, group("ops_2", "Ops")))
    both = {GroupName("ops"): "Ops", GroupName("ops_2"): "Ops"}
    page = proposal(Plan("t", twins), Forecast(2), both, rows=2)
    assert "+ group Ops  create as ops\n+ group Ops  create as ops_2\n" in page


def test_what_the_plan_does_not_do_is_shown_with_its_reason() -> None:
    settled = [
        Settled(Status.MANUAL, "deactivate", "Dan has left", (row(9),)),
        Settled(Status.UNCHANGED, "no-change", "", (row(3),)),
        Settled(Status.SKIPPED, "last-admin", "", (), leaves("eve", "ops")),
    ]
    assert shown(settled=settled) == lines(
        "  !  not done by this plan: by hand, or set aside",
        "",
        "! eve@acme.example (remove from Ops): This would leave the tenant without an admin [last-admin]",
        "!   fix: Make somebody else Admin first.",
        "! users.csv:9 Dan has left [deactivate]",
        "!   fix: Deactivate the account in Atlan under Admin, Users.",
        "",
        "Nothing to send: what is left can't be done by this run.",
    )


def test_what_to_do_about_what_is_set_aside_is_wrapped_behind_its_mark() -> None:
    aside = [Settled(Status.SKIPPED, code, "no", (row(n),)) for n, code in enumerate(CODES)]
    page = shown(settled=aside).splitlines()
    assert (
        "!   fix: Write Guest, Member or Admin, or ask the administrator to add the word\n"
        "!        to role_aliases.\n"
    ) in lines(*page)
    assert max(map(len, page)) <= 80


def test_what_is_set_aside_counts_its_rows() -> None:
    settled = [
        Settled(Status.SKIPPED, "held", "by row 4", (row(n), row(n + 1))) for n in (6, 8, 10, 12)
    ]
    page = shown(settled=settled)
    assert f"! 8 rows: {CODES['held'].title} [held]\n!   users.csv:6-7 by row 4\n" in page
    assert "!   ... and 2 more\n" in page


AS_ASKED = Settled(Status.UNCHANGED, "no-change", "", (row(3),))


@pytest.mark.parametrize(
    ("settled", "rows", "rejected", "words"),
    [
        ([AS_ASKED], 1, 0, "Nothing to do: the tenant already is as the sheets ask."),
        ([AS_ASKED], 2, 1, "Nothing to send: the tenant already is as the sound rows ask."),
        ([], 2, 2, "Nothing to send: every row is rejected."),
        ([], 0, 0, "Nothing to do: the sheets hold no rows."),
    ],
    ids=["as asked", "some rejected", "all rejected", "no rows"],
)
def test_nothing_to_do_is_a_full_sentence_with_the_reason(
    settled: list[Settled], rows: int, rejected: int, words: str
) -> None:
    assert shown(settled=settled, rows=rows, rejected=rejected) == lines(words)


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        (
            [invited("ana")],
            "Tip: set allowed_domains, so that a typing error can't invite a stranger.",
        ),
        ([joins("ana", "ops")], "Fingerprint: FINGERPRINT"),
    ],
    ids=["invites", "invites nobody"],
)
def test_the_last_line_recommends_allowed_domains(changes: list[Change], last: str) -> None:
    assert shown(*changes, any_domain=True).splitlines()[-1] == last
    assert "allowed_domains" not in shown(*changes)


def test_without_a_limit_no_pace_is_told() -> None:
    page = proposal(Plan("t", (invited("ana"),)), Forecast(4, 100.0), {}, rows=1)
    assert "takes 4 calls, about 2 minutes.\n" in page


# ---- the end ----------------------------------------------------------------------------------------------------


def judged(number: int, status: Status, code: str) -> RowResult:
    return RowResult(status, code, "", "", "", row(number))


def test_the_end_shows_totals_causes_and_files() -> None:
    rows = [judged(n, Status.APPLIED, "done") for n in range(1_200)]
    rows += [judged(n, Status.REJECTED, "domain-not-allowed") for n in range(37)]
    done = Deeds(Plan("t", (invited("ana"),)), {invited("ana").key: Outcome(Status.APPLIED)})
    page = closing(
        totals(fates_of(rows), done),
        seconds=41.4,
        calls=31,
        exit_code=1,
        folder=Path("onboarding-reports/20261120T233000Z-users.csv"),
        files=["results.csv", "retry/users.csv", "summary.json", "actions.csv"],
    )
    assert page == lines(
        "1,237 rows in 41 seconds, 31 calls, 1 invitation",
        "",
        "  rejected          37  the row itself is wrong; nothing was sent for it",
        "  applied        1,200  done, and seen in the tenant",
        "",
        "Why, most frequent first:",
        "         37  domain not allowed [domain-not-allowed]",
        "",
        "Report: onboarding-reports/20261120T233000Z-users.csv",
        "  results.csv   every row with its result",
        "  retry/        the rows to correct and run again",
        "  actions.csv   every change, for the audit",
        "Exit code 1: finished, and some rows need work.",
    )


def test_the_end_without_files_or_trouble_is_short() -> None:
    page = closing(
        totals(fates_of([judged(2, Status.PLANNED, "not-compared")]), []),
        seconds=0,
        calls=0,
        exit_code=0,
    )
    assert page == lines(
        "1 row in 1 second",
        "",
        "  planned            1  valid; not compared with a tenant",
        "Exit code 0: all is well.",
    )


def test_the_end_of_a_plan_says_what_would_be_done() -> None:
    page = closing(
        totals(fates_of([judged(2, Status.PLANNED, "planned")]), []),
        seconds=0,
        calls=3,
        exit_code=0,
    )
    assert "  planned            1  would be done\n" in page


def test_sheets_without_rows_are_no_good_news() -> None:
    assert closing(totals({}, []), seconds=0, calls=4, exit_code=0, folder=Path("r")) == lines(
        "0 rows in 1 second, 4 calls",
        "",
        "  There is no row below the headers. Check that these are the right sheets.",
        "",
        "Report: r",
        "Exit code 0: nothing went wrong, and nothing was done.",
    )
    interrupted = closing(totals({}, []), seconds=0, calls=4, exit_code=130)
    assert interrupted.endswith("Exit code 130: interrupted; run it again to carry on.\n")


@pytest.mark.parametrize(
    ("causes", "told", "last"),
    [
        pytest.param(15, 15, "", id="all that fit on a screen"),
        pytest.param(16, 14, "  ... and 2 more", id="one too many"),
    ],
)
def test_as_many_causes_are_told_as_a_terminal_has_room_for(
    causes: int, told: int, last: str
) -> None:
    rows = [judged(n, Status.REJECTED, code) for n, code in enumerate([*CODES][:causes])]
    page = closing(totals(fates_of(rows), []), seconds=1, calls=1, exit_code=1, folder=Path("r"))
    shown = [line for line in page.splitlines() if line.startswith("          1  ")]
    assert (len(shown), len(page.splitlines())) == (told, 23)
    assert page.splitlines()[-4] == (last or shown[-1])


EVERYTHING = [(status, code, 10**8) for code in CODES for status in Status]


EVERY_FILE = ["report.html", "results.csv", "results.xlsx", "retry/a", "actions.csv", "undo.json"]


@example(EVERYTHING, 130)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(Status), st.sampled_from([*CODES, "a" * 200, NAUGHTY]), st.just(10**8)
        ),
        max_size=60,
    ),
    st.sampled_from([0, 1, 2, 3, 4, 5, 70, 74, 75, 130, 143, 99]),
)
def test_the_end_fits_in_25_lines_of_80_columns(
    rows: list[tuple[Status, str, int]], code: int
) -> None:
    page = closing(
        totals(fates_of([judged(n, status, word) for status, word, n in rows]), []),
        seconds=123_456,
        calls=123_456_789,
        exit_code=code,
        folder=Path("onboarding-reports/20261120T233000Z-users.csv"),
        files=EVERY_FILE,
    )
    assert len(page.splitlines()) <= 25
    assert max(map(len, page.splitlines())) <= 80


def test_even_the_longest_end_tells_three_causes() -> None:
    rows = [judged(n, status, code) for n, code in enumerate(CODES) for status in Status]
    page = closing(
        totals(fates_of(rows), []),
        seconds=1,
        calls=1,
        exit_code=1,
        folder=Path("r"),
        files=EVERY_FILE,
    ).splitlines()
    assert len(page) == 25
    assert len([line for line in page if line.endswith("]")]) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (3_000, "50 minutes"),
        (9_000, "2.5 hours"),
    ],
)
def test_a_duration_has_the_unit_that_a_person_would_use(seconds: float, words: str) -> None:
    assert duration(seconds) == words


# ---- everywhere -------------------------------------------------------------------------------------------------


def naughty_pages(*, colour: bool) -> list[str]:
    """Every page with data that would like to be more than text in every place that takes data."""
    where = RowRef(0, 2, f"{NAUGHTY}.csv")
    found = [
        finding(NAUGHTY, NAUGHTY, where, column=NAUGHTY, value=NAUGHTY, fix=NAUGHTY),
        finding("table-ignored", NAUGHTY, source=NAUGHTY, severity=Severity.NOTE),
    ]
    changes = (
        Change(None, group(NAUGHTY, NAUGHTY, description=NAUGHTY)),
        Change(group("ops", NAUGHTY), group("ops", NAUGHTY + "x", description=NAUGHTY)),
        invited(NAUGHTY),
        joins(NAUGHTY, "finance"),
        leaves(f"eve{NAUGHTY}", NAUGHTY),
    )
    aside = [Settled(Status.MANUAL, NAUGHTY, NAUGHTY, (where,), changes[2])]
    plan = Plan(NAUGHTY, changes, tuple(aside))
    ended = totals(
        fates_of([RowResult(Status.FAILED, NAUGHTY, "", "", "", where)]), Deeds(plan, {})
    )
    return [
        diagnostics(found, colour=colour),
        diagnostics(found * 9, more="see results.csv", colour=colour),
        proposal(
            plan,
            Forecast(1),
            {GroupName("finance"): NAUGHTY},
            rows=2,
            any_domain=True,
            colour=colour,
        ),
        closing(
            ended,
            seconds=1,
            calls=1,
            exit_code=1,
            folder=Path(f"reports/{NAUGHTY}"),
            files=[NAUGHTY],
            colour=colour,
        ),
    ]


@pytest.mark.parametrize("page", naughty_pages(colour=False))
def test_no_datum_can_forge_a_line_or_speak_to_the_terminal(page: str) -> None:
    assert all(line.isprintable() for line in page.split("\n"))
    assert page.isascii()


@pytest.mark.parametrize("page", naughty_pages(colour=True))
def test_with_colour_only_our_own_colours_are_sent(page: str) -> None:
    assert COLOURS.search(page)
    assert all(line.isprintable() for line in COLOURS.sub("", page).split("\n"))


def test_colour_changes_nothing_but_colour() -> None:
    for plain_page, painted in zip(
        naughty_pages(colour=False), naughty_pages(colour=True), strict=True
    ):
        assert COLOURS.sub("", painted) == plain_page


def test_the_examples_hold() -> None:
    assert doctest.testmod(text).failed == 0


def test_work_for_an_admin_that_was_reported_before_is_not_all_well() -> None:
    left = [judged(row(2), Status.MANUAL, "deactivate")]
    assert "Exit code 0: nothing new; what is manual was reported before." in closing(
        totals(fates_of(left), ()), seconds=1, calls=4, exit_code=0
    )
