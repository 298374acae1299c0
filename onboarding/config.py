"""Settings files and the environment come in, frozen values go out; no room below reads either of them.

Two files are known. The *settings file* (``--config``, else the user's own) may say everything in ``Settings``. An
``onboarding.toml`` in the working folder may say how to read sheets, and nothing else: it may have come with an upload.
A flag goes before the environment, that before a file, that before the default; the command line works this out,
and ``Origins`` remembers where each value came from.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from onboarding.errors import UsageError
from onboarding.model import Role
from onboarding.safety import Limit

READING_ONLY = ("columns", "role_aliases", "encoding", "delimiter", "files")
"""What an ``onboarding.toml`` in the working folder may set."""

BY_HAND_ONLY = ("accept", "allow_admins", "allow_default", "reinvite", "authoritative")
"""What only a person at the command line may say, each time anew."""

KEYS = (
    "api_key",
    "token",
    "client_id",
    "client_secret",
    "oauth_client_id",
    "oauth_client_secret",
)
"""What people try to write into a settings file, and must not."""

DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class Source(StrEnum):
    """The kinds of places that a setting may come from."""

    FLAG = "command line"
    ENVIRONMENT = "environment"
    FILE = "settings file"
    DEFAULT = "default"


class Origin(NamedTuple):
    """Where a setting came from, and by what name it can be found there."""

    source: Source
    name: str
    """``--tenant``, ``ATLAN_BASE_URL``, the path of a file."""

    def __str__(self) -> str:
        return self.name


Origins = Mapping[str, Origin]
"""Setting -> where it came from."""


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


@dataclass(frozen=True, slots=True)
class Known:
    """What the files say, with where each value stands."""

    values: Mapping[str, Any]
    origins: Origins


def read_files(config: Path | None, folder: Path, *, uploaded: bool = False) -> Known:
    """Read the settings file (the user's own, unless one is named) and the folder's ``onboarding.toml``.

    ``uploaded``: the folder is an inbox, in which no link is followed.
    """
    main = config or platformdirs.user_config_path("onboarding") / "config.toml"
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    if config or main.exists():
        main = main.absolute()
        values = _read(main, trusted=True)
        origins = dict.fromkeys(values, Origin(Source.FILE, str(main)))

    local = folder / "onboarding.toml"
    follow = not (uploaded and local.is_symlink())
    if follow and local.is_file() and not (main.exists() and local.samefile(main)):
        reading = _read(local, trusted=False)
        for key, value in reading.items():
            both = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = values[key] | value if both else value
            origins[key] = Origin(Source.FILE, str(local))
    return Known(values, origins)


def _read(path: Path, *, trusted: bool) -> dict[str, Any]:
    """Parse and check one file; its errors name it."""
    try:
        with path.open("rb") as file:
            if trusted:
                _only_ours_to_write(path, os.fstat(file.fileno()))
            values = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"the settings file {path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file {path} is not valid TOML: {error}") from None

    for key in values:
        _may_stand_here(path, key, trusted=trusted)
    settle(values, dict.fromkeys(values, Origin(Source.FILE, str(path))))
    return {key: _from_folder(key, value, path.parent) for key, value in values.items()}


def _only_ours_to_write(path: Path, facts: os.stat_result) -> None:
    if facts.st_uid not in (os.geteuid(), 0):
        raise UsageError(
            f"the settings file {path} belongs to somebody else, who could send your key elsewhere. "
            "Make a copy of your own and name it with --config."
        )
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"the settings file {path} can be written by others, who could send your key elsewhere. "
            f"Run: chmod go-w {path}"
        )


def _may_stand_here(path: Path, key: str, *, trusted: bool) -> None:
    if key in BY_HAND_ONLY:
        raise UsageError(
            f"{path}: {key} can't be set in a file; "
            f"a person decides it each time, with --{key.replace('_', '-')}"
        )
    if key in KEYS:
        raise UsageError(
            f"{path}: {key} is a secret and can't stand in a settings file; put the API key into a file "
            "of its own (mode 0600) and name that as api_key_file"
        )
    if not trusted and key in Settings.model_fields and key not in READING_ONLY:
        raise UsageError(
            f"{path}: {key} can't be set here. A file in the working folder may have come with an upload, so "
            f"it may set {', '.join(READING_ONLY)} only. Put {key} into your own settings file."
        )


def _from_folder(key: str, value: Any, folder: Path) -> Any:
    """Let the paths of a file start from its folder, wherever the command is run."""
    return (
        str(folder / Path(value).expanduser())
        if key in ("api_key_file", "reports", "state")
        else value
    )


def settle(values: Mapping[str, Any], origins: Origins) -> Settings:
    """Make the settings of values; an error says which, from where, and what is wrong with it."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        complaints = [_complaint(complaint, origins) for complaint in error.errors()]
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
