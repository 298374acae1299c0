"""Log records come in; they go into the log of the run at hand, and with ``--verbose`` among the messages."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from onboarding import __version__

log = logging.getLogger(__name__)


class Logs:
    """Where records go; what comes before there is a run folder waits for one, as the tenant is read first."""

    def __init__(self, show: Callable[[str], None] | None) -> None:
        """Keep records from now on; ``show``: show each as a line too, and more of them."""
        self._handlers: list[logging.Handler] = []
        self._early = _Early()
        self._folder: Path | None = None
        self._file: logging.Handler | None = None
        root = logging.getLogger()
        root.setLevel(logging.DEBUG if show else logging.INFO)
        # Its lines quote URLs, and so addresses
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._add(self._early)
        if show:
            self._add(_Lines(show))

    def open(self, folder: Path, secrets: Collection[str]) -> None:
        """Log into a run folder from now on; one that is logged into already stays as it is."""
        if folder == self._folder:
            return
        from onboarding.writers.log import to_file

        file = to_file(folder / "run.log", folder.name, secrets)
        self._drop(self._early)
        self._early.hand_over(file)
        self._add(file)
        self._folder, self._file = folder, file
        log.info("onboarding %s on Python %s", __version__, sys.version.split()[0])

    def ended(self, rows: int, exit_code: int) -> None:
        """Note how a job ended."""
        log.info("%d rows, exit code %d", rows, exit_code)

    def end_run(self) -> None:
        """Let go of the run's log; the next run has its own."""
        if self._file:
            self._drop(self._file)
            self._add(self._early)
            self._file = None

    def close(self) -> None:
        """Let go of everything."""
        for handler in list(self._handlers):
            self._drop(handler)

    def _add(self, handler: logging.Handler) -> None:
        self._handlers.append(handler)
        logging.getLogger().addHandler(handler)

    def _drop(self, handler: logging.Handler) -> None:
        self._handlers.remove(handler)
        logging.getLogger().removeHandler(handler)
        handler.close()


class _Early(logging.Handler):
    """Keeps records until there is a file for them."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record)

    def hand_over(self, file: logging.Handler) -> None:
        for record in self._kept:
            file.handle(record)
        self._kept.clear()


class _Lines(logging.Handler):
    """Shows each record as a line."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._show(self.format(record))
