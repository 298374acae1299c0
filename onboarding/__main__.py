"""The door for ``python -m onboarding`` and the console script."""

from __future__ import annotations

import gc


def main() -> None:
    """Enter from the console script and ``python -m onboarding``."""
    # A large plan is a million small values without a ring among them; looking for rings took a fifth of its time, and
    # a tenth of that of a start, which is why it is set before anything else is imported.
    gc.set_threshold(100_000, 50, 50)
    from onboarding.cli import main

    main()


if __name__ == "__main__":
    main()
