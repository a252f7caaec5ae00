"""Time deployments to the emulator when nothing has changed, and compare them with `sam deploy` of both stacks."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from automation.building import built
from automation.project import model
from automation.system import sam
from benchmarks import timing
from benchmarks.builds import VERSION
from benchmarks.checkout import ROOT
from benchmarks.timing import Result, Side
from tests.e2e.conftest import Sandbox
from tests.e2e.production import ACCOUNT, VALUES, Production, make_production
from tests.sandbox.test_servers import free_port

_AT_MOST = 9.0  # times the start of Invoke
_AT_LEAST = 1.0  # SAM checks, proves and tests nothing
_INV = Path(sys.executable).parent / "inv"
# SAM deploys the local stacks to an account of its own, so that neither side changes the other's stacks.
_SAM_ACCOUNT = "000000000001"


@dataclass(frozen=True, slots=True)
class _Contest:
    """A copy of the project, and the emulator to which both sides deploy it.

    Attributes:
        sandbox: the environment variables that name the sandbox.
    """

    production: Production
    sandbox: Mapping[str, str]

    def inv(self, *words: str) -> None:
        root = self.production.root
        timing.run_command([_INV, *words], cwd=root, variables={**self.sandbox, **self._target(ACCOUNT)})

    def deploy_with_sam(self) -> None:
        """Run `sam deploy` for every stack, with the zips of `inv build` and fast polling."""
        root, program = self.production.root, sam.ensure(ROOT)
        variables = {"PATH": f"{program.parent}:/usr/bin:/bin", "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.1"}
        for stack in model.load(root).stacks:
            options: list[str | Path] = ["--template-file", built.deployed_template(stack, root), "--resolve-s3"]
            options += ["--config-file", root / "samconfig.toml", "--config-env", stack.config_env.format(env="local")]
            options += ["--region", "us-east-1", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
            argv = [program, "deploy", *options]
            timing.run_command(argv, cwd=root, variables={**variables, **self._target(_SAM_ACCOUNT)})

    def _target(self, account: str) -> dict[str, str]:
        url = self.production.sandbox.emulator_url
        return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "test"}


def run(*, quick: bool) -> Iterator[Result]:
    """Deploy both stacks to `local` and to `prod`, then again without a change, in turns with SAM."""
    times = 3 if quick else 7
    with TemporaryDirectory(prefix="deployments-") as folder, _prepared(Path(folder)) as contest:
        version = [timing.time_once(Side(_nothing, lambda: contest.inv("--version"))) for _ in range(times)]
        contest.deploy_with_sam()

        to_local, to_prod = ("deploy", "--env", "local"), ("deploy", "--env", "prod", "--yes")
        for words, values in ((to_local, ()), (to_prod, VALUES)):
            contest.inv(*words, *values)
            ours, sams = _time_unchanged(contest, words, times=times)

            name = f"nothing changed, inv {' '.join(words)}"
            yield timing.check_ratio(name, ours, version, of=VERSION, at_most=_AT_MOST)
            yield timing.compare_medians(f"{name}, against sam deploy", ours, sams, at_least=_AT_LEAST)


def _time_unchanged(contest: _Contest, words: tuple[str, ...], *, times: int) -> tuple[list[float], list[float]]:
    def deploy() -> None:
        contest.inv(*words)

    return timing.time_in_turns(Side(_nothing, deploy), Side(_nothing, contest.deploy_with_sam), times=times)


@contextmanager
def _prepared(folder: Path) -> Iterator[_Contest]:
    """Build, start a sandbox on free ports, and copy the project; stop the sandbox in the end."""
    emulator, exchange = free_port(), free_port()
    variables = {
        "ALCHEMISER_SANDBOX_DIR": str(folder / "sandbox"),
        "ALCHEMISER_EMULATOR_PORT": str(emulator),
        "ALCHEMISER_EXCHANGE_PORT": str(exchange),
    }
    timing.run_command([_INV, "build"], cwd=ROOT)
    timing.run_command([_INV, "sandbox.up"], cwd=ROOT, variables=variables)
    try:
        sandbox = Sandbox(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{exchange}")
        yield _Contest(make_production(folder, sandbox), variables)
    finally:
        timing.run_command([_INV, "sandbox.down"], cwd=ROOT, variables=variables)


def _nothing() -> None:
    """Prepare nothing."""
