"""The deployed shop under `inv watch`, whose edits a test makes one after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from automation import watch
from automation.deploying.releases import watch_marks
from automation.project.settings import PYPROJECT
from tests.automation.deployable_shop import ShopDeployments

type Step = Callable[[], object]


@dataclass
class WatchedShop:
    """The shop in an environment that may be watched; r1 runs there.

    Attributes:
        folders: what was watched, each time that watching began.
    """

    deployments: ShopDeployments
    folders: list[tuple[str, ...]] = field(default_factory=list)

    def watch(self, *steps: Step, invoke: bool = False, name: str = "live") -> None:
        """Watch; each step is an edit, then comes Ctrl-C. A step that returns False makes an empty burst."""
        remaining = [lambda: False, *steps]

        def watcher(folders: Sequence[Path], *, is_of_interest: Callable[[Path], bool]) -> Iterator[frozenset[Path]]:
            root = self.deployments.root.resolve()
            self.folders.append(tuple(folder.relative_to(root).as_posix() for folder in folders))
            while remaining:
                is_edit = remaining.pop(0)() is not False
                yield frozenset({root / "shop/till/handler.py"}) if is_edit else frozenset()
            raise KeyboardInterrupt

        watch.watch(
            self.deployments.root,
            name,
            variables=self.deployments.variables,
            options=watch.Options(invoke),
            connect=self.deployments.aws.connect,
            watcher=watcher,
        )

    def write(self, path: str, text: str) -> Step:
        """Return the step that writes a file of the project."""
        return lambda: (self.deployments.root / path).write_text(text)

    def till(self, text: str) -> Step:
        """Return the step that writes the handler of the till."""
        return self.write("shop/till/handler.py", text)

    def running(self, stack: str, function: str) -> tuple[str, tuple[str, ...]]:
        """Return the digest of the code that a function runs, and its layers without their ARNs' beginnings."""
        physical_id = self.deployments.aws.stacks.stacks[stack].physical_ids[function]
        running = self.deployments.aws.code.running(physical_id)
        return running.digest, tuple(arn.rpartition(":")[2] for arn in running.layers)

    @property
    def everything(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What each function runs."""
        functions = {"Stock": "shop-live-base", "Till": "shop-live", "Ledger": "shop-live"}
        return {function: self.running(stack, function) for function, stack in functions.items()}

    @property
    def is_marked(self) -> bool:
        return watch_marks.read(self.deployments.aws.table) is not None


def make_watched_shop(deployments: ShopDeployments) -> WatchedShop:
    """Deploy the shop to an environment that asks nobody."""
    deployments.edit(PYPROJECT, 'consent = "word"', 'consent = "none"')
    deployments.deploy()
    deployments.aws.table.calls.clear()
    return WatchedShop(deployments)
