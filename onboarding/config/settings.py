"""What is known of settings comes in, frozen and judged values go out; no room below reads files or the environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from onboarding.config import Known, Origin, Origins, Source
from onboarding.errors import UsageError
from onboarding.model import Role
from onboarding.safety import Limit

DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _limit(value: object) -> Limit:
    try:
        return Limit.parse(str(value))
    except ValueError:
        raise ValueError("write a number or a percentage, such as 20 or 10%") from None


def _role(value: object) -> Role:
    for role in Role:
        if str(value).strip().casefold() in (role.value, role.label.casefold()):
            return role
    raise ValueError("write Guest, Member or Admin")


def _not_admin(role: Role) -> Role:
    if role is Role.ADMIN:
        raise ValueError("nobody becomes Admin by default; write Guest or Member")
    return role


def _domains(values: frozenset[str]) -> frozenset[str]:
    domains = frozenset(value.strip().lower() for value in values)
    for domain in sorted(domains):
        if not DOMAIN.fullmatch(domain):
            raise ValueError(f"{domain!r} is no domain; write it like acme.example, in plain ASCII")
    return domains


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1:
        raise ValueError("write one character, or tab")
    return text


def _folder(path: Path) -> Path:
    return path.expanduser()


AnyLimit = Annotated[Limit, BeforeValidator(_limit)]
AnyRole = Annotated[Role, BeforeValidator(_role)]
Place = Annotated[Path, AfterValidator(_folder)]
Flag = Annotated[bool, Field(strict=True)]


def _whole(least: int, most: int, default: int, description: str) -> Any:
    return Field(default, strict=True, ge=least, le=most, description=description)


class InputSettings(BaseModel):
    """How to read the files of one name, or of a pattern of names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = None
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    final_line_break: Flag | None = None
    """False: the program that writes it ends no file with a line break, so a missing one says nothing."""


