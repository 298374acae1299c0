"""A table that was read in; how it was understood out: as facts for programs, as lines of 80 characters for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onboarding.headers import CARRIED, Table, Why, letter
from onboarding.writers.text import plain

_WHY = {
    Why.SETTINGS: "as [columns] in the settings says",
    Why.TEMPLATE: "as {template} has it",
    Why.NAME: "by its name",
    Why.STAND_IN: "nothing better is there",
    Why.SECRET: "a password: written nowhere",
    Why.UNKNOWN: "unknown",
}
_CARRIED = "carried along"


def facts(table: Table) -> dict[str, Any]:
    """Give how a table was understood, as an object that JSON can hold; every name is there for every table."""
    columns = table.columns
    return {
        "source": table.source,
        "kind": columns.kind.value,
        "kind_why": columns.kind_why,
        "template": columns.template,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header_row": table.top,
        "rows": len(table.frame),
        "left_out": dict(Counter(why for why in table.ignored.values() if why != "headers")),
        "given": dict(columns.given),
        "columns": list(_columns(table)),
    }


def _columns(table: Table) -> Iterator[dict[str, str]]:
    fields = {i: name for name, positions in table.columns.fields.items() for i in positions}
    by_id = {table.columns.fields[name][0]: name for name in table.columns.meant}
    for position, header in enumerate(table.headers):
        place = table.places[position] if table.places else position
        yield {
            "letter": letter(place).removeprefix("column "),
            "header": header,
            "field": (fields | by_id).get(position, ""),
            "why": table.columns.why[position].value if position in table.columns.why else "",
            "suggestion": table.columns.suggestions.get(position, ""),
        }


def lines(tables: Iterable[Mapping[str, Any]]) -> str:
    """Say it to a person: a heading for each table, then a line for each column."""
    return "\n\n".join("\n".join(_table(table)) for table in tables)


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    like = f", looks like a {table['template']} table" if table["template"] else ""
    yield _cut(f"{table['source']}: {table['kind']}{like}", 80)
    yield _cut(f"  because of  {table['kind_why']}", 80)
    if table["encoding"]:
        delimiter = {"\t": "tab"}.get(table["delimiter"], f'"{table["delimiter"]}"')
        yield f"  read as     {table['encoding']}, delimiter {delimiter}"
    left_out = [f"{many} {why}" for why, many in table["left_out"].items()]
    told = f"{table['rows']:,} read" + (f"; not read: {', '.join(left_out)}" if left_out else "")
    yield _cut(f"  rows        headers in row {table['header_row']}, {told}", 80)
    for field, text in table["given"].items():
        yield _cut(f"  {field:<11} {text} for every row, as --{field} says", 80)
    for column in table["columns"]:
        yield _column(column, table["template"])


def _column(column: Mapping[str, str], template: str) -> str:
    field = column["field"]
    means = f"{field.replace('_', ' ')}{' *' if field in CARRIED else ''}" or _CARRIED
    why = _WHY[Why(column["why"])].format(template=template) if column["why"] else "no header"
    if column["suggestion"]:
        why += f"; did you mean {column['suggestion']}?"
    header = _cut(column["header"], 22)
    return _cut(f"  {column['letter']:<3} {header:<22} {means:<16} {why}", 80).rstrip()


def _cut(text: str, width: int) -> str:
    text = plain(text)
    return text if len(text) <= width else f"{text[: width - 3]}..."
