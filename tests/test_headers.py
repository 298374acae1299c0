from __future__ import annotations

from itertools import chain
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.errors import SheetError, UsageError
from onboarding.headers import (
    CARRIED,
    Columns,
    Kind,
    NoKnownHeader,
    Why,
    known,
    names_people,
    normal,
    result_columns,
    understand,
)
from onboarding.headers.known import ALIASES, STAND_INS
from onboarding.headers.templates import TEMPLATES

GOOGLE = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
    "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
    "Recovery Email,Home Secondary Email,Work Secondary Email,Employee ID,Employee Title,Manager Email,"
    "Department,Cost Center,Change Password at Next Sign-In,New Status [UPLOAD ONLY]"
)
ENTRA = (
    "Name [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
    "First name [givenName],Last name [surname],Job title [jobTitle],Department [department],"
    "State or province [state],City [city]"
)
OKTA = "login,firstName,lastName,email,title,secondEmail,city,state,userType,department,manager"


def fields(headers: str, **how: object) -> dict[str, tuple[int, ...]]:
    return dict(understand(headers.split(","), **how).fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        pytest.param("email,role", Kind.USERS, id="a role is said of a person"),
        pytest.param("email,groups", Kind.USERS, id="several groups in one cell"),
        pytest.param("email,group1,group2", Kind.USERS, id="numbered groups"),
        pytest.param("email,role,group", Kind.USERS, id="a role beside one group"),
        pytest.param("email,status,group", Kind.USERS, id="a status beside one group"),
        pytest.param("email,first name", Kind.USERS, id="a name"),
        pytest.param("email,department", Kind.USERS, id="anything else that is known"),
        pytest.param("email,group", Kind.MEMBERSHIPS, id="two keys"),
        pytest.param("email,group,action", Kind.MEMBERSHIPS, id="two keys and an action"),
        pytest.param("email,groups,action", Kind.MEMBERSHIPS, id="an action is never of a person"),
        pytest.param("email,group,first name", Kind.MEMBERSHIPS, id="in doubt nobody is invited"),
        pytest.param("member email,group email,member role", Kind.MEMBERSHIPS, id="Google members"),
        pytest.param("group", Kind.GROUPS, id="a list of groups"),
        pytest.param("group,description,default", Kind.GROUPS, id="groups"),
        pytest.param("name,description", Kind.GROUPS, id="a name beside a description"),
        pytest.param("alias,name", Kind.GROUPS, id="Atlan's words"),
    ],
)
def test_the_kind_follows_from_the_columns(headers: str, kind: Kind) -> None:
    assert understand(headers.split(",")).kind is kind


@pytest.mark.parametrize(
    ("headers", "hint", "kind"),
    [
        ("email,group,first name", "new_users.csv", Kind.USERS),
        ("email,group,first name", "members.csv", Kind.MEMBERSHIPS),
        ("email,group", "users.csv", Kind.MEMBERSHIPS),
        ("email,role", "memberships.csv", Kind.USERS),
        ("name,owner", "groups.csv", Kind.GROUPS),
    ],
)
def test_a_file_name_only_breaks_ties(headers: str, hint: str, kind: Kind) -> None:
    assert understand(headers.split(","), hint=hint).kind is kind


def test_what_the_caller_says_decides_the_kind() -> None:
    assert understand(["email"], kind=Kind.USERS).kind is Kind.USERS
    assert fields("email,group", kind=Kind.USERS) == {"email": (0,), "groups": (1,)}
    assert fields("email,group,status", kind=Kind.MEMBERSHIPS) == {
        "email": (0,),
        "group": (1,),
        "action": (2,),
    }
    with pytest.raises(NoKnownHeader, match="a users table needs a column email"):
        understand(["group"], kind=Kind.USERS)


def test_addresses_alone_invite_nobody() -> None:
    with pytest.raises(NoKnownHeader, match="a list of addresses alone invites nobody"):
        understand(["Email"])


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("", r"neither an e-mail nor a group column \(columns: none\)"),
        ("foo,bar", r'neither an e-mail nor a group column \(columns: A "foo", B "bar"\)'),
        ("role,first name", "people's columns and no e-mail"),
        ("E-Mial,First name", 'did you mean "email" by "E-Mial"'),
        ("Group1,11.067,5.07", "neither an e-mail nor a group column|people's columns"),
        ("Group Name,Record Number,Type of Gas", "may be about anything"),
        ("category,group,value", "may be about anything"),
        ("Groups", "may be a list to choose from .*name the column group, or say --kind groups"),
        ("personal email,role", "people's columns and no e-mail"),
        ("group,first name,last name", "people's columns and no e-mail"),
    ],
)
def test_headers_without_a_key_are_no_table(headers: str, message: str) -> None:
    with pytest.raises(NoKnownHeader, match=message):
        understand(headers.split(","))


