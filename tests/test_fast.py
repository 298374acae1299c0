"""With pyarrow (the extra ``fast``) a file is taken for what it is taken for without.

Python with pyarrow is another environment, named by ``FAST_PYTHON``; without one, there is nothing to compare.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fast import taken
from hypothesis import example, given
from hypothesis import strategies as st

from onboarding.schemas.columns import BY_ARROW

HERE = Path(__file__).parent
FAST = os.environ.get("FAST_PYTHON", "")
ADDRESSES = ["ana@acme.example", "Ben@acme.example", "eva@b.example", "ana@acme", "ana", "", " "]
ADDRESSES += ["\u0130pek@acme.example", "ipek@acme.example", "i@\u0130cme.example"]
ADDRESSES += ["<eva@acme.example>", "ö@acme.example", "a\u200bb@acme.example", "x@ACME.example"]
NAMES = [
    "Ops",
    "Ops; HR",
    "R&D, Ops",
    '"A; B"',
    "Größe|HR",
    "n/a",
    "10.0",
    "MÃ¼ller",
    "a\nb",
    "",
    "数",
]
WORDS = ["Member", "guest", "boss", "", "active", "left", "#N/A", "_x000D_", "1.2E+10", "007"]
ROWS = st.lists(
    st.tuples(*map(st.sampled_from, (ADDRESSES, WORDS, NAMES, WORDS, WORDS))), max_size=25
)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def sheet(rows: list[tuple[str, ...]], end: str, *, quoted: bool, last: bool) -> bytes:
    """A file of these cells; where they are not quoted, some of them may break a line or a row."""
    lines = [("email", "role", "groups", "status", "note"), *rows]
    if quoted:
        lines = [tuple('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    return (end.join(map(",".join, lines)) + end * last).encode()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[bytes], str]]:
    """Have a file taken in by the Python that has pyarrow."""
    environ = {**os.environ, "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    with subprocess.Popen(
        [FAST, HERE / "fast.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdin
        assert process.stdout
        asked, told = process.stdin, process.stdout
        assert json.loads(told.readline()) is True

        def ask(content: bytes) -> str:
            asked.write(base64.b64encode(content) + b"\n")
            asked.flush()
            return str(json.loads(told.readline()))

        yield ask
        asked.close()


if FAST and not BY_ARROW:

    @given(ROWS, LINE_ENDS, st.booleans(), st.booleans())
    @example([("ana@acme.example", "Member", "Ops", "active", "")], "\n", False, False)
    @example([(f"{i}pek@acme.example", "Member", "", "", "") for i in "\u0130i"], "\n", False, True)
    @example([("i@\u0130cme.example", "Member", "", "", "")], "\n", False, True)
    def test_pyarrow_makes_no_difference(
        elsewhere: Callable[[bytes], str],
        rows: list[tuple[str, ...]],
        end: str,
        quoted: bool,
        last: bool,
    ) -> None:
        content = sheet(rows, end, quoted=quoted, last=last)
        assert elsewhere(content) == taken(content)

    def test_whether_all_addresses_end_alike_is_told_without_their_texts() -> None:
        cells = [
            ["a@b", "", "c@b"],
            ["a@b", "a@bc"],
            ["a@bc", "a@b"],
            [""],
            ["a@b"] * 70_000 + ["a@c"],
        ]
        code = "import pandas as pd; from onboarding.schemas.columns import BY_ARROW, all_end; assert BY_ARROW\n"
        code += f"print([all_end(pd.Series(some, dtype='str'), '@b') for some in {cells}])"
        told = subprocess.run(
            [FAST, "-"], input=code, capture_output=True, text=True, check=True, cwd=HERE.parent
        )
        assert told.stdout.strip() == "[True, False, False, True, False]"

    @given(st.text('ab,;"\n\r @.', max_size=40))
    def test_no_text_is_split_another_way(elsewhere: Callable[[bytes], str], text: str) -> None:
        content = f"email,role\nana@acme.example,Member\n{text}".encode()
        assert elsewhere(content) == taken(content)
