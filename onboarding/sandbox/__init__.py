"""The embedded tenant: a server that behaves as Atlan's user and group API does, over SQLite.

``with Sandbox(Path("tenant.db")) as tenant:`` serves ``tenant.url`` until the block ends;
``python -m onboarding.sandbox --db tenant.db`` does it as a process of its own.
"""

from onboarding.sandbox.server import Sandbox
from onboarding.sandbox.switches import Fault, Switches

__all__ = ["Fault", "Sandbox", "Switches"]
