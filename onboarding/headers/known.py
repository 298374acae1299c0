"""Every header that is known, as data: our fields' spellings, stand-ins, and the tables of other systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What one row of a table speaks of."""

    USERS = "users"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"


@dataclass(frozen=True, slots=True)
class Template:
    """A table of another system, known by some of its headers."""

    name: str
    signature: frozenset[str]
    """Normalised headers (or what stands in their brackets) that must all be there."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Normalised header -> canonical name; empty: not ours, whatever it looks like."""
    kind: Kind | None = None
    refusal: str = ""
    """Why such a table is not read."""
    alone: bool = False
    """Whether the signature must be all the headers there are."""
    shared: frozenset[str] = frozenset()
    """Fields that several of its columns say together."""


ALIASES: Mapping[str, str] = {
    "email": """email | e-mail address | mail | mail address | work email | work email address | work mail
        | primary email | root.email | email primary work | primary work email | business email | company email
        | corporate email | email (work) | user email | user email address | member email | invitee email
        | email address to invite | correo | correo electronico | courriel | adresse email | adresse mail
        | email adresse | mail adresse | dienstliche email | geschaftliche email | email aziendale
        | posta elettronica | emailadres""",
    "secondary_email": """home email | personal email | private email | second email | secondary email
        | recovery email | alternate email | alternative email | other email | home secondary email
        | work secondary email | private email adresse | email personnel | email personal""",
    "first_name": """first name | given name | name.givenName | root.firstName | legal first name | preferred first name | forename
        | vorname | prénom | nombre""",
    "last_name": """last name | surname | family name | name.familyName | root.surname | sn | legal last name
        | legal name last name | nachname | nom de famille | apellido | apellidos | cognome""",
    "full_name": """name | full name | name.fullName | display name | preferred name | employee name | worker
        | worker name | last name, first name | nom | nombre completo""",
    "username": """username | user name | login | login id | login name | samaccountname | cognito:username
        | preferred username | nickname | user principal name | upn | user name userPrincipalName | best email
        | benutzername""",
    "external_id": """employee id | employee number | employee # | empl id | personnel number | external user id
        | external id | sourced id | integration id | id number | worker id | pernr | personalnummer""",
    "role": """role | roles | workspace role | atlan role | role name | user role | rolle | rôle | rol | ruolo""",
    "group": """group | group name | group id | group email | group alias | team | team name | gruppe
        | gruppenname | groupe | nom du groupe | grupo | nombre del grupo | gruppo""",
    "groups": """groups | group names | teams | user groups | member of | gruppen | groupes | grupos | gruppi""",
    "internal_name": """internal name | group internal name | interner name | nom interne | nombre interno""",
    "description": """description | group description | beschreibung | descripcion | descrizione""",
    "default": """default | default group | is default | standardgruppe | groupe par défaut""",
    "status": """status | state | active | active status | worker active | employment status | employee status
        | lifecycle status | new status | user status | enabled | is enabled | is active
        | account enabled | enabled user | statut | stato""",
    "blocked": """block sign in | blocked | suspended | deleted | disabled | inactive | deactivated | archived | is blocked
        | is suspended | is deleted | is disabled | is inactive""",
    "action": """action | operation | aktion | accion | azione""",
    "department": """department | dept | business unit | division | abteilung | departement | departamento""",
    "cost_center": """cost center | cost centre | cost centers | kostenstelle""",
    "title": """title | job title | business title | position | designation | employee title""",
    "manager": """manager | manager email | manager email address | manager work email | supervisor | reports to
        | reporting to | manager id | vorgesetzter""",
    "location": """site | office | location | work location | standort""",
    "start_date": """hire date | start date | started at | hired on | eintrittsdatum""",
    "end_date": """termination date | end date | last day of work | austrittsdatum""",
    "member_role": """member role | member type""",
}
"""Canonical name -> spellings; case, accents, blanks and punctuation are ignored in them."""

STAND_INS: Mapping[str, tuple[str, ...]] = {
    "email": (
        "userprincipalname",
        "usernameuserprincipalname",
        "upn",
        "bestemail",
        "loginid",
        "login",
    ),
    "role": ("usertype", "permissionlevel"),
}
"""Field -> normalised headers that stand in for it, the first first, where nothing better is there."""

TEMPLATES = (
    Template(
        "Google Workspace users",
        frozenset({"emailaddress", "orgunitpath", "firstname"}),
        {"newprimaryemail": ""},
        Kind.USERS,
    ),
    Template("Google Groups members", frozenset({"groupemail", "memberemail"}), {"role": ""}),
    Template(
        "Microsoft Entra bulk create",
        frozenset({"userprincipalname", "passwordprofile"}),
        {"username": "email", "usernameuserprincipalname": "email", "stateorprovince": ""},
        Kind.USERS,
    ),
    Template(
        "Microsoft Entra bulk invite",
        frozenset({"inviteeemail", "inviteredirecturl"}),
        kind=Kind.USERS,
    ),
    Template(
        "Microsoft Entra bulk delete",
        frozenset({"userprincipalname"}),
        refusal="it is a list of accounts to delete; give leavers a status column in a users table instead",
        alone=True,
    ),
    Template(
        "Microsoft Entra group members",
        frozenset({"memberobjectidorupn"}),
        refusal="it does not say which group it is about; add a column group",
        alone=True,
    ),
    Template(
        "Okta users",
        frozenset({"login", "email", "secondemail"}),
        {"login": "username", "usertype": "", "state": ""},
        Kind.USERS,
    ),
    Template(
        "BambooHR employees",
        frozenset({"workemail", "employmentstatus", "status"}),
        {"employmentstatus": ""},  # how much somebody works, not whether
        Kind.USERS,
    ),
    Template(
        "OneRoster users",
        frozenset({"sourcedid", "orgsourcedids", "role", "email"}),
        {"role": ""},
        Kind.USERS,
        shared=frozenset({"status"}),  # a person who is there may still be switched off
    ),
    Template(
        "Adobe Admin Console users",
        frozenset({"identitytype", "usergroups", "adminroles"}),
        {"adminroles": ""},
        Kind.USERS,
    ),
    Template(
        "Adobe remove list",
        frozenset({"type", "username", "domain"}),
        refusal="it is a list of accounts to remove; give leavers a status column in a users table instead",
        alone=True,
    ),
    Template(
        "Canvas groups",
        frozenset({"groupid", "accountid", "name", "status"}),
        refusal="its groups go by Canvas ids, and some may be deleted; give a table with a column group instead",
    ),
    Template(
        "Canvas group memberships",
        frozenset({"groupid", "userid", "status"}),
        refusal="it names people by Canvas ids; add a column email",
        alone=True,
    ),
)
"""Tables of other systems whose headers would mislead without knowing where they come from."""

CARRIED = frozenset(
    {
        "first_name",
        "last_name",
        "full_name",
        "external_id",
        "department",
        "cost_center",
        "title",
        "manager",
        "location",
        "start_date",
        "end_date",
        "member_role",
    }
)
"""Fields that are recognised and go no further than the report: nothing of them reaches the tenant."""
