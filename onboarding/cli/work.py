"""A parsed command line comes in; its settings, its job, its tenant and its exit code go out."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click
from click.core import ParameterSource

from onboarding import lock, memory
from onboarding.access import Connection, Key, connection, identity
from onboarding.cli import embedded, options
from onboarding.cli.console import Console
from onboarding.cli.signals import Signals
from onboarding.config import Known, Origin, Source, read_files
from onboarding.errors import UsageError

if TYPE_CHECKING:
    from onboarding.atlan import Atlan
    from onboarding.config.settings import Settings
    from onboarding.job import Job, Report
    from onboarding.journal import State
    from onboarding.safety import Limit
    from onboarding.sheets import OneInput

T = TypeVar("T")

NO_STATE = "It is not there yet; a first run that nobody watches needs --init-state."
NO_TENANT = (
    "no tenant is named. Name it with --tenant https://acme.atlan.com (or ATLAN_BASE_URL in the "
    "environment, or tenant in the settings file), or try it out with --tenant sandbox, which needs no account"
)
NOBODY_TO_ASK = (
    "this would ask before it changes anything, and there is no terminal to ask at. Add --yes, or see "
    "first what it would do with `onboarding plan`"
)


class Work:
    """One command at work; what it opened is closed in the end."""

    def __init__(self, ctx: click.Context, given: dict[str, Any], *, asks: bool | None) -> None:
        """``asks``: whether there may be a person to ask; None where the command asks nothing."""
        self.console: Console = ctx.obj.console
        self.signals: Signals = ctx.obj.signals
        self.stop = self.signals.stop
        self.began = datetime.now(UTC)
        self._given = given
        self._opened = ExitStack()

        self.console.set_up(**given)
        self.console.started = self.signals.be_polite
        for name in _strangers(ctx):
            self.console.say(f"{name} is set, and no option can be set by it; it is ignored")
        self.known = known(ctx)
        self.console.secrets += _misplaced_keys(self.known)
        if asks is not None:
            self._check_who_agrees(asks=asks)

    def _check_who_agrees(self, *, asks: bool) -> None:
        """Refuse before anything is read or contacted: nobody will be there to answer."""
        self.console.yes = self._given["yes"]
        self.console.on_terminal = self.console.on_terminal and asks
        if not self.console.yes and not self.console.on_terminal:
            raise UsageError(NOBODY_TO_ASK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def enter(self, what: AbstractContextManager[T]) -> T:
        """Open something for as long as the command works."""
        return self._opened.enter_context(what)

    # ---- what goes to the pipeline ----------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """What is known, judged."""
        self.console.listen()
        from onboarding.config.settings import settle

        settings = settle(self.known)
        self.console.any_domain = not settings.allowed_domains
        return settings

    def job(self, inputs: Sequence[str] = ()) -> Job:
        """Give each room its own part of the settings, and what only a person may say."""
        chosen, given = self.settings, self._given

        from onboarding.apply import Pace
        from onboarding.headers import Kind
        from onboarding.intake import Rules
        from onboarding.job import Job
        from onboarding.model import normal_email
        from onboarding.reconcile import Wishes
        from onboarding.safety import Limits, Permissions
        from onboarding.sheets import Reading

        # `validate` writes files only where somebody named a folder for them.
        named = "tenant" in given or "reports" in self.known.values
        return Job(
            inputs=tuple(inputs),
            began=self.began,
            reading=Reading(
                kind=Kind(chosen.kind) if chosen.kind else None,
                encoding=chosen.encoding,
                delimiter=chosen.delimiter,
                columns=chosen.columns,
                group=given.get("group", ""),
                # What is cut off takes something from those whom it lacks; else a person may look.
                final_line_break=given.get("yes", False) or given.get("authoritative", False),
                inputs=self._inputs(),
            ),
            rules=Rules(
                role_aliases=chosen.role_aliases,
                allowed_domains=chosen.allowed_domains,
            ),
            wishes=Wishes(
                create_groups=chosen.create_groups,
                authoritative=given.get("authoritative", False),
                leavers_revoke=chosen.leavers == "revoke",
                default_role=chosen.default_role,
                sso_groups=chosen.sso_groups,
            ),
            limits=Limits(**_limits(chosen)),
            permissions=Permissions(
                allow_admins=given.get("allow_admins", False),
                allow_default=given.get("allow_default", False),
                invite=not chosen.no_invite,
                reinvite=frozenset(map(normal_email, given.get("reinvite", ()))),
            ),
            pace=Pace(batch=chosen.batch_size, workers=chosen.workers, wait=float(chosen.wait)),
            reports=chosen.reports if named else None,
            keep_runs=chosen.keep_runs,
            carry=chosen.report.columns,
            state=chosen.state,
            init_state=self._may_make_state(),
            accept=given.get("accept", ""),
            expect=given.get("expect", ""),
        )

    def _inputs(self) -> dict[str, OneInput]:
        """Give what is set for single files; a flag, and the environment, go before it."""
        from onboarding.sheets import OneInput

        by_hand = {Source.FLAG, Source.ENVIRONMENT}
        said = {name for name, origin in self.known.origins.items() if origin.source in by_hand}
        return {
            pattern: OneInput(**one.model_dump(exclude=said))
            for pattern, one in self.settings.files.items()
        }

    def _may_make_state(self) -> bool:
        """Without a person about, a missing state folder is more likely a wrong path than a first run."""
        by_hand = self.console.on_terminal or bool(self._given.get("init_state"))
        return by_hand or embedded.database(self.known.tenant) is not None

    def alone(self) -> State:
        """Take the tenant's lock, as the first thing: whoever comes too late leaves before anything heavy is imported."""
        folder, name = self.known.state, self._identity()
        self.enter(lock.alone(folder, name, create=self._may_make_state()))
        from onboarding.journal import State

        return self.enter(closing(State.open(folder, name, create=False)))

    def _identity(self) -> str:
        """Which tenant it is; only the embedded one must be started to know."""
        named = self.known.tenant
        if not named or embedded.database(named):
            return self.connection.tenant
        return identity(named)

    def tenant(self) -> Atlan:
        """Give the tenant, ready to be called; it counts its calls from the first."""
        return self._tenants()

    @cached_property
    def _tenants(self) -> Callable[[], Atlan]:
        return self._at(self.connection)

    def _at(self, found: Connection) -> Callable[[], Atlan]:
        """Give what talks to the tenant at a connection, at its pace; that is one for all that is ever given."""
        from onboarding.atlan import Atlan
        from onboarding.auth import ApiKey, ClientCredentials
        from onboarding.pacing import Budget, burst_of
        from onboarding.transport import Transport

        memory.give_back()
        secret = found.key.secret.get_secret_value()
        self.console.secrets.append(secret)
        self.console.pace = found.rate
        pace = math.inf if found.rate is None else float(found.rate)
        client = found.key.client_id
        auth = ClientCredentials(found.url, client, secret) if client else ApiKey(secret)
        budget = Budget(
            pace,
            burst_of(pace),
            workers=self.settings.workers,
            waiting=self.console.waiting,
            stop=self.stop,
        )

        def ready() -> Atlan:
            wire = Transport(found.url, auth, budget=budget, called=self.console.called)
            return self.console.watch(Atlan(wire, tenant=found.tenant))

        return ready

    @cached_property
    def connection(self) -> Connection:
        """How the tenant is reached; the embedded one is started."""
        if not self.settings.tenant:
            raise UsageError(NO_TENANT)
        database = embedded.database(self.settings.tenant)
        if database is None:
            return connection(self.settings, self.known.origins, os.environ)
        found = self.enter(embedded.serving(database))
        return Connection(found.url, found.tenant, Key.embedded(found.key))

    # ---- and what comes back ----------------------------------------------------------------------------------

    def end(self, report: Report) -> int:
        """Show the report and give the exit code; a signal goes before everything else."""
        code = self.signals.exit_code or report.exit_code
        self.console.report(report, code)
        return code

    def through(self, inbox: Path) -> int:
        """Take up the files of an inbox; what matters most of how they ended gives the exit code."""
        if self._given["reinvite"] or self._given["accept"]:
            raise UsageError(
                "--accept and --reinvite are about one file, and an inbox may hold any; run that file by itself, "
                "from the inbox or from its folder done"
            )
        tenant, state = self.tenant, None
        if _may_hold_uploads(inbox):
            state, tenant = self.alone(), self._tenants  # whose key is sound before a file is taken
        from onboarding.cli.receipts import facts, left_alone
        from onboarding.inbox import Taken, work
        from onboarding.totals import worst

        self.console.in_turn = True
        taken, left = [], []
        job, console = self.job(), self.console
        for one in work(inbox, job, tenant, console, stop=self.stop, state=state):
            if isinstance(one, Taken):
                taken.append(one)
                self.console.taken(one)
            else:
                left.append(one)
                self.console.say(left_alone(one))
        code = self.signals.exit_code or worst({one.exit_code for one in taken})
        if not taken:
            self.console.say(f"Nothing new lies in {inbox}.")
        self.console.facts(facts(inbox, taken, left, code), "")
        return code

    def check_up(self) -> int:
        """Look at settings and tenant, and show each as a line; what matters most gives the exit code."""
        from onboarding.doctor import Check, examine

        checks = [
            Check(
                f"{name}",
                ok=True,
                seen=f"{self.console.hide(_shown(getattr(self.settings, name)))}  (from {origin})",
                to_do=NO_STATE if name == "state" and not self.settings.state.is_dir() else "",
            )
            for name, origin in self.known.origins.items()
        ]
        try:
            found = self.connection
            checks.append(Check("API key", ok=True, seen=f"from {found.key.origin}"))
            sso_groups = self.settings.sso_groups
            checks += examine(found.url, self._at(found)(), sso_groups=sso_groups)
        except UsageError as error:
            seen = self.console.hide(str(error))
            checks.append(Check("settings", ok=False, seen=seen, exit_code=error.exit_code))
        if self.console.any_domain:
            to_do = 'Set allowed_domains = ["your-company.example"] in the settings file.'
            checks.append(Check("domains", ok=True, seen="any address may be invited", to_do=to_do))

        code = max(check.exit_code for check in checks)
        facts = {"checks": [asdict(check) for check in checks], "exit_code": code}
        self.console.facts(facts, "\n".join(str(check) for check in checks))
        return code


