"""A command line comes in; whatever happens below, an exit code and at most one clear line go out."""

from __future__ import annotations

import errno
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from onboarding import __version__
from onboarding.cli.console import Console
from onboarding.cli.signals import Signals
from onboarding.errors import Interrupted, OnboardingError, UsageError


class Door(click.Group):
    """The command, whose every end is an exit code and at most one clear line."""

    def list_commands(self, _: click.Context) -> list[str]:
        """List the commands in the order in which a person meets them."""
        return list(self.commands)

    def main(self, *arguments: Any, **facts: Any) -> NoReturn:
        """Run a command and exit. Nothing that goes wrong below comes out as a traceback."""
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a memory image would hold the key
        _open_streams()
        console = Console(os.environ)
        signals = Signals()
        facts |= {"standalone_mode": False, "obj": Call(console, signals)}
        with signals.handled():
            code = _ended(lambda: super(Door, self).main(*arguments, **facts), console)
        sys.exit(console.close(code))


def _open_streams() -> None:
    """Let there be two streams, as cron and `>&-` may close them: what is written to them then goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- as long as we live
            setattr(sys, name, nowhere)


class Call:
    """What a command finds in ``ctx.obj``: the voice, and what signals have come."""

    def __init__(self, console: Console, signals: Signals) -> None:
        self.console = console
        self.signals = signals
        self.report: object = None
        """How it ended; kept, since taking a large one apart takes its time."""


def _ended(command: Callable[[], int | None], console: Console) -> int:
    """Give a command's exit code, and say what went wrong if anything did."""
    try:
        return command() or 0
    except Interrupted as error:
        console.failed(error, 128 + error.signal)
        return 128 + error.signal
    except OnboardingError as error:
        console.failed(error, error.exit_code)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        console.say(error.format_message())
        return UsageError.exit_code
    except click.UsageError as error:
        help_line = f"\nSee: {error.ctx.command_path} --help" if error.ctx else ""
        console.error(f"{error.format_message()}{help_line}")
        return UsageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.error("interrupted")
        return 130
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EDQUOT):
            return _bug(error, console)
        console.error(f"something can't be written: {error.strerror}")
        return 74
    except Exception as error:  # noqa: BLE001 -- the last door: a bug is one line, its traceback is in the log
        return _bug(error, console)


def _bug(error: Exception, console: Console) -> int:
    import logging

    console.listen()
    logging.getLogger(__name__).error("a bug of ours", exc_info=error)
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    hint = "" if console.verbose else " (--verbose shows where)"
    console.failed(
        f"this is a bug of onboarding {__version__}, please report it: {words}{hint}", 70
    )
    return 70
