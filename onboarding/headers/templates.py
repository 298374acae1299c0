"""The tables of other systems, as data: by what they are known, and which of their columns mean what to us.

Only what would mislead needs to stand here: a header whose plain spelling means the right thing is in ``known``. What
the systems print is public; where a system lets its users name the columns, these are the names that it begins with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.headers.known import Kind

_LEAVERS = "give leavers a status column in a users table instead"
_ACCOUNTS = f"it is a list of accounts to delete; {_LEAVERS}"


@dataclass(frozen=True, slots=True)
class Template:
    """A table of another system, known by some of its headers."""

    name: str
    """As in "looks like a ... table"."""
    signatures: tuple[frozenset[str], ...]
    """Normalised headers (or what stands in their brackets); all of one signature must be there."""
    fields: Mapping[str, str]
    """Normalised header -> canonical name; empty: not ours, whatever it looks like. ``#`` ends what is numbered."""
    kind: Kind | None = None
    refusal: str = ""
    """Why such a table is not read."""
    passed_over: str = ""
    """Why such a table is left aside without stopping the job: it comes in one file with others."""
    alone: bool = False
    """Whether the signature must be all the headers there are."""
    shared: frozenset[str] = frozenset()
    """Fields that several of its columns say together."""


def _template(
    name: str,
    signatures: str,
    fields: str = "",
    kind: Kind | None = None,
    *,
    refusal: str = "",
    passed_over: str = "",
    alone: bool = False,
    shared: str = "",
) -> Template:
    """Make a template of lists of words: ``|`` parts signatures, ``=`` a header from its field."""
    return Template(
        name,
        tuple(frozenset(words.split()) for words in signatures.split("|")),
        {header: name for header, _, name in (pair.partition("=") for pair in fields.split())},
        kind,
        refusal,
        passed_over,
        alone,
        frozenset(shared.split()),
    )


_ENTRA = (
    "userprincipalname=email displayname=full_name givenname=first_name surname=last_name "
    "accountenabled=blocked jobtitle=title department=department state= stateorprovince= username=email"
)

