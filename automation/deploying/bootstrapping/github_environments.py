"""Which environments of GitHub a deploy role and a plan role are for: those that the workflows name."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from automation.deploying.bootstrap_stack import PLAN_ROLE, ROLE
from automation.project import temporary
from automation.project.settings import TABLE
from automation.system.errors import ConfigurationError

_PLAN, _STAR = "-plan", "-*"


def by_role(key: str) -> Mapping[str, str]:
    """Return the environment at GitHub of each role; temporary environments share one, and have no plan role.

    Args:
        key: of a table of environments, such as `staging` or `pr-*`.
    """
    if temporary.is_pattern(key):
        return {ROLE: key.removesuffix(_STAR)}
    return {ROLE: key, PLAN_ROLE: f"{key}{_PLAN}"}


def require_distinct(keys: Iterable[str]) -> None:
    """Refuse environments that would share one at GitHub: a job of one could then assume the role of the other.

    Args:
        keys: of all tables of environments.

    Raises:
        ConfigurationError: two of them do.
    """
    counts = Counter(chain.from_iterable(by_role(key).values() for key in keys))
    if shared := sorted(name for name, count in counts.items() if count > 1):
        message = f"two environments would use {shared[0]} at GitHub, and so each other's role; rename one of them"
        raise ConfigurationError(message, where=f"{TABLE} environments")


def lines(repository: str, key: str, roles: Mapping[str, str]) -> Sequence[str]:
    """Return what a person sets in the settings of GitHub, one line per environment there.

    Args:
        roles: the ARN of each role, by its name in the bootstrap stack.
    """
    return [
        f"GitHub, {repository}, environment {name}: AWS_ROLE_ARN = {roles[role]}" for role, name in by_role(key).items()
    ]