def test_nothing_is_suggested_for_a_header_of_few_letters() -> None:
    assert understand(["No", "E-mail", "Role"]).suggestions == {}, "a number, no slip of nom"


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("hr.xlsx!Lists", None),
        ("hr.xlsx!Lookup", None),
        ("hr.xlsx!Group list", Kind.GROUPS),
        ("new.csv", Kind.GROUPS),
    ],
)
def test_a_lone_group_column_on_a_sheet_of_lists_creates_no_groups(
    hint: str, said: Kind | None
) -> None:
    if said:
        assert understand(["Group"], hint=hint).kind is said
    else:
        with pytest.raises(NoKnownHeader, match="a list to choose from"):
            understand(["Group"], hint=hint)
    assert understand(["Group"], hint=hint, kind=Kind.GROUPS).kind is Kind.GROUPS
    assert understand(["Groups", "Description"], hint=hint).kind is Kind.GROUPS


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("Email,E-Mail,role", r'means email: "Email" \(column A\) and "E-Mail" \(column B\)'),
        ("email,role,workspace role", r"means role: .*column B.* and .*column C"),
        ("email,role,group,teams", r"means groups: .*column C.* and .*column D"),
        ("email,status,suspended", r"means status: .*column B.* and .*column C"),
        ("email,group,team", r"means group"),
        ("group,team", r"means group"),
        ("email,role,status,action", r'a users table has no action, and here is a column "action"'),
    ],
)
def test_two_columns_for_one_field_are_an_error_that_names_both(headers: str, message: str) -> None:
    with pytest.raises(SheetError, match=message) as caught:
        understand(headers.split(","))
    assert not isinstance(caught.value, NoKnownHeader)


def test_facts_that_are_only_carried_along_may_stand_twice() -> None:
    assert fields("email,role,manager,manager email")["manager"] == (2, 3)


@pytest.mark.parametrize(
    "header",
    [
        "email",
        "E-Mail",
        " E_MAIL  address ",
        "Email Address [Required]",
        "email (required)",
        "Email*",
        "\ufeffemail",
        "e\u00admail",
        "Work\u00a0Email",
        "E-Mail-Adresse",
        "Correo electrónico",
        "Primary.Email",
        "workEmail",
    ],
)
def test_an_email_header_is_known_however_it_is_written(header: str) -> None:
    assert fields(f"{header},role") == {"email": (0,), "role": (1,)}


@pytest.mark.parametrize(
    "header",
    [
        "personal email",
        "Private E-Mail",
        "secondEmail",
        "Recovery Email",
        "Email (personal)",
        "Home e-mail address",
        "other mail",
    ],
)
def test_a_second_address_is_never_the_one_to_invite(header: str) -> None:
    assert fields(f"{header},email,role") == {
        "secondary_email": (0,),
        "email": (1,),
        "role": (2,),
    }


def test_a_managers_address_is_never_the_one_to_invite() -> None:
    with pytest.raises(NoKnownHeader):
        understand(["Manager Email", "role"])


@pytest.mark.parametrize(
    ("headers", "email", "username"),
    [
        pytest.param("login,first name", (0,), None, id="login alone"),
        pytest.param("login,email,role", (1,), (0,), id="beside an address"),
        pytest.param("login,upn,role", (1,), (0,), id="the better of two"),
    ],
)
def test_a_login_stands_in_for_an_address_only_where_there_is_none(
    headers: str, email: tuple[int, ...], username: tuple[int, ...] | None
) -> None:
    found = fields(headers)
    assert (found["email"], found.get("username")) == (email, username)


def test_state_is_a_status_but_not_in_a_postal_address() -> None:
    assert "status" in fields("email,state")
    assert "status" not in fields("email,role,city,state")


def test_passwords_are_marked_to_be_blanked() -> None:
    headers = [
        "email",
        "role",
        "Password",
        "Initial password [x]",
        "Passwort",
        "Change password at next login",
    ]
    columns = understand(headers)
    assert columns.blanked == (2, 3, 4)
    assert columns.unknown == (5,)


def test_in_atlans_words_the_alias_is_seen_and_the_name_is_internal() -> None:
    assert fields("alias,name,description") == {
        "group": (0,),
        "internal_name": (1,),
        "description": (2,),
    }


@pytest.mark.parametrize("header", ["Allocation", "Work Address", "Floor Name"])
def test_what_only_resembles_a_field_is_not_suggested(header: str) -> None:
    assert understand(["email", "role", header]).suggestions == {}


def test_a_near_miss_is_suggested_and_never_assumed() -> None:
    columns = understand(["email", "role", "Descripton", "colour", ""])
    assert columns == Columns(
        Kind.USERS,
        {"email": (0,), "role": (1,)},
        unknown=(2, 3),
        suggestions={2: "description"},
        kind_why="an e-mail and role",
        why={0: Why.NAME, 1: Why.NAME, 2: Why.UNKNOWN, 3: Why.UNKNOWN},
    )


