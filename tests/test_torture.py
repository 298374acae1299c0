"""Files of every shape and damage, each with what a careful person reads in every row: none may be read otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from torture import layouts, text
from torture.truth import Case, differences

PENDING = re.compile(
    r"below groups|sums in|on each page, groups|hints .*groups|example among|below members|below additions|of people|side by"
    r"|by the (title|sheet)|(removal|leaver) under|last day|Google users|GAM|users of Entra|with their addresses|postal"
    r"|card of a|once read|for ever|that is none|behind blanks|commented|cut at (6[89]|70|71|97|98|99|100)$"
)
"""Names of cases that are known to be read wrongly; to become empty."""


def _marked() -> Iterator[Any]:
    for case in chain(text.cases(), layouts.cases()):
        pending = [pytest.mark.xfail(strict=False)] if PENDING.search(case.name) else []
        yield pytest.param(case, id=case.name, marks=pending)


@pytest.mark.parametrize("case", list(_marked()))
def test_a_file_is_read_as_a_careful_person_would(case: Case, tmp_path: Path) -> None:
    assert differences(case, tmp_path / case.file) == []
