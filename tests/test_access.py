"""Which tenant, and which key may go there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from onboarding.access import Connection, _given_by_systemd, connection, key_file, tenant_url
from onboarding.config import Origin, Source
from onboarding.config.settings import Settings
from onboarding.errors import UsageError

ACME = "https://acme.atlan.com"
FLAG = Origin(Source.FLAG, "--tenant")
ENVIRONMENT = Origin(Source.ENVIRONMENT, "ATLAN_BASE_URL")
FILE = Origin(Source.FILE, "/home/ana/config.toml")
KEY = "canary-0123456789"


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    return path


def connect(
    tenant: Origin, environ: dict[str, str] | None = None, api_key_file: Path | None = None
) -> Connection:
    settings = Settings(tenant=ACME, api_key_file=api_key_file)
    return connection(settings, {"tenant": tenant}, environ or {})


def refusal(
    tenant: Origin, environ: dict[str, str] | None = None, api_key_file: Path | None = None
) -> str:
    with pytest.raises(UsageError) as caught:
        connect(tenant, environ, api_key_file)
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("tenant", [FLAG, ENVIRONMENT], ids=["flag", "environment"])
def test_a_key_from_the_environment_goes_to_the_tenant_of_flag_and_environment(
    tenant: Origin,
) -> None:
    found = connect(tenant, {"ATLAN_API_KEY": KEY})
    assert (found.url, found.tenant, found.rate) == (ACME, "acme.atlan.com", 300)
    assert found.key.origin == Origin(Source.ENVIRONMENT, "ATLAN_API_KEY")
    assert found.key.secret.get_secret_value() == KEY


def test_a_key_from_the_environment_does_not_go_to_the_files_tenant(key_path: Path) -> None:
    said = refusal(FILE, {"ATLAN_API_KEY": KEY})
    assert "the key in ATLAN_API_KEY comes from the environment" in said
    assert "from /home/ana/config.toml" in said
    assert "Name the tenant with --tenant" in said
    # Nor is it passed over where the file has a key of its own: nobody should have to guess which was used.
    assert refusal(FILE, {"ATLAN_API_KEY": KEY}, key_path) == said


@pytest.mark.parametrize("tenant", [FLAG, FILE], ids=["flag", "file"])
def test_a_key_from_the_file_goes_to_the_tenant_of_flag_and_file(
    tenant: Origin, key_path: Path
) -> None:
    found = connect(tenant, api_key_file=key_path)
    assert found.key.secret.get_secret_value() == KEY
    assert found.key.origin == Origin(Source.FILE, str(key_path))


def test_a_key_from_the_file_does_not_go_to_the_environments_tenant(key_path: Path) -> None:
    said = refusal(ENVIRONMENT, {"ATLAN_BASE_URL": ACME}, key_path)
    assert "the key in api_key_file comes from the settings file" in said
    assert "(ATLAN_BASE_URL)" in said


def test_the_environment_goes_before_the_file(key_path: Path) -> None:
    found = connect(FLAG, {"ATLAN_API_KEY": "another"}, key_path)
    assert found.key.secret.get_secret_value() == "another"


def test_a_key_file_may_be_named_in_the_environment(key_path: Path) -> None:
    found = connect(ENVIRONMENT, {"ATLAN_API_KEY_FILE": str(key_path)})
    assert found.key.secret.get_secret_value() == KEY


def test_an_oauth_client_is_two_variables() -> None:
    client = {"ATLAN_OAUTH_CLIENT_ID": "oauth-client-1", "ATLAN_OAUTH_CLIENT_SECRET": KEY}
    key = connect(FLAG, client).key
    assert (key.client_id, key.secret.get_secret_value()) == ("oauth-client-1", KEY)
    del client["ATLAN_OAUTH_CLIENT_SECRET"]
    assert "ATLAN_OAUTH_CLIENT_SECRET is not" in refusal(FLAG, client)


def test_two_keys_in_the_environment_are_one_too_many() -> None:
    said = refusal(FLAG, {"ATLAN_API_KEY": KEY, "ATLAN_OAUTH_CLIENT_ID": "oauth-client-1"})
    assert said.startswith("ATLAN_API_KEY and ATLAN_OAUTH_CLIENT_ID are both set")


def test_two_tenants_in_the_environment_are_one_too_many() -> None:
    tenants = {"ONBOARDING_TENANT": ACME, "ATLAN_BASE_URL": "https://other.atlan.com"}
    assert "two different tenants" in refusal(ENVIRONMENT, tenants | {"ATLAN_API_KEY": KEY})
    same = dict.fromkeys(tenants, ACME)
    assert connect(ENVIRONMENT, same | {"ATLAN_API_KEY": KEY}).url == ACME


def test_an_empty_variable_is_none() -> None:
    assert refusal(FLAG, {"ATLAN_API_KEY": ""}).startswith(f"there is no key for {ACME}")


@pytest.mark.parametrize(
    "text",
    ["two words", "Bearer abc", "line\nbreak", "snowman ☃", 'quote"', ""],
)
def test_what_can_not_be_a_key_is_refused_unquoted(text: str) -> None:
    said = refusal(FLAG, {"ATLAN_API_KEY": text or "\n"})
    assert said.startswith("ATLAN_API_KEY ")
    assert not text or text not in said


# ---- key files ------------------------------------------------------------------------------------------------


def key_refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        key_file(path)
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read_without_its_line_break(key_path: Path, mode: int) -> None:
    key_path.chmod(mode)
    assert key_file(key_path).get_secret_value() == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o700])
def test_a_file_that_others_can_use_is_refused(key_path: Path, mode: int) -> None:
    key_path.chmod(mode)
    assert f"(mode {mode:04o}). Run: chmod 600 {key_path}" in key_refusal(key_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_file_of_somebody_else_is_refused(key_path: Path) -> None:
    os.chown(key_path, 12345, 12345)
    assert "belongs to somebody else" in key_refusal(key_path)


@pytest.mark.parametrize(
    ("mode", "owner", "folder", "given"),
    [
        pytest.param(stat.S_IFREG | 0o440, 0, "/run/credentials/o", True, id="by-a-list"),
        pytest.param(stat.S_IFREG | 0o400, 0, "/run/credentials/o", True, id="to-root"),
        pytest.param(stat.S_IFREG | 0o444, 0, "/run/credentials/o", False, id="to-everybody"),
        pytest.param(stat.S_IFREG | 0o640, 0, "/run/credentials/o", False, id="can-be-written"),
        pytest.param(stat.S_IFDIR | 0o440, 0, "/run/credentials/o", False, id="no-file"),
        pytest.param(stat.S_IFREG | 0o440, 1000, "/run/credentials/o", False, id="not-of-root"),
        pytest.param(stat.S_IFREG | 0o440, 0, "/run/credentials", False, id="another-folder"),
        pytest.param(stat.S_IFREG | 0o440, 0, "", False, id="no-unit"),
    ],
)
def test_a_credential_of_our_unit_shows_as_readable_for_a_group(
    mode: int, owner: int, folder: str, given: bool
) -> None:
    facts = os.stat_result((mode, 1, 1, 1, owner, 0, 24, 0, 0, 0))
    assert _given_by_systemd(Path("/run/credentials/o/atlan.key"), facts, folder) is given


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of root")
def test_a_credential_of_our_unit_is_read(key_path: Path) -> None:
    key_path.chmod(0o440)
    environ = {"ATLAN_API_KEY_FILE": str(key_path), "CREDENTIALS_DIRECTORY": str(key_path.parent)}
    assert connect(ENVIRONMENT, environ).key.secret.get_secret_value() == KEY
    del environ["CREDENTIALS_DIRECTORY"]
    assert "(mode 0440)" in refusal(ENVIRONMENT, environ)


def test_what_is_no_regular_file_is_refused(tmp_path: Path, key_path: Path) -> None:
    (tmp_path / "link").symlink_to(key_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "can't be read" in key_refusal(tmp_path / "link")
    assert "is not a regular file" in key_refusal(tmp_path / "pipe")
    assert "is not a regular file" in key_refusal(tmp_path)
    assert "No such file" in key_refusal(tmp_path / "missing")


def test_an_empty_key_file_is_named(key_path: Path) -> None:
    key_path.write_text("\n")
    assert key_refusal(key_path) == f"the key file {key_path} is empty; put the API key into it"


def test_a_key_is_not_shown_by_accident(key_path: Path) -> None:
    assert KEY not in repr(connect(FLAG, api_key_file=key_path))


# ---- addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://acme.atlan.com", ACME),
        (" https://ACME.atlan.com/ ", ACME),
        ("acme.atlan.com", ACME),
        ("acme.atlan.com:8443", f"{ACME}:8443"),
        ("acme.atlan.com:443", ACME),
        ("https://acme.atlan.com.", ACME),
        ("https://acme.atlan.com.:443/", ACME),
        ("acme.atlan.com:80", f"{ACME}:80"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_address_is_cleaned(text: str, url: str) -> None:
    assert tenant_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://acme.atlan.com",
        "http://127.0.0.1.evil.example",
        "ftp://acme.atlan.com",
        "https://ana:s3cret@acme.atlan.com",
        "https://acme.atlan.com/api",
        "https://acme.atlan.com?x=1",
        "https://acme.atlan.com#x",
        "https://acme.atlan.com:port",
        "https://[",
        "https://",
        "https://.",
        "ac me",
        "",
    ],
)
def test_an_address_that_would_leak_or_mislead_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        tenant_url(text)
    assert "s3cret" not in str(caught.value)
