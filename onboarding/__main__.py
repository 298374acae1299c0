"""The door for ``python -m onboarding`` and the console script."""

from __future__ import annotations

from onboarding import memory


def main() -> None:
    """Enter from the console script and ``python -m onboarding``."""
    memory.look_for_rings_seldom()  # before anything else is imported
    from onboarding.cli import main

    main()


if __name__ == "__main__":
    main()
