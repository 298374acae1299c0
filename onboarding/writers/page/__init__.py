"""A finished command in; ``report.html`` out: one page with everything in it, that asks the network for nothing.

What a script may run is named by its hash, so that nothing from a sheet ever runs; and every text from a sheet goes
through the template's escaping or becomes text in the script.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from onboarding.words import said
from onboarding.writers.finished import Finished, Since, moment
from onboarding.writers.page.content import FEW, SHOWN, Content, content, grids
from onboarding.writers.text import count, duration

if TYPE_CHECKING:
    from jinja2 import Template


def report_html(finished: Finished, names: Collection[str]) -> Iterator[bytes]:
    """Give the page, bit by bit; ``names`` are the files that lie beside it."""
    said_here = content(finished)
    scripts = [_asset("vendor/tabulator.min.js"), _asset("page.js")]
    styles = [_asset("vendor/tabulator.min.css"), _asset("page.css")]
    page = template().generate(
        policy=_policy(scripts, styles),
        page=said_here,
        summary=finished.summary,
        since=finished.since,
        said=said,
        shown=SHOWN,
        data=_packed(grids(finished)),
        grid_style=styles[0],
        style=styles[1],
        grid_script=scripts[0],
        script=scripts[1],
        **_words(finished, said_here, names),
    )
    return (text.encode(errors="backslashreplace") for text in page)


@cache
def template() -> Template:
    """Give the page's template, compiled: once for all jobs of an inbox."""
    from jinja2 import Environment, PackageLoader  # here, since `validate` hardly ever needs it

    environment = Environment(
        loader=PackageLoader("onboarding.writers.page", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Allow these scripts and styles, and nothing else in the world."""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def _packed(data: Iterable[tuple[str, Any]]) -> str:
    """Pack the parts of an object so that it can stand in a page: no letter of it means anything to a browser."""
    zipped = io.BytesIO()
    with gzip.GzipFile(fileobj=zipped, mode="wb", compresslevel=3, mtime=0) as file:
        for text in _object(data):
            file.write(text.encode(errors="replace"))
    return base64.b64encode(zipped.getbuffer()).decode()


def _json(value: Any) -> Iterator[str]:
    """Put a value into JSON bit by bit.

    An iterator gives a list: some of its items at a time, or one item that is such an iterator.
    """
    match value:
        case dict() if any(isinstance(part, Iterator) for part in value.values()):
            yield from _object(value.items())
        case Iterator():
            yield "["
            for n, part in enumerate(value):
                yield "," * bool(n)
                yield from _json(part) if isinstance(part, Iterator) else [_dumps(part)[1:-1]]
            yield "]"
        case _:
            yield _dumps(value)


def _object(parts: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for n, (name, part) in enumerate(parts):
        yield f'{"," if n else "{"}"{name}":'
        yield from _json(part)
    yield "}"


_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


def _words(finished: Finished, page: Content, names: Collection[str]) -> dict[str, Any]:
    """Give the template the sentences that depend on what kind of command it was."""
    summary, prospect = finished.summary, finished.prospect
    planned = summary["command"] == "plan"
    mails = prospect.invitations if prospect else 0
    changes = sum(deed.change is not None for deed in finished.done)
    return {
        "planned": planned,
        "tenant": _address(summary["tenant"]),
        "plan_file": shlex.quote(f"{summary['folder']}/plan.json"),
        "compared": prospect is not None,
        "usage": prospect.usage if prospect else (),
        "any_change": changes,
        "few": changes <= FEW,
        "retry": [name for name in names if name.startswith("retry/")],
        "mails": count(mails, "invitation e-mail"),
        "mails_title": "Invitation e-mails that would be sent" if planned else "Invitation e-mails",
        "calls": count(summary["calls"]["announced"], "call"),
        "takes": duration(prospect.seconds) if prospect else "",
        "largest": max((max(move.before, move.after) for move in page.groups), default=1) or 1,
        "since_words": _since(finished.since) if finished.since else "",
        "appendix": _appendix(summary, [*names, "report.html", "summary.json"]),
    }


def _address(tenant: str) -> str:
    """Give what ``--tenant`` is told; of the embedded tenant only its id is known, and not its file."""
    return "sandbox" if tenant.startswith("sandbox-") else f"https://{tenant}"


def _since(since: Since) -> str:
    if not since.fresh and not since.gone:
        return "The same rows need you as then."
    fresh = f"{count(len(since.fresh), 'row')} {'needs' if len(since.fresh) == 1 else 'need'} you now that did not then"
    gone = f"{count(since.gone, 'row')} that needed you then {'is' if since.gone == 1 else 'are'} settled"
    return (
        "; ".join(words for words, there in ((fresh, since.fresh), (gone, since.gone)) if there)
        + "."
    )


def _appendix(summary: Mapping[str, Any], names: Collection[str]) -> list[tuple[str, str]]:
    calls = summary["calls"]
    facts = [
        ("command", summary["command"]),
        ("version", summary["version"]),
        ("tenant", summary["tenant"]),
        ("started", moment(summary["started"])),
        ("finished", moment(summary["finished"])),
        ("took", duration(summary["seconds"])),
        ("waited for the rate limit", f"{summary['waits'].get('rate-limit', 0):.0f} s"),
        ("calls announced", f"{calls['announced']:,}"),
        ("calls made", f"{calls['made']:,}"),
        ("plan fingerprint", summary["fingerprint"]),
        ("exit code", str(summary["exit_code"])),
        ("folder", summary["folder"]),
        ("files", ", ".join(names)),
    ]
    without = (
        set()
        if summary["tenant"]
        else {"calls announced", "calls made", "waited for the rate limit"}
    )
    return [(name, value) for name, value in facts if value and name not in without]
