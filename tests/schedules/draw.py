"""Draw schedules by number: the same number is always the same schedule."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from .jobs import JOBS
from .play import Schedule, Start
from .world import LIFE, Admin, Answer, Effect, Event, Trouble

ANSWERS: tuple[Answer, ...] = (*("doubt", "death") * 4, "yes", "yes")
REFUSING: tuple[Answer, ...] = ("throttled", "forbidden", "refused", "unsent")
EFFECTS: tuple[Effect, ...] = ("now", "never", "late", "late", "half")
ADMINS: tuple[Admin, ...] = ("invites", "creates", "moves")
TROUBLES: tuple[Trouble, ...] = ("before", "amid", "amid", "error")
STARTS: tuple[Start, ...] = (
    *("at-once", "soon", "just-before-due"),
    *("when-due", "when-due", "late"),
)
WRITES = 14
"""Of the journal, in a run of the longest job; the others have fewer."""
PRESSING = 8
"""One schedule in so many is made of what waiting is for."""


def draw(number: int) -> Schedule:
    """Give the schedule of this number."""
    dice = Random(number)
    job = dice.choice(("invite", "invite", "team", "mixed"))
    lag = dice.choice(("none", "full", "flickering"))
    doubles = dice.choice(("refused", "ignored", "mailed"))
    poison = job != "team" and dice.random() < 0.2
    # A no is told from one that is not meant, or not for all, by looking alone: what shows late is sent again. That
    # does no harm where the tenant refuses whom it has, as Atlan does; elsewhere a no must be one.
    honest = lag != "none" and doubles == "mailed"
    events = tuple(_event(dice, JOBS[job].calls, honest=honest) for _ in range(_few(dice)))
    drawn = Schedule(
        job,
        events,
        disk=tuple((dice.randint(1, WRITES), dice.choice(TROUBLES)) for _ in range(_few(dice) - 1)),
        power=tuple(dice.random() < 0.5 for _ in range(3)),
        starts=tuple(dice.choice(STARTS) for _ in range(_few(dice))),
        lag=lag,
        doubles=doubles,
        atomic=(poison and honest) or dice.random() < 0.3,
        names_the_bad=dice.random() < 0.7,
        poison=poison,
        batch=dice.choice((2, 20)),
        patience=dice.choice((4.0, 12.0)),
        fresh=dice.choice((0.0, 60.0)),
        put_back=dice.choice((0.0, 0.0, 0.0, 20.0, 3600.0)),
        deleted=dice.random() < 0.2 and not any(map(_is_a_lie, events)),
    )
    return _pressed(drawn, dice) if number % PRESSING == 0 else drawn


def pressing(number: int) -> Schedule:
    """Give a schedule in which what is under way lands as late as it may, and is decided on as soon as it may be."""
    return draw(number * PRESSING)


def _is_a_lie(event: Event) -> bool:
    """Whether the tenant says yes, and does not do it, or no, and does. Whom we then know nothing of may be deleted."""
    if event.answer == "yes":
        return event.effect != "now"
    return event.answer in REFUSING and event.effect != "never"


def _few(dice: Random) -> int:
    return dice.choice((1, 1, 2, 2, 3))


def _event(dice: Random, calls: int, *, honest: bool) -> Event:
    """Draw an event; ``honest``: what is turned away has not been carried out."""
    answer = dice.choice((*ANSWERS, *REFUSING, *REFUSING[:1]))
    effect: Effect = dice.choice(EFFECTS)
    if answer in REFUSING:
        effect = "never" if honest or answer == "unsent" else dice.choice(("never", "now", "half"))
    changing = dice.random() < 0.8
    return Event(
        dice.randint(1, calls + 2 if changing else calls + 12),
        "changing" if changing else "any",
        answer,
        effect,
        after=dice.choice((1.0, LIFE - 1, LIFE)),
        pause=dice.choice((0.0, 0.0, 0.0, 5.0, 100.0)),
        admin=dice.choice(("", "", "", *ADMINS)),
    )


def _pressed(drawn: Schedule, dice: Random) -> Schedule:
    doubt = Event(
        dice.randint(1, 2),
        answer=dice.choice(("doubt", "death")),
        effect="late",
        pause=drawn.events[0].pause,
        admin=dice.choice(("", "moves")),
    )
    others = tuple(e for e in drawn.events if e.at > 2 and e.answer not in REFUSING)
    return replace(
        drawn,
        events=(doubt, *others[:1]),
        disk=tuple((at + 4, trouble) for at, trouble in drawn.disk[:1]),
        starts=("at-once", *dice.sample(("at-once", "when-due", "when-due"), 2)),
        lag=dice.choice(("full", "flickering")),
        doubles="mailed",
        atomic=drawn.poison or drawn.atomic,
        put_back=0.0,
        deleted=False,
    )
