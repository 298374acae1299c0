"""The options, each defined once, and the page of help that shows them in sections.

An option may also come from ``ONBOARDING_<OPTION>``, unless it is made ``by_hand``; a ``setting`` from a settings file, too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

TENANT = "Tenant"
READING = "Reading the sheets"
PERMISSIONS = "What may change"
LIMITS = "Limits, each N or N%"
OUTPUT = "Output"

LONGEST = 255
"""Characters that a tenant keeps of a group's name."""


class Option(click.Option):
    """An option that knows its section of the help."""

    def __init__(
        self,
        *arguments: Any,
        section: str,
        setting: bool = False,
        by_hand: bool = False,
        **facts: Any,
    ) -> None:
        super().__init__(*arguments, **facts)
        self.section = section
        self.setting = setting
        if self.envvar is None and not by_hand:
            spelled = max(self.opts, key=len).lstrip("-").replace("-", "_")
            self.envvar = f"ONBOARDING_{spelled.upper()}"

    def get_help_extra(self, _: click.Context) -> Any:
        """Leave ranges and the like out; the help text says what matters."""
        return {}


class Page(click.Command):
    """A command whose help shows an example, then its options in sections; it fits 80 columns."""

    def __init__(self, *arguments: Any, example: str, **facts: Any) -> None:
        super().__init__(*arguments, **facts)
        self.example = example

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example and the sections, the options of each in the order of their making."""
        with formatter.section("Example"):
            formatter.write_text(self.example)
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            line = parameter.get_help_record(ctx)
            if line is not None and not isinstance(parameter, click.Argument):
                section = parameter.section if isinstance(parameter, Option) else "Help"
                sections.setdefault(section, []).append(line)
        for section, lines in sections.items():
            with formatter.section(section):
                formatter.write_dl(lines)


def option(*names: str, section: str, **facts: Any) -> Decorator[Any]:
    """Make an option of a section."""
    return click.option(*names, cls=Option, section=section, **facts)


def flag(*names: str, section: str, **facts: Any) -> Decorator[Any]:
    """Make an option that is given or not."""
    return option(*names, section=section, is_flag=True, **facts)


def together(*options: Decorator[Any]) -> Decorator[Any]:
    """Make one decorator of several, shown in this order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


A_FILE = click.Path(path_type=Path, dir_okay=False)
A_FOLDER = click.Path(path_type=Path, file_okay=False)

inputs = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
inputs_if_any = click.argument("inputs", nargs=-1, metavar="INPUT...")
inbox = option(
    "--inbox",
    section=READING,
    type=A_FOLDER,
    metavar="DIR",
    help="Instead of INPUT: run each file in DIR by itself, then move it to DIR/done.",
)

settings = option(
    "--config",
    section=TENANT,
    type=A_FILE,
    metavar="FILE",
    help="Settings file, instead of your own one.",
)
tenant = option(
    "--tenant",
    section=TENANT,
    setting=True,
    metavar="URL",
    envvar=["ONBOARDING_TENANT", "ATLAN_BASE_URL"],
    help="The tenant's address, or 'sandbox' for the embedded one (sandbox:FILE keeps it there).",
)
state = option(
    "--state",
    section=TENANT,
    setting=True,
    type=A_FOLDER,
    metavar="DIR",
    help="Folder of what must outlive runs: lock, open intents, who was invited.",
)
init_state = flag(
    "--init-state",
    section=TENANT,
    help="Make the state folder if there is none; asked for only without a terminal.",
)


def _group_name(_: click.Context, __: click.Parameter, name: str) -> str:
    """Take a name that a group can have."""
    if len(name) > LONGEST:
        raise click.BadParameter(f"a group's name has at most {LONGEST} characters")
    return " ".join(name.split())


reading = together(
    option(
        "--kind",
        section=READING,
        setting=True,
        type=click.Choice(["users", "groups", "memberships"]),
        metavar="KIND",
        help="users, groups or memberships, if the headers don't say.",
    ),
    option(
        "--group",
        section=READING,
        default="",
        callback=_group_name,
        metavar="NAME",
        help="The group of a list of members that has no group column.",
    ),
    option(
        "--encoding", section=READING, setting=True, metavar="NAME", help="Such as utf-8 or cp1252."
    ),
    option(
        "--delimiter",
        section=READING,
        setting=True,
        metavar="CHAR",
        help="One character, or 'tab'.",
    ),
)

wishes = together(
    flag(
        "--create-groups",
        section=PERMISSIONS,
        setting=True,
        help="Create a group that a row grants and nobody knows.",
    ),
    flag(
        "--authoritative",
        section=PERMISSIONS,
        by_hand=True,
        help="Take out of a group of these sheets whom they don't name for it.",
    ),
)

permissions = together(
    flag(
        "--allow-admins",
        section=PERMISSIONS,
        by_hand=True,
        help="Let people become Admin, or stop being it.",
    ),
    flag(
        "--allow-default",
        section=PERMISSIONS,
        by_hand=True,
        help="Let a group become a default group.",
    ),
    flag("--no-invite", section=PERMISSIONS, setting=True, help="Invite nobody."),
    option(
        "--reinvite",
        section=PERMISSIONS,
        by_hand=True,
        multiple=True,
        metavar="ADDRESS",
        help="Invite this person again within 30 days; may be repeated.",
    ),
)


limits = together(
    option(
        "--max-invitations",
        section=LIMITS,
        setting=True,
        metavar="N",
        help="Invitations; by default 50, or 10% of the tenant's people if that is more.",
    ),
    option(
        "--max-demotions",
        section=LIMITS,
        setting=True,
        metavar="N",
        help="Roles lowered; by default 5, or 5% of the people.",
    ),
    option(
        "--max-removals",
        section=LIMITS,
        setting=True,
        metavar="N",
        help="Memberships revoked; by default 10, or 10% of those in the groups concerned.",
    ),
    option(
        "--max-rejected",
        section=LIMITS,
        setting=True,
        metavar="N",
        help="Rejected rows; by default 20, or 20% of the rows.",
    ),
)
accept = option(
    "--accept",
    section=LIMITS,
    by_hand=True,
    default="",
    metavar="FINGERPRINT",
    help="Let exactly this plan pass over the limits, once.",
)
expect = option(
    "--expect",
    section=LIMITS,
    default="",
    metavar="FINGERPRINT",
    help="Carry out only the plan with this fingerprint.",
)

reports = option(
    "--reports",
    section=OUTPUT,
    setting=True,
    type=A_FOLDER,
    metavar="DIR",
    help="Where each run makes a folder for its reports. Default: ./onboarding-reports",
)
reports_if_named = option(
    "--reports",
    section=OUTPUT,
    setting=True,
    type=A_FOLDER,
    metavar="DIR",
    help="Write report files too, into a new folder in DIR.",
)
explain = flag(
    "--explain",
    section=OUTPUT,
    help="Show how each table and each column was understood, and why.",
)
yes = flag("--yes", "-y", section=OUTPUT, help="Don't ask; needed where there is no terminal.")
output = together(
    flag("--json", "as_json", section=OUTPUT, help="Print the summary as JSON and nothing else."),
    flag("--quiet", "-q", section=OUTPUT, help="No bar and no messages; results if they need you."),
    flag("--verbose", "-v", section=OUTPUT, help="Show the log on standard error."),
    flag("--no-color", section=OUTPUT, help="No colours (also: NO_COLOR in the environment)."),
)
