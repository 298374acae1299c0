"""Every spelling that is known, as data: our own fields, in several languages, and what stands in for them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What one row of a table speaks of."""

    USERS = "users"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"


ALIASES: Mapping[str, str] = {
    "email": """email | email 1 | e-mail address | mail | mail address | work email | work email address | work mail
        | email work | email address work | office email | primary email | primary email address | root.email
        | email primary work | primary work email | business email | business email address | company email
        | company email address | corporate email | corporate email address | user email | user email address
        | member email | member email address | employee email | employee email address | invitee email
        | email address to invite | member object id or user principal name
        | email adresse | mail adresse | dienst email | dienst mail | dienstliche email | dienstliche email adresse
        | email dienstlich | geschaftliche email | geschaftliche email adresse | email geschaftlich | firmen email
        | courriel | adresse email | adresse mail | adresse courriel | adresse electronique | email professionnel
        | adresse email professionnelle | courriel professionnel
        | correo | correo electronico | correo corporativo | correo de trabajo | correo electronico corporativo
        | correo electronico de trabajo | direccion de correo | direccion de correo electronico
        | email aziendale | indirizzo email | posta elettronica | emailadres | werk email | zakelijk emailadres
        | email corporativo | email profissional | endereco de email | correio eletronico""",
    "secondary_email": """home email | personal email | private email | second email | secondary email | recovery email
        | alternate email | alternate email address | alternative email | other email | other mails
        | home secondary email | work secondary email | old email | old email address | former email | previous email
        | previous email address | private email adresse | email privat | email personnel
        | email personal | email personale | email pessoal | correo personal | prive email | authentication email""",
    "first_name": """first name | given name | name.givenName | root.firstName | legal first name | preferred first name
        | forename | vorname | rufname | prénom | nombre | nombres | nome | primeiro nome | voornaam""",
    "last_name": """last name | surname | family name | name.familyName | root.surname | sn | legal last name
        | legal name last name | preferred last name | nachname | familienname | nom | nom de famille | apellido
        | apellidos | cognome | sobrenome | apelido | achternaam""",
    "full_name": """name | full name | name.fullName | display name | root.displayName | preferred name | employee name
        | employee | worker | worker name | last name, first name | preferred full name in local language 1
        | vollstandiger name | anzeigename | mitarbeiter | nom complet | nombre completo | nome completo
        | volledige naam | naam""",
    "username": """username | user name | login | login id | login name | samaccountname | cognito:username
        | preferred username | nickname | user principal name | upn | user name userPrincipalName | best email
        | benutzername | nom d'utilisateur | identifiant | nombre de usuario | nome utente | gebruikersnaam""",
    "external_id": """employee id | employee number | employee no | employee # | emp id | empl id | personnel number
        | staff id | external user id | external id | sourced id | integration id | id number | worker id | pernr
        | personalnummer | mitarbeiternummer | matricule | numero de empleado | matricola | personeelsnummer""",
    "role": """role | roles | workspace role | atlan role | role name | user role | rolle | rôle | rol | ruolo | papel""",
    "group": """group | group name | group alias | result group | team | team name | gruppe
        | gruppenname | groupe | nom du groupe | equipe | grupo | nombre del grupo | equipo | gruppo | nome del gruppo
        | nome do grupo | groep | groepsnaam""",
    "groups": """groups | group names | group memberships | teams | user groups | member of | gruppen | groupes | grupos
        | gruppi | groepen""",
    "group_id": """group id | group email""",
    "internal_name": """internal name | group internal name | interner name | nom interne | nombre interno
        | nome interno | interne naam""",
    "description": """description | group description | beschreibung | descripcion | descrizione | descricao
        | omschrijving | beschrijving""",
    "default": """default | default group | is default | standardgruppe | groupe par défaut | par défaut
        | predeterminado | grupo predeterminado | predefinito | padrao""",
    "status": """status | status code | employment status code | employee status code | state | active | active status | is active | worker active | worker status | account status
        | current status | employment status | employment state | employee status | employee state | hr status
        | person status | assignment status | lifecycle status | internal.lifecycleStatus | internal.status
        | new status | user status | user state | enabled | is enabled | login enabled | account enabled
        | enabled user | mitarbeiterstatus | beschaftigungsstatus | anstellungsstatus | aktiv | statut | etat
        | actif | estado | activo | estado del empleado | situacao | ativo | stato | attivo | actief""",
    "blocked": """block sign in | block credential | sign in blocked | blocked | suspended | deleted | disabled | inactive | deactivated | archived | locked
        | terminated | leaver | is blocked | is suspended | is deleted | is disabled | is inactive | is terminated
        | is leaver | is locked | account locked | account disabled | login disabled | left | has left
        | gesperrt | inaktiv | ausgeschieden | geloscht | inactif | inactivo | inattivo | inativo | inactief""",
    "action": """action | operation | change type | add/remove | add or remove | add remove | aktion | vorgang | accion
        | operacion | azione | operazione | acao | operacao | actie""",
    "department": """department | dept | business unit | division | supervisory organization | work.department
        | abteilung | bereich | departement | service | departamento | dipartimento | afdeling""",
    "cost_center": """cost center | cost centre | cost centers | cost center id | kostenstelle | centre de cout
        | centro de costos | centro de coste | centro di costo | centro de custo | kostenplaats""",
    "title": """title | job title | business title | position | designation | employee title | work.title
        | stelle | berufsbezeichnung | poste | intitule du poste | puesto | cargo | mansione | functie""",
    "manager": """manager | manager name | manager email | manager email address | manager work email | line manager
        | supervisor | supervisor email | supervisoreid | reports to | reporting to | work.reportsTo | manager id
        | manager employee id | vorgesetzter | vorgesetzte | fuhrungskraft | responsable | supervisore | gerente
        | leidinggevende""",
    "location": """site | office | location | work location | work.site | standort | buro | lieu | ubicacion | sede
        | locatie | nazione""",
    "start_date": """hire date | start date | started at | hired on | work.startDate | eintrittsdatum | eintritt
        | date d'embauche | date d'entree | fecha de ingreso | fecha de alta | data di assunzione | data de admissao
        | datum in dienst""",
    "end_date": """termination date | end date | date ended | end of employment | employment end date | last day
        | last day of work | last day worked | last working day | last date worked | contract end | contract end date
        | end of contract | exit date | leaving date | leaving on | date left | left on | departure date
        | separation date | resignation date | offboarding date | offboarded on | valid until | valid to | until
        | expires | expires on | expiry date | expiration date | account expires | account expiry | access until
        | austrittsdatum | austritt | kundigungsdatum | letzter arbeitstag | letzter tag | vertragsende | enddatum
        | gultig bis | bis | date de sortie | date de depart | date de fin | dernier jour | fin de contrat
        | fecha de baja | fecha de salida | fecha de fin | ultimo dia | fin de contrato | data di cessazione
        | data fine | data de desligamento | data de saida | datum uit dienst | einddatum | laatste werkdag""",
    "member_role": """member role""",
    "member_type": """member type""",
}
"""Canonical name -> spellings; case, accents, blanks and punctuation are ignored in them."""

