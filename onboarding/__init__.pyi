from onboarding.atlan import Atlan as Atlan
from onboarding.auth import ApiKey as ApiKey
from onboarding.errors import OnboardingError as OnboardingError
from onboarding.intake import Rules as Rules
from onboarding.job import Job as Job
from onboarding.job import Prospect as Prospect
from onboarding.job import Report as Report
from onboarding.job import Unattended as Unattended
from onboarding.job import Voice as Voice
from onboarding.pipeline import apply_saved as apply_saved
from onboarding.pipeline import export as export
from onboarding.pipeline import run as run
from onboarding.pipeline import validate as validate
from onboarding.reconcile import Wishes as Wishes
from onboarding.safety import Limits as Limits
from onboarding.safety import Permissions as Permissions
from onboarding.sheets import Reading as Reading
from onboarding.transport import Transport as Transport

__version__: str
