"""Bulk onboarding of people, groups and memberships from spreadsheets to an Atlan tenant.

The public names are these; whatever else the rooms hold may change. Each is imported when it is first asked for, so
that ``import onboarding`` loads nothing heavy::

    from onboarding import Job, Unattended, validate

    report = validate(Job(inputs=("people.csv",)), Unattended())
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "onboarding.pipeline": ("apply_saved", "export", "run", "validate"),
    "onboarding.job": ("Job", "Prospect", "Report", "Unattended", "Voice"),
    "onboarding.intake": ("Rules",),
    "onboarding.sheets": ("Reading",),
    "onboarding.safety": ("Limits", "Permissions"),
    "onboarding.reconcile": ("Wishes",),
    "onboarding.atlan": ("Atlan",),
    "onboarding.transport": ("Transport",),
    "onboarding.auth": ("ApiKey",),
    "onboarding.errors": ("OnboardingError",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    """Import a public name from its room."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