TEMPLATES = (
    # ---- Atlan ---------------------------------------------------------------------------------------------------
    _template(
        "Atlan Admin Export users",
        "username emailaddress licensetype | username emailaddress groups lastlogin",
        "licensetype=role groupnames= designation=title",  # Groups holds internal names, one a line
        Kind.USERS,
    ),
    _template("Atlan Admin Export groups", "groupname internalname numberofusers", "", Kind.GROUPS),
    _template(
        "Atlan Admin Export personas",
        "personaname",
        passed_over="it holds personas, which sheets don't change",
    ),
    _template(
        "Atlan Admin Export purposes",
        "purposename",
        passed_over="it holds purposes, which sheets don't change",
    ),
    # ---- Google --------------------------------------------------------------------------------------------------
    _template(
        "Google Workspace users",
        "emailaddress orgunitpath firstname",
        "newprimaryemail=secondary_email newstatus=status status=status",
        Kind.USERS,
        shared="status",
    ),
    _template("Google Groups members", "groupemail memberemail groupname", "groupemail= role="),
    _template("Google Groups members", "groupemail memberemail", "role=member_role"),
    _template(
        "Google Groups member export",
        "emailaddress groupstatus emailstatus | emailaddress nickname groupstatus",
        "groupstatus=member_role emailstatus= nickname=",
        Kind.MEMBERSHIPS,
    ),
    _template("Google Groups list", "groupemail groupname", "groupemail=", Kind.GROUPS),
    _template(
        "GAM group members",
        "group email role type",
        "role=member_role type=member_type status= id=",
        Kind.MEMBERSHIPS,
    ),
    _template(
        "GAM group members",
        "group email role action message",
        "role=member_role message=",
        Kind.MEMBERSHIPS,
    ),
    _template("GAM groups", "email name directmemberscount", "email= name=group", Kind.GROUPS),
    _template(
        "GAM users",
        "primaryemail namegivenname | primaryemail orgunitpath",
        "suspended=blocked archived=blocked",
        Kind.USERS,
        shared="blocked",
    ),
    # ---- Microsoft -----------------------------------------------------------------------------------------------
    _template(
        "Microsoft Entra bulk create",
        "userprincipalname passwordprofile",
        _ENTRA,
        Kind.USERS,
    ),
    _template(
        "Microsoft Entra bulk invite",
        "inviteeemail inviteredirecturl",
        "inviteeemail=email sendemail= customizedmessagebody=",
        Kind.USERS,
    ),
    _template("Microsoft Entra bulk delete", "userprincipalname", refusal=_ACCOUNTS, alone=True),
    _template(
        "Microsoft Entra bulk restore",
        "objectid",
        refusal="it is a list of ids of deleted accounts; bring them back in Entra",
        alone=True,
    ),
    _template(
        "Microsoft Entra group members",
        "memberobjectidorupn",
        "memberobjectidorupn=email",
        Kind.MEMBERSHIPS,
    ),
    _template(
        "Microsoft Entra group member download",
        "userprincipalname objecttype usertype | userprincipalname isguest isgroup",
        "usertype= objecttype=member_type id= accountenabled=",
        Kind.MEMBERSHIPS,
    ),
    _template(
        "Microsoft Entra user download",
        "userprincipalname usertype | userprincipalname accountenabled | mail displayname usertype",
        "usertype= state= objectid= id=",
        Kind.USERS,
    ),
    _template(
        "Microsoft Entra group download",
        "displayname grouptype membershiptype | displayname securityenabled mailenabled",
        "displayname=group mail= id=",
        Kind.GROUPS,
    ),
    # ---- other directories -----------------------------------------------------------------------------------------
    _template(
        "Okta users",
        "login email secondemail | login firstname lastname email",
        "login=username usertype= state= nickname= organization=",
        Kind.USERS,
    ),
    _template("Auth0 users", "email emailverified userid", "nickname=", Kind.USERS),
    _template("Cognito users", "cognito:username email", "nickname=", Kind.USERS),
    _template(
        "Adobe Admin Console users",
        "identitytype usergroups adminroles",
        "adminroles= usergroupsadministered=",
        Kind.USERS,
    ),
    _template(
        "Adobe User Sync users", "firstname lastname email country groups type", "", Kind.USERS
    ),
    _template(
        "Adobe remove list",
        "type username domain | identitytype username domain",
        refusal=f"it is a list of accounts to remove; {_LEAVERS}",
        alone=True,
    ),
    # ---- HR systems ------------------------------------------------------------------------------------------------
    _template(
        "BambooHR employees",
        "workemail employmentstatus status | bestemail employmentstatus status",
        "employmentstatus=",  # how much somebody works, not whether
        Kind.USERS,
    ),
    _template(
        "BambooHR employees",
        "employee# workemail | employee# status | employeenumber workemail status | supervisoreid workemail",
        "",
        Kind.USERS,
    ),
    _template(
        "Rippling employees",
        "workemail employmentstatus employeename | workemail employmentstatus legalfirstname"
        "| workemail managerworkemail",
        "employmenttype=",
        Kind.USERS,
    ),
    _template(
        "Workday workers",
        "employeeid emailprimarywork | employeeid primaryworkemail | worker primaryworkemail | worker emailprimarywork"
        "| username primaryworkemail | legalnamelastname emailprimarywork | workeractive employeeid",
        "",
        Kind.USERS,
        shared="status",
    ),
    _template(
        "HiBob people",
        "email site reportsto | email displayname reportsto | email lifecyclestatus | rootfirstname rootemail"
        "| employeeidincompany email",
        "employeeidincompany=external_id reportstoidincompany=manager",
        Kind.USERS,
        shared="status",
    ),
    _template(
        "Personio employees",
        "firstname lastname email subcompany | firstname lastname email weeklyworkinghours"
        "| id firstname lastname email gender status | firstname lastname email supervisor position",
        "team= id=external_id",  # a part of the company, not a group of the tenant
        Kind.USERS,
    ),
    _template(
        "Personio employees",
        "vorname nachname email vorgesetzter | vorname nachname email vorgesetzte"
        "| vorname nachname email kostenstelle | vorname nachname email wochenarbeitszeit",
        "team= id=external_id",
        Kind.USERS,
    ),
    _template(
        "Lattice employees",
        "externaluserid email | preferredname email manageremail startdate",
        "externaluserid=external_id",
        Kind.USERS,
    ),
    _template("PeopleForce employees", "employeeid hiredon email", "", Kind.USERS),
    # ---- schools ---------------------------------------------------------------------------------------------------
    _template(
        "OneRoster users",
        "sourcedid orgsourcedids role email | sourcedid enableduser email",
        "role= identifier=",
        Kind.USERS,
        shared="status",  # a person who is there may still be switched off
    ),
    _template(
        "Moodle users",
        "username email course1 | username email cohort1 | username email mnethostid | username email auth"
        "| username email sysrole1 | username email oldusername",
        "oldusername= course#= type#=member_role role#=member_role sysrole#= enrolstatus#= deleted=blocked",
        Kind.USERS,
        shared="blocked",
    ),
    _template(
        "Canvas users",
        "userid loginid email",
        "userid=person_id loginid=username canvasuserid= integrationid=external_id",
        Kind.USERS,
    ),
    _template(
        "Canvas group roster",
        "canvasuserid loginid groupname",
        "loginid=email groupname=group userid= groupid= canvasgroupid= canvasuserid=",
        Kind.MEMBERSHIPS,
    ),
    _template(
        "Canvas groups",
        "groupid accountid name | groupid groupcategoryid name | groupid courseid name",
        "groupid=group_id name=group status=group_state accountid= canvasgroupid=",
        Kind.GROUPS,
    ),
    _template(
        "Canvas group memberships",
        "groupid userid status",
        "groupid=group_id userid=person_id status=action canvasgroupid= canvasuserid=",
        Kind.MEMBERSHIPS,
    ),
)
"""What comes first wins where two fit."""
