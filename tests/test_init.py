"""The package's own door: a few names, each loaded when it is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import onboarding

HEAVY = {"pandas", "numpy", "pandera", "pydantic", "requests", "urllib3", "tqdm", "click"}


def modules_after(statement: str) -> set[str]:
    """Give the top-level modules that a fresh interpreter has loaded afterwards."""
    code = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert modules_after("import onboarding; onboarding.__version__") & HEAVY == set()


@pytest.mark.parametrize("name", onboarding.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(onboarding, name) is not None


def test_there_are_about_fifteen_and_they_are_what_dir_shows() -> None:
    assert dir(onboarding) == sorted(onboarding.__all__)
    assert 12 <= len(onboarding.__all__) <= 20


def test_the_types_are_those_of_the_names() -> None:
    stub = Path(onboarding.__file__).with_suffix(".pyi").read_text()
    typed = set(re.findall(r"as (\w+)$", stub, re.MULTILINE)) | {"__version__"}
    assert typed == set(onboarding.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = onboarding.nonsense