def test_the_settings_map_wins() -> None:
    mapped = MappingProxyType({"Dienst-Adresse": "email", "Email": "ignore"})
    assert fields("email,dienst adresse,role", columns=mapped) == {"email": (1,), "role": (2,)}
    assert fields("email,mail,role", columns={"mail": "email"}) == {"email": (1,), "role": (2,)}


def test_a_map_to_no_field_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(
        UsageError, match='maps "Mail" to "e-mail", which is no field; the fields are'
    ):
        understand(["Mail"], columns={"Mail": "e-mail"})


def test_google_users() -> None:
    columns = understand(GOOGLE.split(","))
    assert (columns.template, columns.kind) == ("Google Workspace users", Kind.USERS)
    assert columns.blanked == (3, 4)
    acting = {name: at for name, at in columns.fields.items() if name not in CARRIED}
    assert acting == {"email": (2,), "secondary_email": (6, 7, 8, 9), "status": (16,)}


def test_entra_users() -> None:
    columns = understand(ENTRA.split(","))
    assert (columns.template, columns.kind) == ("Microsoft Entra bulk create", Kind.USERS)
    assert columns.blanked == (2,)
    acting = {name: at for name, at in columns.fields.items() if name not in CARRIED}
    assert acting == {"email": (1,), "blocked": (3,)}


def test_entra_invitations() -> None:
    headers = [
        "Email address to invite [inviteeEmail] Required",
        "Redirection url [inviteRedirectURL] Required",
    ]
    assert understand(headers).kind is Kind.USERS


def test_okta_users_have_no_role_of_ours() -> None:
    columns = understand(OKTA.split(","))
    assert columns.template == "Okta users"
    acting = {name: at for name, at in columns.fields.items() if name not in CARRIED}
    assert acting == {"username": (0,), "email": (3,), "secondary_email": (5,)}


def test_one_roster_users_have_no_role_of_ours() -> None:
    columns = understand(
        ["sourcedId", "status", "enabledUser", "orgSourcedIds", "role", "username", "email"]
    )
    assert "role" not in columns.fields
    assert columns.fields["status"] == (1, 2), "who is enrolled may still be switched off"


def test_bamboo_says_under_employment_status_how_much_somebody_works() -> None:
    assert fields("Work Email,Employment Status,Status")["status"] == (2,)


@pytest.mark.parametrize(
    "headers", ["group,action", "group,status", "group,suspended", "name,description,operation"]
)
def test_a_group_that_may_be_marked_as_deleted_is_not_created(headers: str) -> None:
    with pytest.raises(SheetError, match=r"a groups table has no (action|status|blocked)"):
        understand(headers.split(","))
    assert fields(headers, columns={headers.split(",")[-1]: "ignore"})


def test_headers_of_people_are_told_from_a_groups_name() -> None:
    assert names_people(["email", "role", ""])
    assert not names_people(["Mail", "mail", "for the post room"])
    assert not names_people(["Team", "Description"])


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            "User name [userPrincipalName] Required",
            "Entra bulk delete table: it is a list of accounts to delete",
        ),
        (
            "Member object ID or user principal name [memberObjectIdOrUpn] Required",
            "Entra group members",
        ),
        ("type,username,domain", "Adobe remove list"),
        ("Identity Type,Username,Domain", "Adobe remove list"),
        ("Object ID [objectId] Required", "Entra bulk restore"),
    ],
)
def test_lists_that_mean_something_else_are_refused_by_name(headers: str, message: str) -> None:
    with pytest.raises(SheetError, match=message):
        understand(headers.split(","))


def test_result_columns_are_ours_only_together() -> None:
    assert result_columns(["email", "result"]) == frozenset()
    assert result_columns(["Result", "result_row", "email", "result_of_test"]) == frozenset({0, 1})


def test_no_spelling_means_two_fields() -> None:
    means: dict[str, set[str]] = {}
    for name, text in ALIASES.items():
        for alias in text.split("|"):
            means.setdefault(normal(alias), set()).add(name)
    assert {alias: names for alias, names in means.items() if len(names) > 1} == {}
    assert all(normal(alias) == alias for aliases in STAND_INS.values() for alias in aliases)
    for template in TEMPLATES:
        assert all(
            normal(text) == text for text in (*chain(*template.signatures), *template.fields)
        )
        assert set(template.fields.values()) <= {*ALIASES, *CARRIED, ""}


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_headers_are_understood_or_refused(headers: list[str]) -> None:
    assert known(headers) <= len(headers)
    try:
        columns = understand(headers)
    except SheetError:
        return
    placed = [i for at in columns.fields.values() for i in at]
    assert len(set(placed)) == len(placed)
    assert not set(placed) & {*columns.unknown, *columns.blanked}


@given(st.permutations(["email", "Role", "groups", "status", "colour"]))
def test_the_order_of_columns_does_not_matter(headers: list[str]) -> None:
    found = understand(headers).fields
    assert {name: headers[at[0]].lower() for name, at in found.items()} == {
        name: name for name in ("email", "role", "groups", "status")
    }
