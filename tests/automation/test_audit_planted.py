"""The real pip-audit finds a planted vulnerability, and no fault of its source passes for a clean bill.

Slow, because pip-audit starts many times; `nox -s security` includes it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from automation import audit
from automation.audit import Audit
from automation.scanning import pip_audit
from automation.scanning.locked_versions import Pin
from automation.scanning.pip_audit import TOOL, Answers
from automation.system import tools
from automation.system.errors import CheckFailedError, ToolError
from tests.automation.projects import make_shop, write_files
from tests.automation.scanning.advisory_index import FAULTS, HONEST, AdvisoryIndex, serving

ROOT = Path(__file__).parents[2]
PLANTED = {"id": "GHSA-9", "aliases": ["PYSEC-9"], "fixed_in": ["3.1.6"], "summary": "Renders anything."}
LOCKED = {"layers/wheels/requirements.txt": "jinja2==3.1.0\n", "locks/dev.txt": "six==1.17.0\njinja2==3.1.0\n"}

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Install pip-audit before a test sends every request to its own index, the tool's own packages too."""
    tools.ensure(TOOL, root=ROOT)


def ask(folder: Path, _root: Path, pins: Sequence[Pin]) -> Answers:
    """Ask as `inv audit` does, with less patience."""
    folder.mkdir()
    return pip_audit.ask(tools.ensure(TOOL, root=ROOT).program(TOOL), pins, folder=folder, timeout_s=1)


def run(index: AdvisoryIndex, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    for name, value in index.variables(folder).items():
        monkeypatch.setenv(name, value)
    make_shop(folder)
    write_files(folder, LOCKED)
    return audit.audit(folder, ask=partial(ask, folder / "requests"))


def test_planted_vulnerability_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({**HONEST, "jinja2/3.1.0": [PLANTED]}) as index:
        result = run(index, tmp_path, monkeypatch)

    [finding] = result.judgement.unexplained
    assert finding.rule_name == "pip-audit:PYSEC-9"
    assert finding.sentence == (
        "jinja2 3.1.0 has the vulnerability PYSEC-9, also known as GHSA-9; locked in layers/wheels/requirements.txt"
        " (layer Wheels of Till); locks/dev.txt (does not ship): Renders anything."
    )
    assert finding.fix.startswith("fixed in 3.1.6: ")
    assert index.asked == [f"/pypi/{name}/json" for name in ("requests/2.19.1", "jinja2/3.1.0", "six/1.17.0")]
    with pytest.raises(CheckFailedError):
        audit.require_clean(result)


def test_versions_without_a_vulnerability_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as index:
        result = run(index, tmp_path, monkeypatch)

    audit.require_clean(result)
    assert audit.summary(result) == "2 of 2 versions of 2 locks checked: 0 finding(s), 0 accepted"


@pytest.mark.parametrize("fault", [*FAULTS, "refused"])
def test_fault_of_the_source_is_exit_5(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fault=fault) as index:
        if fault == "refused":
            index.socket.close()
        result = run(index, tmp_path, monkeypatch)

    assert len(result.unreached) == 2
    with pytest.raises(ToolError, match="2 of 2 versions are not checked") as raised:
        audit.require_clean(result)
    assert raised.value.exit_code == 5


def test_source_that_fails_in_the_middle_is_exit_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fault="half", failing="six") as index:
        result = run(index, tmp_path, monkeypatch)

    assert result.unreached == (Pin("jinja2", "3.1.0"), Pin("six", "1.17.0"))  # one request for both
    assert "IncompleteRead" in result.failure
    with pytest.raises(ToolError, match="2 of 2 versions are not checked"):
        audit.require_clean(result)
