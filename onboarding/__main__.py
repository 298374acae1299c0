"""The door for ``python -m onboarding`` and the console script."""

from onboarding.cli import main

if __name__ == "__main__":
    main()
