"""What is known of a column at once is what is known of its cells one by one, here and where pyarrow keeps columns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.schemas import columns, plain
from onboarding.schemas.columns import (
    all_end,
    hashes,
    holding,
    matching,
    parts,
    taken,
    texts,
)

CELLS = st.lists(st.text("aB;|,\n\r @.ö", max_size=8), max_size=12)
PATTERN = r"[aB]+(?:\.[aB]+)*@"


@pytest.fixture(autouse=True, scope="module")
def small_batches() -> Iterator[None]:
    """Columns are parted where a handful of cells would never be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_BATCH", 3)
        yield


def column(cells: list[str]) -> pd.Series[str]:
    return pd.Series(cells, dtype="str")


@given(CELLS)
def test_texts_hold_every_cell_with_a_line_break_behind_it(cells: list[str]) -> None:
    assert "".join(texts(column(cells))) == "".join(f"{cell}\n" for cell in cells)


@given(CELLS)
def test_a_cell_matches_if_all_of_it_does_and_it_is_short(cells: list[str]) -> None:
    cells = [*cells, "a@", "aB.a@", "a@\n", "\na@", "aaaaa@", "aaaaaa@"]
    right = [len(cell) <= 6 and re.fullmatch(PATTERN, cell) is not None for cell in cells]
    assert matching(column(cells), PATTERN, 6).tolist() == right


@given(CELLS, st.sampled_from([";", "@", "\n", "ö"]))
def test_a_cell_holds_a_sign_or_not(cells: list[str], sign: str) -> None:
    assert holding(column(cells), sign).tolist() == [sign in cell for cell in cells]


@given(st.lists(st.sampled_from(["", "a@B", "a@B", "a@Ba", "ö@B", "@B", "a@a@B"]), max_size=9))
def test_all_cells_that_are_not_blank_end_so_or_one_does_not(cells: list[str]) -> None:
    is_so = all(cell.endswith("@B") or not cell for cell in cells)
    found = all_end(column(cells), "@B")
    assert found is is_so or (not found and "a@a@B" in cells)


@given(CELLS, st.sampled_from(["", ";", ";|", ",;\r", ";\n"]))
def test_parts_are_what_stands_between_marks(cells: list[str], marks: str) -> None:
    if "\n" not in marks:
        cells = [cell.replace("\n", "") for cell in cells]
    between = {
        part for cell in cells for part in (re.split(f"[{marks}]", cell) if marks else [cell])
    }
    assert parts(column(cells), marks) == between


@given(CELLS, st.data())
def test_cells_are_taken_from_their_places(cells: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(cells) - 1)) if cells else st.just(set()))
    at = np.array(sorted(chosen), int)
    assert taken(column(cells), at).to_dict() == {i: cells[i] for i in sorted(chosen)}


@given(CELLS)
def test_the_same_text_has_the_same_hash_and_another_text_another(cells: list[str]) -> None:
    cells = [
        *cells,
        "",
        *cells,
        "a",
        "aaaaaaaa",
        "aaaaaaaaa",
        "aaaaaaaaB",
        "Baaaaaaaa",
        "a;aaaaaaa;",
    ]
    told = hashes(column(cells)).tolist()
    assert len(told) == len(cells)
    assert len({*zip(cells, told, strict=True)}) == len({*cells}) == len({*told})


def test_addresses_that_differ_in_some_signs_have_hashes_of_their_own() -> None:
    cells = [
        f"person{i:03}.of.b{j:03}@acme{k:02}.example"
        for i in range(50)
        for j in range(50)
        for k in range(4)
    ]
    assert len({*hashes(column(cells)).tolist()}) == len(cells)


def test_of_no_cells_there_are_no_hashes() -> None:
    assert hashes(column([])).tolist() == []


LOCAL = "a" * 64
ADDRESSES = {
    "ana@acme.example": True,
    "Ana.B-c'd&e_1@acme.example": True,
    "ana@acme.example\n": False,
    "x\nana@acme.example": False,
    "ana@acmeXexample": False,
    "ana..b@acme.example": False,
    ".ana@acme.example": False,
    "ana@b.example": True,
    "ana@acme": False,
    "öna@acme.example": False,
    f"{LOCAL}@acme.example": True,
    f"a{LOCAL}@acme.example": False,
    f"a{LOCAL}@b.example": False,
    "@acme.example": False,
    "": False,
}


@pytest.mark.parametrize("before", [["ana@acme.example"] * 50, [""], []], ids=["many", "none", ""])
def test_an_address_is_plain_whatever_stands_around_it(before: list[str]) -> None:
    cells = column([*before, *ADDRESSES])
    told = plain("email", cells, {}, frozenset(), commas=True)
    assert dict(zip(ADDRESSES, told[len(before) :].tolist(), strict=True)) == ADDRESSES


def test_of_addresses_only_those_at_allowed_domains_are_plain() -> None:
    cells = column(["ana@acme.example"] * 9 + ["ana@b.example", "eva@ACME.example"])
    told = plain("email", cells, {}, frozenset({"acme.example"}), commas=True)
    assert told.tolist() == [True] * 9 + [False, True]


def test_a_pyarrow_that_can_not_be_loaded_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('libarrow.so: no such file')")
    code = "from onboarding.schemas.columns import BY_ARROW; assert not BY_ARROW"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, timeout=60)