class ReportSettings(BaseModel):
    """What reports hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] | None = None


class Settings(BaseModel):
    """Everything that can be set, by the names of the settings file.

    Paths in a settings file start from its folder. Limits are ``N`` people, memberships or rows, or ``N%`` of those that
    there are; the larger counts where both apply.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str = Field(
        "", description="Address of the tenant, or `sandbox` (`sandbox:FILE`) for the embedded one."
    )
    api_key_file: Place | None = Field(
        None,
        description="File with the API key of this tenant, readable by nobody else (mode 0600).",
    )
    reports: Place = Field(
        Path("onboarding-reports"), description="Where each run makes a folder for its reports."
    )
    keep_runs: int | None = Field(
        None,
        strict=True,
        ge=1,
        description="How many run folders of a tenant are kept in `reports`; by default all. One with a plan to be "
        "decided on, or with work of yours in it, is never removed.",
    )
    state: Place = Field(
        default_factory=lambda: platformdirs.user_state_path("onboarding"),
        description="What outlives runs: lock, open intents, ledger of invitations.",
    )
    kind: Literal["users", "groups", "memberships"] | None = Field(
        None, description="What the tables are, where their headers don't say it clearly."
    )
    encoding: str | None = Field(
        None, description="Encoding of text files; by default known from content."
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = Field(
        None, description="One character, or `tab`; by default known from content."
    )
    files: Mapping[str, InputSettings] = Field(
        default_factory=dict,
        description="`encoding`, `delimiter` and `final_line_break` of the files of one name, such as "
        '`[files."hr-*.csv"]`; before what is set for all, behind a flag.',
    )
    columns: Mapping[str, str] = Field(
        default_factory=dict,
        description='A header of your sheets = the field it means, such as `Mailadresse = "email"`.',
    )
    role_aliases: Mapping[str, AnyRole] = Field(
        default_factory=dict,
        description="A word in the role column = Guest, Member or Admin.",
    )
    default_role: Annotated[Role, BeforeValidator(_role), AfterValidator(_not_admin)] | None = (
        Field(None, description="Role of new people whose role cell is empty; without it Guest.")
    )
    allowed_domains: Annotated[frozenset[str], AfterValidator(_domains)] = Field(
        frozenset(), description="The only domains whose addresses are accepted; empty: all."
    )
    sso_groups: frozenset[str] = Field(
        frozenset(),
        description="Groups whose members single sign-on keeps, by their names or internal names; nobody is taken out for absence.",
    )
    report: ReportSettings = Field(
        default_factory=ReportSettings,
        description="`columns`: the headers of your sheets that reports carry along, beside those that decide "
        "something; by default all.",
    )
    leavers: Literal["ignore", "revoke"] = Field(
        "ignore",
        description="`revoke`: whoever has left also loses all groups that are no default groups.",
    )
    create_groups: Flag = Field(
        False, description="Create a group that a row grants and nobody knows, instead of refusing."
    )
    no_invite: Flag = Field(
        False, description="Invite nobody; new people are left for a later run."
    )
    max_invitations: AnyLimit | None = Field(
        None, description="Limit of invitations in one run; by default 50 or 10%."
    )
    max_demotions: AnyLimit | None = Field(
        None, description="Limit of roles lowered in one run; by default 5 or 5%."
    )
    max_removals: AnyLimit | None = Field(
        None, description="Limit of memberships revoked in one run; by default 10 or 10%."
    )
    max_rejected: AnyLimit | None = Field(
        None, description="Limit of rejected rows; by default 20 or 20%."
    )
    batch_size: int = _whole(1, 200, 20, "Invitations in one call; a larger doubt if it times out.")
    workers: int = _whole(1, 16, 4, "Calls that may be under way at the same time.")
    rate: int = _whole(
        1,
        1800,
        300,
        "Calls a minute, a sixth of them at once. Atlan blocks a tenant for a minute above 400.",
    )
    wait: int = _whole(
        60,
        86_400,
        900,
        "Seconds until an unanswered invitation that never showed counts as not done.",
    )


def settle(known: Known) -> Settings:
    """Make the settings of what is known; an error says which, from where, and what is wrong with it.

    What a file says wrongly is an error even where something goes before it.
    """
    for file in known.files:
        settle(file)
    try:
        return Settings.model_validate(dict(known.values))
    except ValidationError as error:
        complaints = [_complaint(complaint, known.origins) for complaint in error.errors()]
        raise UsageError("\n".join(complaints)) from None


def _complaint(complaint: Any, origins: Origins) -> str:
    key, *inner = (str(part) for part in complaint["loc"])
    origin = origins.get(key, Origin(Source.DEFAULT, "settings"))
    where = f"{origin}: {'.'.join((key, *inner))}" if origin.source is Source.FILE else f"{origin}"
    if complaint["type"] == "extra_forbidden":
        known = _INSIDE[key] if inner else Settings
        near = difflib.get_close_matches((key, *inner)[-1], known.model_fields, 1)
        return f"{where}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
    message = complaint["msg"].removeprefix("Value error, ")
    if wanted := _WANTED.get(complaint["type"]):
        message = f"write {wanted.format(**complaint.get('ctx', {}))}"
    value = complaint["input"]
    return f"{where}: {message}" + ("" if isinstance(value, list | dict) else f", not {value!r}")


_INSIDE: Mapping[str, type[BaseModel]] = {"files": InputSettings, "report": ReportSettings}
_LIST = 'a list, such as ["one", "two"]'
_TABLE = "a table, with a line for each of its names"
_WANTED = {
    "bool_type": "true or false",
    "dict_type": _TABLE,
    "frozen_set_type": _LIST,
    "greater_than_equal": "{ge} or more",
    "int_type": "a whole number",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
    "mapping_type": _TABLE,
    "model_type": _TABLE,
    "path_type": "a path in quotes",
    "string_type": "a text in quotes",
    "tuple_type": _LIST,
}
"""What to write in place of a value that pydantic refuses in words of its own, by the kind of its complaint."""
