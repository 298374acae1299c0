"""What a valid cell is: cells of one table in, those that are none out, in words.

``plain`` passes what is plainly right, a whole column at a time; ``rules`` judges the rest with pandera. How cells are read
stands in ``text`` (what nobody sees, lists of groups), ``words`` (roles, states, yes and no, compared without case),
``addresses``, ``names`` and ``damage``.
"""

from contextlib import suppress
from importlib import import_module
from threading import Thread

from onboarding.schemas.addresses import PLAIN, fault, respelled, tidied, unusual
from onboarding.schemas.names import LONGEST, wrong_name
from onboarding.schemas.plain import plain
from onboarding.schemas.text import BLANKS, UNSEEN, clean, fold, label, names
from onboarding.schemas.words import (
    ADD,
    CLEAR,
    NO,
    NOTHING,
    REMOVE,
    ROLES,
    STANDINGS,
    YES,
    role_words,
)

__all__ = [
    "ADD",
    "BLANKS",
    "CLEAR",
    "LONGEST",
    "NO",
    "NOTHING",
    "PLAIN",
    "REMOVE",
    "ROLES",
    "STANDINGS",
    "UNSEEN",
    "YES",
    "clean",
    "fault",
    "fold",
    "label",
    "load_rules",
    "names",
    "plain",
    "respelled",
    "role_words",
    "tidied",
    "unusual",
    "wrong_name",
]


def load_rules() -> None:
    """Have the rules loaded while something else is done: pandera takes its time, and few large sheets are all plain.

    Where that can't be, nothing is said: whoever needs the rules loads them then, and is told what is wrong.
    """

    def load() -> None:
        with suppress(Exception):
            for name in ("onboarding.schemas.rules", "email_validator"):
                import_module(name)

    with suppress(RuntimeError):  # the system gives us no more threads
        Thread(target=load, daemon=True).start()