def known(ctx: click.Context) -> Known:
    """Give what is known of a command's settings; click has worked out what was said by hand."""
    inbox = ctx.params.get("inbox")
    # What came with an upload goes before what lies where we were called.
    files = read_files(ctx.params["config"], inbox or Path.cwd(), uploaded=bool(inbox))
    origins = {
        str(parameter.name): origin
        for parameter in ctx.command.params
        if isinstance(parameter, options.Option)
        and parameter.setting
        and (origin := _by_hand(ctx, parameter))
    }
    return files.overruled({name: ctx.params[name] for name in origins}, origins)


def _by_hand(ctx: click.Context, parameter: click.Parameter) -> Origin | None:
    """Give the flag or the variable that set a parameter."""
    match ctx.get_parameter_source(str(parameter.name)):
        case ParameterSource.COMMANDLINE:
            return Origin(Source.FLAG, parameter.opts[0])
        case ParameterSource.ENVIRONMENT:
            return Origin(Source.ENVIRONMENT, _variable(parameter))
        case _:
            return None


def _may_hold_uploads(inbox: Path) -> bool:
    """Whether a file lies in an inbox, as far as that can be told without what it takes to read one."""
    with suppress(OSError), os.scandir(inbox) as entries:
        return any(
            entry.is_file(follow_symlinks=False)
            and not entry.name.startswith((".", "~$", "onboarding.toml"))
            for entry in entries
        )
    return False


