"""What the user chose for a deployment, and the command that says it again."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from automation.deploying.adoption import choices


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        yes: ordinary changes are confirmed in advance.
        allow: names of dangers, such as `replace:Ledger`; `dirty` and `unpushed` too.
        plan: the file of a saved plan; empty for none.
        dry_run: print stacks and parameters, and make no call.
        adopt: decisions about resources of earlier stacks, such as `Ledger=new`; a saved plan has its own.
        set: values of parameters that a person is asked for, as `NAME=VALUE`; a saved plan has its own.
        ttl: how long a temporary environment lives, such as `3d`; empty for the ttl of pyproject.toml.
    """

    yes: bool = False
    allow: tuple[str, ...] = ()
    plan: str = ""
    dry_run: bool = False
    adopt: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    ttl: str = ""


def typed(environment: str, options: Options) -> str:
    """Return the command that the user typed, to which more can be added."""
    yes, plan = ["--yes"] if options.yes else [], ["--plan", options.plan] if options.plan else []
    adopt = chain.from_iterable((choices.OPTION, decision) for decision in options.adopt)
    values = chain.from_iterable(("--set", value) for value in options.set)
    ttl = ["--ttl", options.ttl] if options.ttl else []
    allow = allow_words(options.allow)
    return shlex.join(["inv", "deploy", "--env", environment, *yes, *plan, *allow, *adopt, *values, *ttl])


def allow_words(names: Iterable[str]) -> list[str]:
    """Return the words of a command that allow dangers by name."""
    return list(chain.from_iterable(("--allow", name) for name in names))
