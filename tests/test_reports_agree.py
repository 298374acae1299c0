"""The reports of one run say the same: as many rows as the input, each with the same result and the same cells."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from pathlib import Path
from string import ascii_letters
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
from desk import Desk, acme
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding.report import RESULT_COLUMNS
from onboarding.safety import Limit, Limits

ADDRESSES = st.sampled_from(["ana@acme.example", "new@acme.example", "dan@acme", "", "Ünï@acme.example"])  # fmt: skip
ROLES = st.sampled_from(["Member", "guest", "", "Editor", "=1+1"])
CARRIED = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=ascii_letters), max_size=12
)
"""No word of English: one that takes something away is refused under any header."""
SHEETS = st.lists(st.tuples(ADDRESSES, ROLES, CARRIED), min_size=1, max_size=12)


@settings(max_examples=15)
@given(people=SHEETS)
def test_the_three_reports_and_the_input_agree(people: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as name:
        desk = Desk(Path(name))
        sheet = desk.folder / "people.csv"
        with sheet.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("email", "role", "remark"), *people])
        limits = Limits(*[Limit(number=99)] * 4)
        report = desk.run(acme(), sheet, limits=limits)
        assert report.folder
        written = [row.cells[:3] + row.cells[6:] for row in report.results]
        assert _of_csv(report.folder) == written
        assert _of_workbook(report.folder) == written
        assert _of_page(report.folder) == [(cells[0], cells[2], cells[3]) for cells in written]
        blank = sum(not any(cell.strip() for cell in row) for row in people)
        assert len(people) - blank <= len(written) <= len(people)


def _of_csv(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(*line[:3], line[6]) for line in list(csv.reader(file))[1:]]


def _of_workbook(folder: Path) -> list[tuple[str, ...]]:
    sheet = openpyxl.load_workbook(folder / "results.xlsx")["people"]
    header, *lines = sheet.iter_rows(values_only=True)
    at = [header.index(RESULT_COLUMNS[n]) for n in (0, 1, 2, 6)]
    return [tuple(str(line[i]) for i in at) for line in lines]


def _of_page(folder: Path) -> list[tuple[str, ...]]:
    page = (folder / "report.html").read_text("utf-8")
    packed = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', page)
    assert packed
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    texts, rows = data["texts"], data["rows"]
    assert data["total"] == len(rows["number"])
    columns = ("result", "code", "source", "number")
    return [
        (texts[result], texts[code], f"{texts[source]}:{number}")
        for result, code, source, number in zip(*map(rows.get, columns), strict=True)
    ]
