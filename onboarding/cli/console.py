"""The tool's voice: what a job says goes in, lines on the two streams come out, and a person's answers go back.

Results go to standard output; messages, questions, the bar and the log to standard error. A stream that can't be
written to stops nothing: it is remembered, and the exit code says so in the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from onboarding import __version__
from onboarding.cli.progress import Progress
from onboarding.errors import TooManyRejected, UnsafePlan

if TYPE_CHECKING:
    from onboarding.cli.logs import Logs
    from onboarding.cli.progress import Paced
    from onboarding.inbox import Taken
    from onboarding.job import Prospect, Report
    from onboarding.model import Finding

    Watched = TypeVar("Watched", bound=Paced)


class Console:
    """One per command; ``pipeline.Voice`` is what a job sees of it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.color = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.as_json = self.quiet = self.verbose = False
        self.yes = False
        self.on_terminal = _is_terminal(sys.stdin) and _is_terminal(sys.stderr)
        """Whether there is a person to ask; not so where standard input is a sheet."""
        self.pace: int | None = None
        """Calls a minute, for the estimate."""
        self.any_domain = True
        """Whether the settings allow every domain."""
        self.in_turn = False
        """Whether this is one job of several, each of which ends in a receipt and no more."""
        self.secrets: list[str] = []
        """Never written, whatever they stand in."""
        self.started: Callable[[], None] = _nothing
        """Called once the person has agreed, before the first changing call."""
        self.lost_output = False
        self._reports: Path | None = None
        """Where the report of this run lies, or those of several in turn; None before there is any."""
        self._gap = ""
        """What stands between the end and what was shown before it, if anything was."""
        self._progress = Progress(sys.stderr)
        self._changes = 0
        self._logs: Logs | None = None
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError):  # a stream of somebody else's, who wants it as it is
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    def set_up(
        self, *, as_json: bool, quiet: bool, verbose: bool, no_color: bool, **_: object
    ) -> None:
        """Take the options of output; what else a command has is no business of ours."""
        self.as_json, self.quiet, self.verbose = as_json, quiet, verbose
        self.color = self.color and not no_color

    def listen(self) -> Logs:
        """Keep log records from now on; whoever finds the tenant locked leaves before, as this takes a while to import."""
        if self._logs is None:
            from onboarding.cli.logs import Logs

            self._logs = Logs(self._show if self.verbose else None)
        return self._logs

    # ---- lines ------------------------------------------------------------------------------------------------

    def result(self, text: str) -> None:
        """Print a result, if there is any."""
        if text:
            self._write(text, sys.stdout)

    def say(self, message: str) -> None:
        """Print a message, unless nobody wants any."""
        if not self.quiet:
            self._write(_safe(message), sys.stderr)

    def error(self, message: str) -> None:
        """Print what went wrong, however quiet we are."""
        self.end_bar()
        mark = click.style("error:", fg="red") if self.colors(sys.stderr) else "error:"
        self._write(f"{mark} {_safe(self.hide(message))}", sys.stderr)

    def hide(self, text: str) -> str:
        """Take the secrets out of a text."""
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return text

    def colors(self, stream: TextIO) -> bool:
        """Say whether a stream shows colours."""
        return self.color and _is_terminal(stream)

    def _show(self, line: str) -> None:
        """Show a line of the log among the messages, without secrets and in plain characters."""
        self._write(_safe(self.hide(line)), sys.stderr)

    def _write(self, text: str, stream: TextIO) -> None:
        self._progress.clear()
        try:
            stream.write(text if text.endswith("\n") else f"{text}\n")
            stream.flush()
        except BrokenPipeError:  # the reader has seen enough, as `| head` does
            _discard(stream)
        except (OSError, ValueError):
            self.lost_output = self.lost_output or stream is sys.stdout
            _discard(stream)

    # ---- pipeline.Voice ---------------------------------------------------------------------------------------

    def opened(self, folder: Path) -> None:
        """Log into the run folder from now on."""
        self._reports = (folder.parent if self.in_turn else folder).absolute()
        self.listen().open(folder, self.secrets)

    def propose(self, prospect: Prospect) -> None:
        """Show the findings and the plan."""
        from onboarding.words import labels
        from onboarding.writers import proposal, text

        self.end_bar()
        self._changes = len(prospect.plan)
        if (self.quiet or self.as_json or self.in_turn) and not self._will_ask:
            return
        stream = sys.stderr if self.as_json or self.in_turn else sys.stdout
        colour = self.colors(stream)
        shown = text.diagnostics(prospect.findings, more="see results.csv", colour=colour)
        measured = self._progress.left(prospect.calls)  # by answers, where they are slower
        seconds, pace = max((prospect.seconds, self.pace), (measured, None), key=lambda by: by[0])
        plan = proposal.proposal(
            prospect.plan,
            proposal.Forecast(prospect.calls, seconds, pace),
            labels(prospect.current, prospect.plan),
            rows=len(prospect.rows),
            rejected=prospect.rejected,
            any_domain=self.any_domain,
            colour=colour,
        )
        self._write("\n".join(filter(None, [shown, plan])), stream)
        self._gap = "\n"

    def confirm(self, prospect: Prospect) -> bool:
        """Ask whether to go on, unless that was said before."""
        mails, changes = prospect.invitations, len(prospect.plan)
        what = f"sends {mails:,} invitation e-mail{'s' * (mails != 1)}"
        if not mails:
            what = f"makes {changes:,} change{'s' * (changes != 1)}"
        agreed = self.yes or self._ask(f"This {what}. Continue? [y/N] ").lower() in ("y", "yes")
        if agreed:
            self.started()
        return agreed

    def insist(self, refusal: UnsafePlan | TooManyRejected) -> bool:
        """Let a person at a terminal type the number of changes; rejected rows need their own option."""
        if isinstance(refusal, TooManyRejected) or not self.on_terminal:
            return False
        self._write(_safe(str(refusal)), sys.stderr)
        typed = self._ask(
            f"To carry it out all the same, type how many changes it makes ({self._changes}): "
        )
        return typed.replace(",", "") == str(self._changes)

    def step(self, done: int, total: int, what: str) -> None:
        """Move the bar."""
        if self._draws:
            self._progress.step(done, total, what)

    def rows(self, through: int, total: int) -> None:
        """Have the bar show how many rows are through."""
        self._progress.rows(through, total)

    def called(self) -> None:
        """Move the bar by a call."""
        if self._draws:
            self._progress.called()

    def waiting(self, seconds: float) -> None:
        """Say for how long the tenant has asked us to wait."""
        if self._draws:
            self._progress.waiting(seconds)

    def watch(self, tenant: Watched) -> Watched:
        """Have the bar show the calls of this one."""
        self._progress.watch(tenant)
        return tenant

    # ---- the end ----------------------------------------------------------------------------------------------

    def report(self, report: Report, exit_code: int) -> None:
        """Show how a command ended."""
        from onboarding.writers import summary, text

        self.end_bar()
        facts = {**report.summary, "exit_code": exit_code}
        self.listen().ended(facts["rows"], exit_code)
        if self.as_json:
            self.result(summary.as_json(facts).decode())
        elif exit_code or not self.quiet:
            ending = text.closing(
                report.totals,
                seconds=facts["seconds"],
                calls=facts["calls"]["made"],
                exit_code=exit_code,
                folder=report.folder,
                files=facts["files"],
                colour=self.colors(sys.stdout),
            )
            self.result(self._gap + ending)
        if report.error is not None:
            self.error(str(report.error))
        elif not facts["rows"]:  # more likely a mistake than meant, so said even to cron
            self._write("Nothing to do: the sheets hold headers and no rows.", sys.stderr)

    def taken(self, taken: Taken) -> None:
        """Show the receipt of one job of several."""
        from onboarding.cli.receipts import receipt

        self.end_bar()
        self.listen().end_run()
        if not self.as_json and (taken.exit_code or not self.quiet):
            self.result(self.hide(receipt(taken)))
        if taken.error is not None:
            told = str(taken.error)
            self.error(told if told.startswith(taken.name) else f"{taken.name}: {told}")

    def explained(self, report: Report) -> Report:
        """Show how each table was understood; in JSON, as a part of the report."""
        from onboarding.writers import explained

        tables = [explained.facts(table) for table in report.tables]
        if not self.as_json:
            self.result(f"{explained.lines(tables)}\n")
            self._gap = "\n"
        return replace(report, summary={**report.summary, "tables": tables})

    def seen(self, refusal: BaseException) -> None:
        """Show what was seen of a table that was refused, as its refusal notes it."""
        cause: BaseException | None = refusal
        while cause is not None:
            if not self.as_json:
                self.result("".join(f"{note}\n" for note in getattr(cause, "__notes__", ())))
            cause = cause.__cause__

    def findings(self, findings: Sequence[Finding]) -> None:
        """Show findings by themselves, as `validate` does."""
        from onboarding.writers import text

        shown = text.diagnostics(findings, colour=self.colors(sys.stdout))
        if shown and not self.as_json:
            self.result(shown)
            self._gap = "\n"

    def facts(self, facts: Mapping[str, Any], words: str) -> None:
        """Show what a command found that has no report: as JSON, or in words."""
        if self.as_json:
            import json

            words = json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False)
        self.result(self.hide(words))

    def failed(self, error: object, exit_code: int) -> None:
        """Say what ended a command before it had a report; in JSON too, if that is what is read."""
        message = self.hide(str(error))
        if self.as_json:
            self.facts({"version": __version__, "exit_code": exit_code, "error": message}, "")
        self.error(message)

    def end_bar(self) -> None:
        """Take the bar away."""
        self._progress.end()

    def close(self, exit_code: int) -> int:
        """Let go of logs and streams, and give the exit code: 74 where a result could not be printed."""
        self.end_bar()
        if self._logs:
            self._logs.close()
        self._flush()
        if self.lost_output:
            kept = "it stands nowhere else; make room and run again"
            if self._reports:
                kept = f"it stands in {self._reports} too"
            self.error(f"the output could not be written; {kept}")
            return 74 if exit_code in _LESS_THAN_LOST else exit_code
        return exit_code

    def _flush(self) -> None:
        """Write out what others have printed, such as a page of help."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _discard(sys.stdout)
        except (OSError, ValueError):
            self.lost_output = True
            _discard(sys.stdout)

    # ---- below ------------------------------------------------------------------------------------------------

    @property
    def _will_ask(self) -> bool:
        return self.on_terminal and not self.yes

    @property
    def _draws(self) -> bool:
        return not self.quiet and not self.as_json and _is_terminal(sys.stderr)

    def _ask(self, question: str) -> str:
        """Give a line that a person typed; nothing where the input has ended."""
        self.end_bar()
        with suppress(OSError, ValueError):
            sys.stderr.write(question)
            sys.stderr.flush()
        return sys.stdin.readline().strip()


_LESS_THAN_LOST = frozenset({0, 1, 4, 70, 75})
"""Exit codes that give way to a result which could not be written."""


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _safe(text: str) -> str:
    """Spell out what could speak to the terminal; line breaks stay."""
    lines = text.split("\n")
    if all(map(str.isprintable, lines)):
        return text
    from onboarding.writers.text import plain

    return "\n".join(map(plain, lines))


def _discard(stream: TextIO) -> None:
    """Send what is still to come nowhere; else Python would complain again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _nothing() -> None:
    """Do nothing."""
