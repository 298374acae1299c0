"""Arguments come in, an exit code goes out: the only room that prints, asks and draws.

Each command has its settings and its job made (``work``), hands them to ``pipeline``, and shows how it ended
(``console``). Whatever a command needs is imported when it runs: ``--help`` and ``--version`` answer at once.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from onboarding import __version__
from onboarding.cli import embedded, options
from onboarding.cli.door import Door
from onboarding.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from onboarding.cli.console import Console
    from onboarding.cli.work import Work

HELP = {"help_option_names": ["--help", "-h"], "max_content_width": 80}


@click.group(cls=Door, context_settings=HELP, no_args_is_help=True)
@click.version_option(__version__, prog_name="onboarding")
def cli() -> None:
    """Onboard people, groups and memberships from spreadsheets to Atlan.

    \b
    Try it without an account:
      onboarding run sample_data --tenant sandbox

    \b
    Every option can also be set as ONBOARDING_<OPTION> in the environment, most
    in a settings file too; --authoritative, --allow-..., --reinvite, --accept
    only by hand. The API key is read from ATLAN_API_KEY or from the file named
    in ATLAN_API_KEY_FILE; it is never an argument.
    """  # noqa: D301 -- click means the character itself


def main() -> None:
    """Carry out the command line, and end."""
    try:
        cli.main(prog_name="onboarding")
    except SystemExit as end:
        # All streams and files are closed. The system takes what is left back at once; Python, one by one, takes as long
        # as for judging a million texts, and a sixth of the time of whoever comes too late.
        if threading.active_count() == 1 and isinstance(end.code, int):
            os._exit(end.code)
        raise


def command(
    name: str,
    example: str,
    *decorators: options.Decorator[Any],
    page: type[options.Page] = options.Page,
) -> Callable[..., Any]:
    """Make a command of a function, with its options and with an example in its help."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        passed = click.pass_context(function)
        made = cli.command(name, cls=page, example=example)
        return made(options.together(*decorators)(passed))

    return decorate


# ---- the job ------------------------------------------------------------------------------------------------------


@command(
    "run",
    "onboarding run people.csv teams.xlsx --tenant https://acme.atlan.com",
    options.inputs_if_any,
    *(options.tenant, options.settings, options.state, options.init_state),
    *(
        options.inbox,
        options.reading,
        options.wishes,
        options.permissions,
        options.limits,
        options.accept,
    ),
    *(options.reports, options.yes, options.output),
)
def run(ctx: click.Context, inputs: Sequence[str], inbox: Path | None, **given: Any) -> int:
    """Validate, plan, ask, apply, report: the main job.

    INPUT is files, folders, or - for standard input: CSV, Excel or ODS with
    users, groups or memberships.
    """
    if bool(inputs) == bool(inbox):
        beside = ", not both" if inbox else ""
        raise click.UsageError(f"Name INPUT, or a folder of uploads with --inbox{beside}.", ctx)
    if inbox:
        with _work(ctx, given, asks=True) as work:
            return work.through(inbox)
    stdin = _standard_input(inputs)
    with _work(ctx, given, asks=stdin is None) as work:
        state, tenant = work.alone(), work.tenant()
        from onboarding.pipeline import run

        job = work.job(inputs)
        report = run(job, tenant, work.console, stop=work.stop, stdin=stdin, state=state)
        return work.end(report)


@command(
    "validate",
    "onboarding validate people.csv",
    options.inputs,
    options.settings,
    *(options.reading, options.explain, options.reports_if_named, options.output),
)
def validate(ctx: click.Context, inputs: Sequence[str], **given: Any) -> int:
    """Check the sheets; no tenant is contacted."""
    from onboarding import sources

    ahead = None if "-" in inputs else sources.ahead(inputs)  # pandas takes its time to come
    with _work(ctx, given) as work:
        from onboarding.errors import SheetError
        from onboarding.pipeline import validate

        try:
            stdin = _standard_input(inputs)
            report = validate(work.job(inputs), work.console, stdin=stdin, ahead=ahead)
        except SheetError as refusal:
            if given["explain"]:
                work.console.seen(refusal)
            raise
        if given["explain"]:
            report = work.console.explained(report)
        work.console.findings(report.findings)
        ctx.obj.report = report
        return work.end(report)


@command(
    "plan",
    "onboarding plan people.csv --tenant https://acme.atlan.com",
    options.inputs,
    *(options.tenant, options.settings, options.state),
    *(options.reading, options.wishes, options.permissions, options.limits),
    *(options.reports, options.output),
)
def plan(ctx: click.Context, inputs: Sequence[str], **given: Any) -> int:
    """Show and save what `run` would do; nothing is changed."""
    with _work(ctx, given) as work:
        from onboarding.pipeline import plan

        job, tenant = work.job(inputs), work.tenant()
        return work.end(plan(job, tenant, work.console, stdin=_standard_input(inputs)))


