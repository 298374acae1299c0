"""What all tests share: how thoroughly properties are tried, and a desk with three sheets on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desk import MEMBERSHIPS, PEOPLE, TEAMS, Desk
from hypothesis import HealthCheck, settings


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no test after bytes: a workbook holds the second in which it was made."""
    return "bytes" if isinstance(val, bytes) else None


settings.register_profile("quick", max_examples=40, deadline=None)
settings.register_profile(
    "full", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("ONBOARDING_TEST_PROFILE", "quick"))


AGAIN_AND_AGAIN = {
    f"test_{name}.py"
    for name in (
        "brakes", "calls", "crash", "crash_points", "fast", "faults", "handed_back", "moods", "planted", "round_trip",
        "schedules", "torture",
    )
}  # fmt: skip
"""Files that go through the same lines many times."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where lines are gone through again and again: it doubles the time that takes, and finds none."""
    for item in items:
        is_property = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if is_property or item.path.name in AGAIN_AND_AGAIN:
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Have one more than there are processors: tests wait for processes of their own a fifth of the time."""
    said = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if said else 1 + (os.cpu_count() or 1)


@pytest.fixture
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the environment name neither a proxy nor certificates."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def sheets(desk: Desk) -> list[Path]:
    return [
        desk.sheet("people.csv", PEOPLE),
        desk.sheet("teams.csv", TEAMS),
        desk.sheet("memberships.csv", MEMBERSHIPS),
    ]
