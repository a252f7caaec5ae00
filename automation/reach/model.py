"""What a change reaches, as values."""

from dataclasses import dataclass
from enum import StrEnum

from automation.reach.revisions import Change


class Kind(StrEnum):
    """What is redeployed; OTHER is every resource without code of ours, and the outputs of a stack."""

    LAYER = "layer"
    FUNCTION = "function"
    OTHER = "other"


class Effect(StrEnum):
    """What becomes of it.

    REBUILT: its artifact has another fingerprint. LAYER: it stays, on another version of a layer. CONFIGURED: its code
    stays, its properties change.
    """

    ADDED = "new"
    REMOVED = "removed"
    REBUILT = "rebuilt"
    LAYER = "new layer version"
    CONFIGURED = "configuration"


@dataclass(frozen=True, slots=True)
class Reached:
    """One function, layer or resource that is deployed again.

    Attributes:
        is_rebuilt: it has an artifact, and that is another than before, or had none.
        why: what changed of it, when that is no file.
        more_files: how many changed files it is made of besides the one at the end of the chain.
        chain: the shortest way from it to a changed file: its handler, what that imports, and so on; or a layer.
        is_importer: of a function: it runs something that has changed; False where only its layers' version changes.
    """

    stack: str
    name: str
    kind: Kind
    effect: Effect
    is_rebuilt: bool = False
    why: str = ""
    more_files: int = 0
    chain: tuple[str, ...] = ()
    is_importer: bool = True

    @property
    def reason(self) -> str:
        """In one line: `StrategyFunction ← handler.py ← engine.py`, and what else."""
        way = " ← ".join((self.name, *self.chain)) if self.chain else ""
        more = f"and {self.more_files} more file(s)" if self.more_files else ""
        return "; ".join(part for part in (way, more, self.why) if part)


@dataclass(frozen=True, slots=True)
class Affected:
    """What has changed since a commit and what that reaches.

    Attributes:
        since: how people call the commit.
        stacks: those to be deployed again, in the order of deployment.
        unreached: changed files that nothing deployed is made of.
        notes: what could not be told.
    """

    since: str
    changes: tuple[Change, ...]
    reached: tuple[Reached, ...]
    stacks: tuple[str, ...]
    unreached: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Reached, ...]:
        return tuple(one for one in self.reached if one.kind is kind)

    @property
    def rebuilt(self) -> frozenset[tuple[str, str]]:
        """The artifacts whose fingerprint is another than before, by stack and logical id."""
        return frozenset((one.stack, one.name) for one in self.reached if one.is_rebuilt)
