"""What all tests share: how thoroughly properties are tried."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no test after bytes: a workbook holds the second in which it was made."""
    return "bytes" if isinstance(val, bytes) else None


settings.register_profile("quick", max_examples=40, deadline=None)
settings.register_profile(
    "full", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("ONBOARDING_TEST_PROFILE", "quick"))
