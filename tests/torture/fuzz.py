"""Look for what no case thought of: a fuzzer that follows the code which its inputs reach.

Needs atheris, which is no dependency of the tests; run it by hand, for an hour, after a change of the readers::

    python tests/torture/fuzz.py text CORPUS -max_total_time=1800 -timeout=5
    python tests/torture/fuzz.py workbook CORPUS -max_total_time=1800 -timeout=5

An empty folder as CORPUS is filled with the cases of this generator first. ``text`` goes from the bytes of a text file to
the intake; ``workbook`` through everything that looks into a workbook before the library does. Whatever is found is
written to a file ``crash-...``; the smallest of it becomes a case.
"""

from __future__ import annotations

import io
import sys
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import atheris

with atheris.instrument_imports(include=["onboarding"], enable_loader_override=False):
    from onboarding.errors import SheetError
    from onboarding.intake import Rules, take_in
    from onboarding.sheets import Reading, read
    from onboarding.workbooks import inside, is_workbook, xls
    from onboarding.workbooks.container import opened
from torture import containers, layouts, programs, render, text, values, workbooks

BLANK = render.parts({"S": ""})
SHEET = "xl/worksheets/sheet1.xml"
BINARY = dict(render.unzipped(render.xlsb([["email"]])))


def of_text(data: bytes) -> None:
    """Read it, and account for every line."""
    if is_workbook(data):
        return
    try:
        inputs = read(["-"], Reading(), stdin=io.BytesIO(data))
    except SheetError:
        return
    for table in inputs.tables:
        rows = {int(number) for number in table.frame.index}
        lines = rows | table.ignored.keys()
        assert not rows & table.ignored.keys()
        assert lines == set(range(1, len(lines) + 1))
    if sum(data) % 20 == 0:  # judging takes twenty times as long as reading
        take_in(inputs.tables, Rules())


def of_workbook(data: bytes) -> None:
    """Look into it whole, or as the one part of an otherwise sound workbook that the first byte says."""
    kind, body = data[:1], data[1:]
    try:
        match kind:
            case b"x":
                _look(render.zipped(BLANK | {SHEET: body}, stored=True))
            case b"b":
                _look(render.zipped(BINARY | {"xl/worksheets/sheet1.bin": body}, stored=True))
            case b"o":
                _look(render.zipped(render.ods_parts("") | {"content.xml": body}, stored=True))
            case b"s":
                xls.marks(body)(0)
            case _:
                _look(data)
    except (SheetError, ValueError, OverflowError, LookupError):
        return


def _look(content: bytes) -> None:
    kind, parts = opened(content)
    find = inside._finder(kind, parts)
    for position in range(2):
        find(position)


def _seeds(what: str) -> list[bytes]:
    """Begin with the cases; of workbooks also with their sheets alone."""
    made = chain(
        *(module.cases() for module in (text, layouts, values, workbooks, programs, containers))
    )
    files = [case.content for case in made]
    if what == "text":
        return [content for content in files if not is_workbook(content)]
    books = [content for content in files if is_workbook(content)]
    inner = []
    for content in books:
        for name, part in render.unzipped(content):
            if name in (SHEET, "content.xml", "xl/worksheets/sheet1.bin"):
                inner.append({"xml": b"x", "bin": b"b"}[name[-3:]] + part)
    return books + [b"o" + part[1:] if b"office:document" in part else part for part in inner]


def main() -> None:
    what, corpus = sys.argv[1:3]
    folder = Path(corpus)
    if not any(folder.iterdir()):
        for number, seed in enumerate(_seeds(what)):
            (folder / f"seed-{number}").write_bytes(seed)
    target = of_text if what == "text" else of_workbook
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