GIVEN_AS: Mapping[str, str] = {"group": "result_group"}
"""Field -> the header under which our files say what was said of it outside of a table (``--group``)."""

READ_AS: Mapping[Kind, str] = {kind: f"result_as_{kind}" for kind in Kind}
"""Kind -> the header by which our files say that a table was read as this because somebody said so (``--kind``)."""

STAND_INS: Mapping[str, tuple[str, ...]] = {
    "email": (
        "userprincipalname",
        "usernameuserprincipalname",
        "upn",
        "bestemail",
        "loginid",
        "login",
    ),
    "role": ("usertype", "permissionlevel", "licensetype", "adminroles"),
    "group": ("groupid", "groupemail"),
}
"""Field -> normalised headers that stand in for it, the first first, where nothing better is there."""

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
        "member_type",
        "person_id",
        "group_id",
        "group_state",
    }
)
"""Fields that are recognised and go no further than the report: nothing of them reaches the tenant."""

DECIDING = frozenset(
    {"action", "status", "blocked", "role", "group", "groups", "internal_name", "email"}
)
"""Fields whose absence changes what a row asks for: a header that misses one of them by a slip refuses its table."""

INNOCENT = frozenset({"auction", "estate", "statute", "steam"})
"""Words one slip away from such a field that are words of their own."""