def _misplaced_keys(known: Known) -> list[str]:
    """Give what stands where a file with the key should be named, and is more likely the key itself."""
    named = [os.environ.get("ATLAN_API_KEY_FILE", ""), known.values.get("api_key_file", "")]
    return [
        path.name
        for path in map(Path, filter(None, named))
        if (path.name.startswith("eyJ") or len(path.name) > 30) and not os.path.lexists(path)
    ]


def _strangers(ctx: click.Context) -> list[str]:
    """Give the variables that look like ours and are not: somebody may rely on a guard that is not there."""
    door = ctx.find_root().command
    commands = door.commands.values() if isinstance(door, click.Group) else ()
    known = {"ONBOARDING_SANDBOX_KEY", "ONBOARDING_TEST_PROFILE"}
    for parameter in (parameter for command in commands for parameter in command.params):
        named = parameter.envvar or ()
        known.update((named,) if isinstance(named, str) else named)
    return sorted(
        name for name in os.environ if name.startswith("ONBOARDING_") and name not in known
    )


def _variable(parameter: click.Parameter) -> str:
    named = parameter.envvar or ()
    names = (named,) if isinstance(named, str) else named
    return next(name for name in names if os.environ.get(name))


def _shown(value: object) -> str:
    match value:
        case frozenset():
            return ", ".join(sorted(value))
        case dict():
            return f"{len(value)} entries"
        case _:
            return re.sub(r"^(\w+://)?[^@]*:.*@", r"\1***@", str(value))  # it may hold a password


def _limits(settings: Settings) -> dict[str, Limit]:
    """Give the limits that are set; the others keep their defaults."""
    named = {
        "invitations": settings.max_invitations,
        "demotions": settings.max_demotions,
        "removals": settings.max_removals,
        "rejected": settings.max_rejected,
    }
    return {name: limit for name, limit in named.items() if limit is not None}
