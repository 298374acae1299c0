"""A room of ours, a request and a file's bytes in; what that room said of them in a process of its own out.

Files can hurt: a few kilobytes can make a spreadsheet library ask for 500 GiB, which no ``except`` catches, or send it in
circles. So a second Python does what has to be done with them. It limits itself to little memory and time, and has no
secret in its environment; however it ends, this process goes on.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEMORY = 2 << 30
"""Bytes; a sheet of a million rows and eight columns takes 1.2 GiB to read."""


def confined(
    room: str,
    asked: Mapping[str, object],
    content: bytes,
    *,
    seconds: int,
    patience: float,
    scratch: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m room``, which begins with ``request``, for so many seconds of processor time at most.

    Raises ``subprocess.TimeoutExpired`` after ``patience`` seconds on the clock. Files that it makes stand in ``scratch``.
    """
    return subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-P", "-m", room, str(seconds)],
        input=json.dumps(asked).encode() + b"\n" + content,
        env=environment() | ({"TMPDIR": str(scratch.absolute())} if scratch else {}),
        capture_output=True,
        timeout=patience,
        start_new_session=True,  # a Ctrl-C is for us to answer
        check=False,
    )


def request() -> tuple[dict[str, Any], bytes]:
    """Limit this process, the one that was started; give what is asked of it, and the bytes of the file."""
    _limit(int(sys.argv[1]))
    return json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer.read()


def environment() -> dict[str, str]:
    """Let the process find what this one finds, and nothing that is none of its business."""
    kept = {
        name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ
    }
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path)}


def _limit(seconds: int) -> None:
    """Bound what this process may take, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
