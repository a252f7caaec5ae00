"""The values that describe what a change redeploys."""

from dataclasses import dataclass
from enum import StrEnum

from automation.reach.revisions import FileChange


class ResourceKind(StrEnum):
    """The kind of what is redeployed; OTHER is any resource without code, and the outputs of a stack."""

    LAYER = "layer"
    FUNCTION = "function"
    OTHER = "other"


class Effect(StrEnum):
    """The reason why a function, layer or resource is redeployed.

    REBUILT: its artifact has another fingerprint. LAYER: its artifact is unchanged, but it uses a new version of a
    layer. CONFIGURED: its code is unchanged, its properties are not.
    """

    ADDED = "new"
    REMOVED = "removed"
    REBUILT = "rebuilt"
    LAYER = "new layer version"
    CONFIGURED = "configuration"


@dataclass(frozen=True, slots=True)
class Redeployment:
    """One function, layer or resource that is deployed again, and why.

    Attributes:
        is_rebuilt: its artifact is new or has another fingerprint.
        why: the change, when it is not a change of a file.
        more_files: how many of its files changed besides the one at the end of the chain.
        chain: the shortest path to a changed file: the handler, its import, and so on; or a layer, then its file.
        is_importer: False for a function that imports nothing of the change and only gets a new layer version.
    """

    stack: str
    name: str
    kind: ResourceKind
    effect: Effect
    is_rebuilt: bool = False
    why: str = ""
    more_files: int = 0
    chain: tuple[str, ...] = ()
    is_importer: bool = True

    @property
    def reason(self) -> str:
        """Return the reason in one line: `StrategyFunction ← handler.py ← engine.py; Timeout: 30 -> 60`."""
        path = " ← ".join((self.name, *self.chain)) if self.chain else ""
        more = f"and {self.more_files} more file(s)" if self.more_files else ""
        return "; ".join(part for part in (path, more, self.why) if part)


@dataclass(frozen=True, slots=True)
class Affected:
    """The changes since a commit, and what they redeploy.

    Attributes:
        since: the commit, as a person names it.
        stacks: the stacks to deploy again, in the order of deployment.
        unreached: changed files that nothing deployed depends on.
        notes: what could not be compared.
    """

    since: str
    changes: tuple[FileChange, ...]
    redeployments: tuple[Redeployment, ...]
    stacks: tuple[str, ...]
    unreached: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of_kind(self, kind: ResourceKind) -> tuple[Redeployment, ...]:
        return tuple(redeployment for redeployment in self.redeployments if redeployment.kind is kind)

    @property
    def rebuilt(self) -> frozenset[tuple[str, str]]:
        """Return the artifacts to build again, by stack and logical id."""
        return frozenset(
            (redeployment.stack, redeployment.name) for redeployment in self.redeployments if redeployment.is_rebuilt
        )
