"""An edit reaches its function, a planted import error does not; diff, deployment and rollback know what runs."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.edits import replaced
from tests.e2e.watching import module_of, wait_until, watching

HANDLER, HEALTH = "the_alchemiser/aggregator_v2/lambda_handler.py", "the_alchemiser/shared/messaging/health.py"
FUNCTION, MODULE = "StrategyAggregatorFunction", "aggregator_v2"
EDIT = replaced("module=MODULE,", 'module=f"{MODULE} edited",')
EDIT_OF_ALL = replaced('"module": inbox.module,', '"module": f"{inbox.module} shared",')


def test_edit_reaches_the_function_and_a_deployment_takes_it_back(deployed: Sandbox, inv: Inv, project: Path) -> None:
    name = deployed.resources("alchemiser-local")[FUNCTION]
    handler, health = project / HANDLER, project / HEALTH
    original, original_health = handler.read_text(), health.read_text()
    assert module_of(deployed, name) == MODULE

    with watching(project) as watch:
        handler.write_text(EDIT(original))
        wait_until(lambda: module_of(deployed, name) == f"{MODULE} edited", or_ended=watch.process)
        assert module_of(deployed, name) == f"{MODULE} edited"
        watch.wait_for(f"{HANDLER}: {FUNCTION} updated, proven first")

        seen = len(watch.lines)
        handler.write_text(f"import nothing_there\n{original}")
        watch.wait_for(f"{HANDLER}: refused: {FUNCTION} keeps its old code", since=seen)
        watch.wait_for("imports nothing_there", since=seen)
        assert module_of(deployed, name) == f"{MODULE} edited"

        handler.write_text(EDIT(original))
        health.write_text(EDIT_OF_ALL(original_health))
        watch.wait_for(" more updated, proven first", since=seen)
        assert module_of(deployed, name) == f"{MODULE} edited shared"
        watch.kill()

    handler.write_text(original)
    health.write_text(original_health)
    plan = inv("diff", "--env", "local", "--json", cwd=project)
    done = inv("deploy", "--env", "local", cwd=project)

    assert plan.returncode == 7, plan.stdout + plan.stderr
    changes = {change["resource"]: change["what"].partition(":")[0] for change in json.loads(plan.stdout)["changes"]}
    assert (len(changes), changes.pop(FUNCTION), set(changes.values())) == (10, "code and layers", {"layers"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{FUNCTION}: restored the code and layers of its release" in done.stdout
    assert module_of(deployed, name) == MODULE


@pytest.mark.slow
def test_rollback_restores_the_release_that_runs(deployed: Sandbox, inv: Inv, project: Path) -> None:
    name = deployed.resources("alchemiser-local")[FUNCTION]
    handler = project / HANDLER

    with watching(project) as watch:
        release = watch.wait_for(" function(s)").partition(" runs")[0].rpartition(" ")[2]
        handler.write_text(EDIT(handler.read_text()))
        watch.wait_for(f"{FUNCTION} updated, proven first")
    assert module_of(deployed, name) == f"{MODULE} edited"
    assert f"  go back to {release}:  inv rollback --env local --to {release}\n" in watch.lines
    assert watch.process.returncode == 0
    status = inv("status", "--env", "local", cwd=project)
    assert status.returncode == 3, status.stdout + status.stderr
    assert f"inv watch has replaced the code of {FUNCTION} (" in status.stdout

    done = inv("rollback", "--env", "local", "--to", release, cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert module_of(deployed, name) == MODULE
