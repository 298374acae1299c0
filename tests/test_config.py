"""Settings: files, their owners, their keys, and what an error says."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from onboarding.cli import cli
from onboarding.cli.options import Option, Page
from onboarding.config import BY_HAND_ONLY, READING_ONLY, Known, Origin, Source, read_files
from onboarding.config.settings import InputSettings, Settings, settle
from onboarding.errors import UsageError
from onboarding.model import Role
from onboarding.safety import Limit


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person without any settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(config: Path | None, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        settle(read_files(config, folder))
    return str(caught.value)


def test_without_any_file_nothing_is_known(home: Path) -> None:
    assert read_files(None, home) == Known({}, {})


def test_a_named_file_says_its_values_and_where_they_stand(home: Path) -> None:
    path = write(home / "acme.toml", 'tenant = "https://acme.atlan.com"\nworkers = 2\n')
    here = Origin(Source.FILE, str(path))
    file = Known(
        {"tenant": "https://acme.atlan.com", "workers": 2}, {"tenant": here, "workers": here}
    )
    assert read_files(path, home) == Known(file.values, file.origins, (file,))


def test_reports_carry_all_columns_along_unless_some_are_named(home: Path) -> None:
    path = write(home / "acme.toml", '[report]\ncolumns = ["Desk"]\n')
    known = read_files(path, home)
    assert settle(known).report.columns == ("Desk",)
    assert settle(Known({}, {})).report.columns is None
    write(path, '[report]\ncolums = ["Desk"]\n')
    assert "report.colums" in refusal(path, home)


def test_without_a_named_file_the_users_own_is_read(home: Path) -> None:
    path = write(home / "home/onboarding/config.toml", "workers = 3\n")
    assert path == platformdirs.user_config_path("onboarding") / "config.toml"
    assert read_files(None, home).values == {"workers": 3}


def test_a_named_file_is_read_instead_of_the_users_own(home: Path) -> None:
    write(home / "home/onboarding/config.toml", "workers = 3\n")
    other = write(home / "other.toml", "rate = 100\n")
    assert read_files(other, home).values == {"rate": 100}


def test_paths_in_a_file_start_from_its_folder(home: Path) -> None:
    path = write(
        home / "etc/acme.toml",
        'api_key_file = "key"\nreports = "/var/reports"\nstate = "~/state"\n',
    )
    assert read_files(path, home).values == {
        "api_key_file": str(home / "etc/key"),
        "reports": "/var/reports",
        "state": str(Path("~/state").expanduser()),
    }


def test_the_working_folders_file_adds_to_the_tables_and_wins(home: Path) -> None:
    main = write(home / "a.toml", 'encoding = "utf-8"\n[columns]\nMail = "email"\nTeam = "group"\n')
    local = write(
        home / "work/onboarding.toml", 'encoding = "cp1252"\n[columns]\nTeam = "groups"\n'
    )
    known = read_files(main, home / "work")
    assert known.values == {
        "encoding": "cp1252",
        "columns": {"Mail": "email", "Team": "groups"},
    }
    assert known.origins["encoding"] == Origin(Source.FILE, str(local))


def test_a_settings_file_that_lies_in_the_working_folder_is_itself(home: Path) -> None:
    path = write(home / "onboarding.toml", "workers = 2\n")
    assert read_files(path, home).values == {"workers": 2}


@pytest.mark.parametrize("key", sorted(set(Settings.model_fields) - set(READING_ONLY)))
def test_the_working_folders_file_may_set_reading_only(home: Path, key: str) -> None:
    path = write(home / "onboarding.toml", f'{key} = "https://evil.example"\n')
    said = refusal(None, home)
    assert said.startswith(f"{path}: {key} can't be set here. A file in the working folder may")
    assert "columns, role_aliases, encoding, delimiter, files" in said


@pytest.mark.parametrize("key", BY_HAND_ONLY)
@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_person_decides_stands_in_no_file(home: Path, key: str, trusted: bool) -> None:
    path = write(home / "onboarding.toml", f"{key} = true\n")
    said = refusal(path if trusted else None, home)
    assert said.startswith(f"{path}: {key} can't be set in a file")
    assert f"--{key.replace('_', '-')}" in said


def test_a_key_stands_in_no_settings_file(home: Path) -> None:
    path = write(home / "a.toml", 'api_key = "s3cret"\n')
    said = refusal(path, home)
    assert "api_key is a secret" in said
    assert "api_key_file" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "worker = 2", "worker: there is no such setting; did you mean workers?", id="typo"
        ),
        pytest.param("xyz = 2", "xyz: there is no such setting", id="unknown"),
        pytest.param('workers = "2"', "workers: write a whole number, not '2'", id="text"),
        pytest.param("workers = 99", "workers: write 16 or less, not 99", id="large"),
        pytest.param("create_groups = 1", "create_groups: write true or false, not 1", id="flag"),
        pytest.param(
            'max_removals = "many"',
            "max_removals: write a number or a percentage, such as 20 or 10%, not 'many'",
            id="limit",
        ),
        pytest.param(
            'max_removals = "٢٠"',
            "max_removals: write a number or a percentage, such as 20 or 10%, not '٢٠'",
            id="limit-in-other-digits",
        ),
        pytest.param(
            'max_removals = "1 0"',
            "max_removals: write a number or a percentage, such as 20 or 10%, not '1 0'",
            id="limit-with-a-blank-in-it",
        ),
        pytest.param(
            "max_removals = true",
            "max_removals: write a number or a percentage, such as 20 or 10%, not True",
            id="limit-flag",
        ),
        pytest.param(
            'default_role = "$admin"',
            "default_role: nobody becomes Admin by default; write Guest or Member, not '$admin'",
            id="admin",
        ),
        pytest.param(
            'default_role = "boss"',
            "default_role: write Guest, Member or Admin, not 'boss'",
            id="role",
        ),
        pytest.param(
            '[role_aliases]\nBoss = "King"',
            "role_aliases.Boss: write Guest, Member or Admin, not 'King'",
            id="alias",
        ),
        pytest.param(
            'delimiter = ";;"', "delimiter: write one character, or tab, not ';;'", id="delimiter"
        ),
        pytest.param(
            'allowed_domains = ["@acme.example"]',
            "allowed_domains: '@acme.example' is no domain; write it like acme.example, in plain ASCII",
            id="domain",
        ),
        pytest.param("keep_runs = 0", "keep_runs: write 1 or more, not 0", id="small"),
        pytest.param('leavers = "go"', "leavers: write 'ignore' or 'revoke', not 'go'", id="word"),
        pytest.param("tenant = 5", "tenant: write a text in quotes, not 5", id="number"),
        pytest.param("reports = 5", "reports: write a path in quotes, not 5", id="path"),
        pytest.param(
            'sso_groups = "Finance"',
            'sso_groups: write a list, such as ["one", "two"], not \'Finance\'',
            id="no-list",
        ),
        pytest.param(
            '[report]\ncolumns = "Team"',
            'report.columns: write a list, such as ["one", "two"], not \'Team\'',
            id="no-inner-list",
        ),
        pytest.param(
            'columns = "Team"',
            "columns: write a table, with a line for each of its names, not 'Team'",
            id="no-table",
        ),
        pytest.param(
            'role_aliases = ["Boss"]',
            "role_aliases: write a table, with a line for each of its names",
            id="list-for-a-table",
        ),
        pytest.param(
            '[files]\n"hr.csv" = 1',
            "files.hr.csv: write a table, with a line for each of its names, not 1",
            id="no-inner-table",
        ),
        pytest.param(
            '[files."hr.csv"]\ndelimitr = ";"',
            "files.hr.csv.delimitr: there is no such setting; did you mean delimiter?",
            id="inner-typo",
        ),
        pytest.param(
            '[report]\ncolums = ["Team"]',
            "report.colums: there is no such setting; did you mean columns?",
            id="typo-in-report",
        ),
    ],
)
def test_an_error_names_file_and_key(home: Path, text: str, complaint: str) -> None:
    path = write(home / "a.toml", text)
    assert refusal(path, home) == f"{path}: {complaint}"


def test_all_errors_are_told_at_once(home: Path) -> None:
    path = write(home / "a.toml", "worker = 1\nrate = 0\n")
    assert len(refusal(path, home).splitlines()) == 2


def test_a_flag_is_named_by_itself() -> None:
    with pytest.raises(UsageError, match=r"^--max-removals: write a number"):
        settle(
            Known({"max_removals": "x"}, {"max_removals": Origin(Source.FLAG, "--max-removals")})
        )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a = [", "is not valid TOML", id="not-toml"),
        pytest.param("\udcff", "is not valid TOML", id="not-utf-8"),
    ],
)
def test_a_file_that_is_no_toml_is_named(home: Path, text: str, complaint: str) -> None:
    path = home / "a.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    path.chmod(0o600)
    assert f"the settings file {path} {complaint}" in refusal(path, home)


def test_a_missing_named_file_is_an_error(home: Path) -> None:
    assert refusal(home / "no.toml", home) == (
        f"the settings file {home}/no.toml can't be read: No such file or directory"
    )


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(home: Path, mode: int) -> None:
    path = write(home / "a.toml", "workers = 2\n", mode)
    assert f"chmod go-w {path}" in refusal(path, home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else_is_refused(home: Path) -> None:
    path = write(home / "a.toml", "workers = 2\n")
    os.chown(path, 12345, 12345)
    assert "belongs to somebody else" in refusal(path, home)


def test_no_link_is_followed_in_a_folder_of_uploads(home: Path) -> None:
    """Whoever may put a file there could else have any file of ours read out in an error."""
    inbox = home / "inbox"
    inbox.mkdir()
    (inbox / "onboarding.toml").symlink_to(write(home / "ours.toml", 'encoding = "utf-8"\n'))
    assert read_files(None, inbox, uploaded=True).values == {}
    assert read_files(None, inbox).values == {"encoding": "utf-8"}


def test_the_working_folders_file_may_be_anybodys(home: Path) -> None:
    write(home / "onboarding.toml", 'encoding = "utf-8"\n', 0o666)
    assert read_files(None, home).values == {"encoding": "utf-8"}


def test_values_are_normalised_once() -> None:
    said = Known(
        {
            "role_aliases": {"Chef": "$admin", "Leser": " guest "},
            "default_role": "Member",
            "allowed_domains": ["ACME.example"],
            "max_invitations": 20,
            "max_removals": "10 %",
            "delimiter": "tab",
        },
        {},
    )
    settings = settle(said)
    assert settings.role_aliases == {"Chef": Role.ADMIN, "Leser": Role.GUEST}
    assert settings.default_role is Role.MEMBER
    assert settings.allowed_domains == {"acme.example"}
    assert (settings.max_invitations, settings.max_removals) == (
        Limit(20),
        Limit(percent=10),
    )
    assert settings.delimiter == "\t"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().workers = 5  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_single_files_may_have_settings_of_their_own(home: Path) -> None:
    """They may even come with an upload: they say how to read it, and no more."""
    write(home / "onboarding.toml", '[files."hr-*.csv"]\nencoding = "cp1250"\ndelimiter = "tab"\n')
    known = read_files(None, home)
    assert settle(known).files == {"hr-*.csv": InputSettings(encoding="cp1250", delimiter="\t")}
    write(home / "onboarding.toml", '[files."hr.csv"]\nkind = "users"\n')
    assert "files.hr.csv.kind: there is no such setting" in refusal(None, home)


def test_what_a_file_says_wrongly_is_told_though_something_goes_before_it(home: Path) -> None:
    path = write(home / "a.toml", "workers = 99\nencoding = 5\n[columns]\nMail = 1\n")
    write(home / "work/onboarding.toml", 'encoding = "utf-8"\n[columns]\nMail = "email"\n')
    known = read_files(path, home / "work").overruled({"workers": 2}, {})
    with pytest.raises(UsageError) as caught:
        settle(known)
    assert str(caught.value).splitlines() == [
        f"{path}: encoding: write a text in quotes, not 5",
        f"{path}: columns.Mail: write a text in quotes, not 1",
        f"{path}: workers: write 16 or less, not 99",
    ]


@pytest.mark.parametrize("state", [None, "/var/state", "state", "~/state", ""])
@pytest.mark.parametrize("by_hand", [False, True])
def test_the_lock_lies_where_the_settings_have_the_state(
    home: Path, state: str | None, by_hand: bool
) -> None:
    text = "" if state is None or by_hand else f'state = "{state}"\n'
    known = read_files(write(home / "etc/a.toml", text), home)
    if by_hand and state:
        known = known.overruled({"state": Path(state)}, {"state": Origin(Source.FLAG, "--state")})
    assert known.state == settle(known).state


def test_the_lock_is_of_the_tenant_that_the_settings_have(home: Path) -> None:
    known = read_files(write(home / "a.toml", 'tenant = "https://acme.atlan.com"\n'), home)
    for each in (known, known.overruled({"tenant": "sandbox"}, {}), Known({}, {})):
        assert each.tenant == settle(each).tenant


def test_an_option_is_marked_as_a_setting_where_there_is_one_of_its_name() -> None:
    commands = [command for command in cli.commands.values() if isinstance(command, Page)]
    assert {
        option.name
        for command in commands
        for option in command.params
        if isinstance(option, Option) and option.setting
    } == {
        parameter.name
        for command in commands
        for parameter in command.params
        if parameter.name in Settings.model_fields
    }
