"""Settings files and the environment come in: what they say and where it stands goes out, not yet judged.

Two files are known. The *settings file* (``--config``, else the user's own) may say everything in ``Settings``. An
``onboarding.toml`` in the working folder may say how to read sheets, and nothing else: it may have come with an upload.
A flag goes before the environment, that before a file, that before the default; the command line works this out,
and ``Origins`` remembers where each value came from.

``settings`` judges the values. That takes a library which is slow to import; which tenant is meant and where its lock
lies is known without it, and whoever finds it locked leaves at once. For the same reason, what not every start needs is
imported where it is needed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from onboarding.errors import UsageError

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

PATHS = ("api_key_file", "reports", "state")
TEXTS = {"tenant": "a text"} | dict.fromkeys(PATHS, "a path")
"""What has to be a text before anything is judged, in words; paths start from the folder of their file."""


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


@dataclass(frozen=True, slots=True)
class Known:
    """What was said, with where each value stands; nothing but its place and the texts of ``TEXTS`` is judged yet."""

    values: Mapping[str, Any]
    origins: Origins
    files: tuple[Known, ...] = ()
    """The files by themselves, as one may have said what another has overruled."""

    @property
    def tenant(self) -> str:
        """The tenant as it was written; empty where none was named."""
        return str(self.values.get("tenant", ""))

    @property
    def state(self) -> Path:
        """The state folder, as ``Settings`` has it."""
        named = self.values.get("state")
        if named:
            return Path(named).expanduser()
        import platformdirs

        return platformdirs.user_state_path("onboarding")

    def overruled(self, values: Mapping[str, Any], origins: Origins) -> Known:
        """Let what was said by hand go before the files."""
        return Known({**self.values, **values}, {**self.origins, **origins}, self.files)


def read_files(config: Path | None, folder: Path, *, uploaded: bool = False) -> Known:
    """Read the settings file (the user's own, unless one is named) and the folder's ``onboarding.toml``.

    ``uploaded``: the folder is an inbox, in which no link is followed.
    """
    main = config or _of_the_user()
    files = [_read(main.absolute(), trusted=True)] if config or main.exists() else []
    local = folder / "onboarding.toml"
    follow = not (uploaded and local.is_symlink())
    if follow and local.is_file() and not (main.exists() and local.samefile(main)):
        files.append(_read(local, trusted=False))

    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for file in files:
        for key, value in file.values.items():
            both = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = values[key] | value if both else value
        origins |= file.origins
    return Known(values, origins, tuple(files))


def _of_the_user() -> Path:
    import platformdirs

    return platformdirs.user_config_path("onboarding") / "config.toml"


def _read(path: Path, *, trusted: bool) -> Known:
    """Parse one file, and see that each of its values may stand there; errors name it."""
    import tomllib

    try:
        with path.open("rb") as file:
            if trusted:
                _only_ours_to_write(path, os.fstat(file.fileno()))
            values = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"the settings file {path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file {path} is not valid TOML: {error}") from None

    for key, value in values.items():
        _may_stand_here(path, key, trusted=trusted)
        if key in TEXTS and not isinstance(value, str):
            raise UsageError(f"{path}: {key}: write {TEXTS[key]} in quotes, not {value!r}")
        if key in PATHS:
            values[key] = str(path.parent / Path(value).expanduser())
    return Known(values, dict.fromkeys(values, Origin(Source.FILE, str(path))))


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
    if not trusted and key not in READING_ONLY and _is_setting(key):
        raise UsageError(
            f"{path}: {key} can't be set here. A file in the working folder may have come with an upload, so "
            f"it may set {', '.join(READING_ONLY)} only. Put {key} into your own settings file."
        )


def _is_setting(key: str) -> bool:
    """Whether there is such a setting at all; whoever judges the values tells of those that there are not."""
    from onboarding.config.settings import Settings

    return key in Settings.model_fields
