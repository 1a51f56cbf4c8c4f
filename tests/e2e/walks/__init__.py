"""What can be done on the web pages: how one gets to each button, and what it does.

WALKS has an entry for each action of `web/src/lib/actions`; `test_pages_commands.py` does each one by its
button, by its curl command and by its `codefresh` command, each in an account of its own.
"""

from e2e.walks.account import OF_ACCOUNT
from e2e.walks.builds import OF_BUILDS
from e2e.walks.environments import OF_ENVIRONMENTS
from e2e.walks.outside import OUTSIDE
from e2e.walks.people import OF_PEOPLE
from e2e.walks.pipelines import OF_PIPELINES

WALKS = (*OF_PIPELINES, *OF_BUILDS, *OF_ACCOUNT, *OF_PEOPLE, *OF_ENVIRONMENTS, *OUTSIDE)
