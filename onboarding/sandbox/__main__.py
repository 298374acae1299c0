"""``python -m onboarding.sandbox``: serve until told to stop; say where in one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onboarding.sandbox.switches import described, fault_from_text, script, switch_from_text

_STOP = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 after a stop, 2 where it could not begin."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.describe:
        sys.stdout.write(json.dumps(described()))
        return 0
    if options.db is None:
        parser.error("--db is missing")
    if not 0 <= options.port <= 65535:
        parser.error(f"--port {options.port}: not between 0 and 65535")
    try:
        settings = _settings(options)
    except ValueError as error:
        return _complain(f"can't be set up like this: {error}")
    return _serve(options, settings)


def _serve(options: argparse.Namespace, settings: dict[str, Any]) -> int:
    from onboarding.sandbox.server import Sandbox  # not needed for --describe, which is to be quick

    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # in every thread: they are waited for below
    try:
        with Sandbox(
            options.db,
            options.port,
            key=os.environ.get("ONBOARDING_SANDBOX_KEY", "sandbox"),
            **settings,
        ) as tenant:
            sys.stdout.write(json.dumps({"url": tenant.url, "tenant": tenant.tenant}) + "\n")
            sys.stdout.flush()
            if options.until_stdin_closes:
                threading.Thread(target=_stop_after_stdin, daemon=True).start()
            signal.sigwait(_STOP)
    except OSError as error:
        return _complain(f"can't serve on port {options.port}: {error.strerror}")
    except sqlite3.Error as error:
        return _complain(f"can't keep a tenant in {options.db}: {error}")
    except ValueError as error:
        return _complain(f"can't be set up like this: {error}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m onboarding.sandbox", description=__doc__)
    parser.add_argument("--db", type=Path, help="database; made when missing")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--faults", type=Path, help="JSON with switches and faults")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--fault", action="append", default=[], metavar="'KIND NAME=VALUE ...'")
    parser.add_argument("--describe", action="store_true", help="what can be set, as JSON")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the parent")
    return parser


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """What the file says, then what the command line says."""
    settings = _from_file(options.faults) if options.faults else {}
    switches = dict(settings.get("switches", {}))
    for text in options.switch:
        switches |= switch_from_text(text)
    faults = [*settings.get("faults", []), *map(fault_from_text, options.fault)]
    return {"switches": switches, "faults": faults}


def _from_file(path: Path) -> dict[str, Any]:
    """What stands in the file; it is looked through here, so that a complaint names it."""
    try:
        settings = json.loads(path.read_text("utf-8"))
        script(settings)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return dict(settings)


def _stop_after_stdin() -> None:
    while os.read(0, 65536):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _complain(message: str) -> int:
    sys.stderr.write(f"onboarding.sandbox: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