@command(
    "apply",
    "onboarding apply onboarding-reports/20260105T070000Z-people/plan.json",
    click.argument("plan", type=options.A_FILE, metavar="PLAN"),
    *(options.tenant, options.settings, options.state, options.init_state),
    *(options.permissions, options.limits, options.accept, options.expect),
    *(options.reports, options.yes, options.output),
)
def apply(ctx: click.Context, plan: Path, **given: Any) -> int:
    """Carry out a saved plan, and nothing else.

    PLAN is a plan.json, or the undo.json of a run: that takes the run back.
    Every guard runs again. Sheets that have changed since refuse the plan; what
    has moved in the tenant is set aside by itself.
    """
    with _work(ctx, given, asks=True) as work:
        state, tenant = work.alone(), work.tenant()
        from onboarding.pipeline import apply_saved

        job = work.job()
        report = apply_saved(plan, job, tenant, work.console, stop=work.stop, state=state)
        return work.end(report)


@command(
    "export",
    "onboarding export acme --tenant https://acme.atlan.com",
    click.argument("folder", type=options.A_FOLDER, metavar="DIR"),
    *(options.tenant, options.settings, options.output),
)
def export(ctx: click.Context, folder: Path, **given: Any) -> int:
    """Write the tenant's users, groups and memberships as sheets."""
    with _work(ctx, given) as work:
        from onboarding.pipeline import export

        counts = export(work.tenant(), folder)
        told = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in counts.items())
        work.console.facts(counts, f"{told}: written to {folder}")
        return 0


# ---- besides ------------------------------------------------------------------------------------------------------


@command(
    "template",
    "onboarding template people.xlsx",
    click.argument("path", type=options.A_FILE, metavar="FILE"),
    options.flag(
        "--force",
        section=options.OUTPUT,
        by_hand=True,
        help="Replace FILE if it is there already.",
    ),
)
def template(ctx: click.Context, path: Path, *, force: bool) -> int:
    """Write an empty workbook to fill in.

    It has a sheet each for users, groups and memberships, with drop-downs and
    notes, and one with examples that is not read.
    """
    if path.suffix.lower() != ".xlsx":
        raise UsageError(
            f"the template is a workbook; name it {path.stem or 'people'}.xlsx. A CSV file needs none: its "
            "first line holds the headers, such as email,role,groups,status"
        )
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; name another file, or replace it with --force")
    from onboarding.writers.files import whole
    from onboarding.writers.template import template

    whole(path, template())
    ctx.obj.console.say(f"{path} is written: fill it in, then check it with `onboarding validate`")
    return 0


@command(
    "explain",
    "onboarding explain email-invalid",
    click.argument("code", required=False, metavar="[CODE]"),
)
def explain(ctx: click.Context, code: str | None) -> int:
    """Say what a finding code means and how to fix it.

    Without CODE, all of them are listed.
    """
    from onboarding.codes import CODES

    console: Console = ctx.obj.console
    if code is None:
        longest = max(map(len, CODES))
        console.result("\n".join(CODES[name].listed(name, longest) for name in CODES))
        return 0
    if code not in CODES:
        import difflib

        near = difflib.get_close_matches(code, CODES, 1)
        hint = f"did you mean {near[0]}?" if near else "`onboarding explain` lists all of them."
        raise UsageError(f"there is no code {code!r}; {hint}")
    console.result(CODES[code].told(code))
    return 0


@command(
    "sandbox",
    "onboarding sandbox --port 8765",
    options.option(
        "--port",
        section=options.TENANT,
        type=click.IntRange(0, 65535),
        default=0,
        metavar="N",
        help="Port on 127.0.0.1; by default any that is free.",
    ),
    options.option(
        "--db",
        section=options.TENANT,
        type=options.A_FILE,
        metavar="FILE",
        help="Its database, made if missing. Default: ./onboarding-sandbox.db",
    ),
    *(embedded.switch, embedded.fault, embedded.faults),
    page=embedded.Page,
)
def sandbox(ctx: click.Context, port: int, db: Path | None, **given: Any) -> int:
    """Serve the embedded tenant over HTTP, until it is stopped.

    For other programs, or to look at its answers. A command with --tenant
    sandbox needs none: it starts its own. It behaves as the API is known to;
    switches change that where nobody knows, and faults let calls go wrong.
    """
    with embedded.serving(db or embedded.DATABASE, port, embedded.arguments(**given)) as tenant:
        ctx.obj.console.say(
            f"The embedded tenant listens on {tenant.url} until you press Ctrl-C. In another terminal:\n"
            f"  export ATLAN_BASE_URL={tenant.url} ATLAN_API_KEY={tenant.key}\n"
            "  onboarding plan people.csv"
        )
        try:
            return tenant.process.wait()
        except Interrupted:
            return 0


@command(
    "doctor",
    "onboarding doctor --tenant https://acme.atlan.com",
    *(options.tenant, options.settings, options.state, options.output),
)
def doctor(ctx: click.Context, **given: Any) -> int:
    """Check settings, connection, token rights and roles."""
    with _work(ctx, given) as work:
        return work.check_up()


def _work(ctx: click.Context, given: dict[str, Any], *, asks: bool | None = None) -> Work:
    """Begin a command; everything heavy is imported from here on."""
    from onboarding.cli.work import Work

    return Work(ctx, given, asks=asks)


def _standard_input(inputs: Sequence[str]) -> BinaryIO | None:
    return sys.stdin.buffer if "-" in inputs and sys.stdin else None  # it may be closed
