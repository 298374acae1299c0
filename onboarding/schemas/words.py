"""The words that cells may hold: for roles, standings, yes and no, adding and removing. All are folded (``text.fold``)."""

from __future__ import annotations

from collections.abc import Mapping

from onboarding.errors import UsageError
from onboarding.model import Role, Standing
from onboarding.schemas.text import fold


def words(text: str) -> frozenset[str]:
    """Give the words of a list that is written with bars."""
    return frozenset(fold(word) for word in text.split("|"))


_ROLE_WORDS: Mapping[Role, frozenset[str]] = {
    Role.GUEST: words("guest | gast | invité | invitado | ospite | convidado"),
    Role.MEMBER: words("member | mitglied | membre | miembro | membro | lid"),
    Role.ADMIN: words("admin"),  # nothing that only resembles it
}
ROLES: Mapping[str, Role] = {
    spelling: role
    for role, spellings in _ROLE_WORDS.items()
    for spelling in (role.value, *spellings)
}
CLEAR = "(clear)"
"""What a description cell says to be emptied; a blank one leaves the description as it is."""
NOTHING = words(
    "n/a | n.a. | none | (none) | null | <null> | nil | nan | - | -- | — | – | keine | aucun | tbd | tba"
)
"""What programs and people write into a cell instead of leaving it blank. ``NA`` is not one: North America is a group."""
YES = words(
    "yes | y | true | t | 1 | x | on | ja | j | wahr | oui | vrai | si | sí | sì | verdadero | sim | vero | tak | waar"
)
NO = words(
    "no | n | false | f | 0 | off | nein | falsch | non | faux | falso | não | nee | nie | onwaar"
)
ADD = words(
    "add | added | grant | join | invite | hinzufügen | ajouter | añadir | accepted | available | active"
)
REMOVE = words(
    "remove | removed | revoke | delete | deleted | leave | entfernen | retirer | supprimer | eliminar"
)
_LETTERS = words("t | f | x")
"""Letters that are a yes or no elsewhere: as a status T may well be terminated."""
_WORDS_OF: Mapping[Standing, frozenset[str]] = {
    Standing.ACTIVE: YES - _LETTERS
    | words(
        "active | activated | enabled | current | employed | available | aktiv | actif | activo | attivo | ativo | actief"
        "| invited | pending acceptance | provisioned | password expired | recovery | locked out"
        "| full time | part time | permanent | fixed term | temporary | contractor | intern | apprentice"
    ),
    Standing.LEAVER: NO - _LETTERS
    | words(
        "inactive | terminated | deactivated | disabled | suspended | deceased | leaver | left | resigned"
        "| retired | offboarded | deprovisioned | archived | former | ended | deleted | tobedeleted | blocked | dismissed"
        "| ausgeschieden | inaktiv | ausgetreten | gekündigt | entlassen | deaktiviert | gesperrt | inactif | parti"
        "| inactivo | inactiva | baja | desactivado | desligado | demitido | inativo | cessato | inattivo | uit dienst"
    ),
    Standing.ON_LEAVE: words(
        "on leave | onleave | leave | leave of absence | parental leave | maternity leave | sabbatical"
        "| garden leave | beurlaubt | abwesend | elternzeit | en congé | de permiso"
    ),
    Standing.NOT_STARTED: words(
        "not started | hired | accepted | offer accepted | pre-hire | prehire | prestart | future hire"
        "| starting soon | onboarding | preboarding | pending hire | accepted offer | staged | noch nicht gestartet"
        "| noch nicht eingetreten"
    ),
}
STANDINGS = {word: standing for standing, listed in _WORDS_OF.items() for word in listed}
"""Word of a status cell -> what it says. An inverted column (``Block sign in``) is turned round before."""


def role_words(aliases: Mapping[str, str]) -> dict[str, Role]:
    """Give every word for a role: our own, and the aliases of the settings."""
    known = dict(ROLES)
    for alias, name in aliases.items():
        if fold(name) not in ROLES:
            raise UsageError(
                f'role_aliases maps "{alias}" to "{name}", which is none of Guest, Member and Admin'
            )
        known[fold(alias)] = ROLES[fold(name)]
    return known
