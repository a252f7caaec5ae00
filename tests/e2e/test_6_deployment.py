"""The life of prod on the emulator: deployed, refused, changed, interrupted, broken, rolled back, in this file's order.

Every test starts from what the tests before it deployed, because a deployment takes seconds. `prod.edited` takes its
changes back, so the next deployment brings the original code.
"""

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from automation.deploying import scope as scopes
from automation.deploying import sessions
from automation.deploying.connecting import connect
from automation.deploying.pruning import removal, survey
from automation.prune import find_leftovers
from tests.e2e.aws_proxy import AwsProxy
from tests.e2e.edits import appended, renamed, replaced, within, without
from tests.e2e.production import ACCOUNT, ADDRESSES, STACKS, VALUES, Finished, Interruptible, Production

TEMPLATE, SHARED = "template.yaml", "the_alchemiser/shared/ledger/lots.py"
KEYS = (
    "- {AttributeName: run_id, AttributeType: S}\n"
    "      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]"
)
OTHER_KEYS = KEYS.replace("sk, KeyType: RANGE", "run_id, KeyType: RANGE")
GRANTS = "            Statement:\n"
EVERYTHING = '              - {Effect: Allow, Action: "*", Resource: "*"}\n'
INDEX = "- IndexName: by-date\n"
TWO_INDEXES = (
    "- {IndexName: by-sk, KeySchema: [{AttributeName: sk, KeyType: HASH}], Projection: {ProjectionType: KEYS_ONLY}}\n"
    "        - IndexName: by-trading-date\n"
)
DANGEROUS = (
    within("StrategyOrchestratorFunctionRole", GRANTS, GRANTS + EVERYTHING),
    without("CoordinatorDlqAlarm"),
    replaced("[IsLocal, enabled, paused]", "[IsLocal, enabled, enabled]"),
    replaced(KEYS, OTHER_KEYS),
    within("MiddayStart", "State: !Ref ScheduleState", "State: DISABLED"),
    renamed("Performance", "Results"),
    replaced(INDEX, TWO_INDEXES),
)
CHANGED = appended("# changed")


@pytest.fixture(scope="module")
def live(prod: Production) -> Production:
    """Deploy prod for the first time, and put an item into its ledger."""
    done = prod.deploy(*VALUES)
    assert done.returncode == 0, text_of(done)
    prod.put_item("kept")
    return prod


@pytest.fixture
def unchanged(live: Production) -> Iterator[None]:
    """Check that a test changes neither a stack nor the running code."""
    before = live.changed_at(), live.digests()
    yield
    assert (live.changed_at(), live.digests()) == before


def text_of(done: Finished) -> str:
    return done.stdout + done.stderr


def require(done: Finished, code: int, *parts: str) -> None:
    """Check the exit code and that the output has each part; a traceback is never right."""
    text = text_of(done)
    assert (done.returncode, "Traceback" in text) == (code, False), text
    assert [part for part in parts if part not in text] == [], text


def test_first_deployment_without_its_values_is_refused(prod: Production) -> None:
    command = "inv deploy --env prod --yes --set AlertsTo=you@example.org --set MailFrom=you@example.org"

    require(prod.deploy(), 3, "AlertsTo: has no value yet", f"{command} --set MailTo=you@example.org")
    assert prod.releases() == []


def test_first_deployment_is_a_proven_release(live: Production) -> None:
    release = live.releases()[0]

    assert (live.running(), release["release"]) == (1, 1)
    assert (release["status"], release["smoke"]) == ("deployed", "passed")
    assert {entry["stack_name"] for entry in release["stacks"]} == set(STACKS)
    assert live.switch() == "paused"


def test_first_deployment_uses_prods_own_parameters(live: Production) -> None:
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in live.stack()["Parameters"]}

    assert (parameters["Stage"], parameters["ScheduleState"]) == ("prod", "ENABLED")
    assert ADDRESSES.items() <= parameters.items()


def test_deployed_template_names_release_and_commit(live: Production) -> None:
    template = live.cloudformation.get_template(StackName=STACKS[1], TemplateStage="Original")["TemplateBody"]

    assert template["Metadata"] == {"Release": "r1", "Commit": live.commit()}


def test_no_role_may_use_the_queues_of_others(live: Production) -> None:
    """A role that SAM generates has a managed policy for every queue of the account."""
    iam = live.client("iam")
    roles = [name for logical_id, name in live.resources().items() if logical_id.endswith("FunctionRole")]

    assert len(roles) == 8
    assert [iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] for name in roles] == [[]] * 8


@pytest.mark.usefixtures("unchanged")
def test_nothing_changed_says_which_release_runs(live: Production) -> None:
    require(live.diff(), 0)
    require(live.deploy(), 0, "r1")
    assert len(live.releases()) == 1


@pytest.mark.usefixtures("unchanged")
def test_status_says_what_runs_and_why_it_does_not_trade(live: Production) -> None:
    reason = "not ready to trade: the kill switch is paused"

    require(live.inv("status", "--env", "prod"), 3, "r1", "smoke test passed", reason, *STACKS)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "RequestTimeTooSkewed"])
@pytest.mark.usefixtures("unchanged")
def test_credentials_that_aws_refuses_stop_everything(live: Production, proxy: AwsProxy, code: str) -> None:
    proxy.refuse("GetCallerIdentity", code, "planted", times=100)

    require(live.deploy(endpoint=proxy.url), 3, "planted")
    assert "CreateChangeSet" not in proxy.operations("cloudformation")


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("DELETE_FAILED", "inv destroy --env prod"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name alchemiser-prod"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name alchemiser-prod"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_stack_that_cannot_be_updated_has_a_next_command(
    live: Production, proxy: AwsProxy, status: str, command: str
) -> None:
    proxy.report_status("alchemiser-prod", status)

    require(live.deploy(endpoint=proxy.url), 3, status, command)


@pytest.mark.usefixtures("unchanged")
def test_skewed_clock_stops_everything(live: Production, proxy: AwsProxy) -> None:
    proxy.skew_clock(-3600)

    require(live.deploy(endpoint=proxy.url), 3, "clock", "60 minutes ahead")


@pytest.mark.usefixtures("unchanged")
def test_wrong_account_and_no_network_stop_everything(live: Production) -> None:
    require(live.inv("deploy", "--env", "prod", "--yes", AWS_ACCESS_KEY_ID="210987654321"), 3, "210987654321")
    require(live.deploy(endpoint="http://127.0.0.1:1"), 3, "http://127.0.0.1:1")


@pytest.mark.usefixtures("unchanged")
def test_dirty_tree_stops_all_that_is_confirmed_with_a_word(live: Production) -> None:
    with live.edited("README.md", appended("clean")):
        live.edit("README.md", appended("dirty"))

        require(live.deploy(), 3, "--allow dirty")


@pytest.fixture(scope="module")
def refused(live: Production) -> tuple[Finished, Finished]:
    """Plan and deploy all dangerous edits at once, with two dangers allowed."""
    with live.edited(TEMPLATE, *DANGEROUS):
        allowed = ("--allow", "unwatch:CoordinatorDlqAlarm", "--allow", "gsi:Runs")
        return live.diff(), live.deploy(*allowed)


@pytest.mark.parametrize(
    "parts",
    [
        ("widen:StrategyOrchestratorFunctionRole", "*"),
        ("watched:KillSwitch", "paused -> enabled"),
        ("replace:Ledger", "KeySchema"),
        ("rename:Performance", "Results", "import"),
        ("gsi:Runs", "one index at a time"),
    ],
    ids=lambda parts: parts[0],
)
@pytest.mark.usefixtures("unchanged")
def test_dangerous_edit_is_forbidden_by_name(refused: tuple[Finished, Finished], parts: tuple[str, ...]) -> None:
    for done in refused:
        require(done, 3, *parts)


@pytest.mark.usefixtures("unchanged")
def test_allowed_danger_is_no_longer_refused(refused: tuple[Finished, Finished]) -> None:
    """Every plan shows the deleted alarm and the disabled schedule; gsi cannot be allowed, because AWS refuses it."""
    planned, deployed = refused

    require(planned, 3, "--allow unwatch:CoordinatorDlqAlarm", "MiddayStart", "DISABLED")
    require(deployed, 3, "CoordinatorDlqAlarm", "MiddayStart", "DISABLED")
    assert "or allow it: --allow unwatch:CoordinatorDlqAlarm" not in text_of(deployed)


@pytest.mark.usefixtures("unchanged")
def test_no_room_for_new_code_stops_before_uploads(live: Production, proxy: AwsProxy) -> None:
    proxy.limit_account(code_bytes=1000, concurrency=1000)

    with live.edited(SHARED, CHANGED):
        require(live.deploy(endpoint=proxy.url), 3, "code")
    assert "PutObject" not in proxy.operations("s3")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.slow
def test_uploads_that_are_cut_change_nothing(live: Production, proxy: AwsProxy) -> None:
    proxy.cut_uploads(times=1000)

    with live.edited(SHARED, CHANGED):
        require(live.deploy(endpoint=proxy.url), 6)
    assert "CreateChangeSet" not in proxy.operations("cloudformation")


@pytest.mark.slow
@pytest.mark.usefixtures("unchanged")
def test_saved_plan_of_another_commit_is_refused(live: Production, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")

    with live.edited(SHARED, CHANGED):
        require(live.diff("--out", plan), 7, "SharedCodeLayer")
        live.publish("another commit")
        require(live.deploy("--plan", plan), 3, "commit", "inv diff --env prod --out")


@pytest.mark.slow
def test_deploy_rollback_and_deploy_run_the_code_they_say(live: Production) -> None:
    original = live.digests()
    live.set_switch("enabled")

    with live.edited(SHARED, CHANGED):
        planned = live.diff()
        require(live.deploy(), 0)
        changed = live.digests()
        require(live.inv("rollback", "--env", "prod", "--yes"), 0)
        rolled_back = live.digests()
        require(live.deploy(), 0)
        again = live.digests()

    require(planned, 7, "SharedCodeLayer")
    assert "StrategyLayer" not in planned.stdout
    layers = {name for name in original if name.endswith("SharedCodeLayer")}
    assert {name for name in original if original[name] != changed[name]} == layers
    assert (rolled_back, again) == (original, changed)
    assert [release["rollback_to"] for release in live.releases()] == [0, 1, 0, 0]
    assert live.running() == 4
    assert live.item_keys(live.table()) == ["kept"]


@pytest.mark.slow
def test_deployments_leave_the_kill_switch_alone(live: Production) -> None:
    """CloudFormation sets a parameter back to its first value with every update of it, so none may update it."""
    assert live.switch() == "enabled"


@pytest.mark.slow
def test_interrupted_deployment_is_found_again_and_proven(live: Production, proxy: AwsProxy) -> None:
    """Ctrl-C without a terminal detaches; meanwhile another person cannot deploy; the same command attaches."""
    running: list[Interruptible] = []
    others: list[Finished] = []

    def interrupt() -> None:
        others.append(live.inv("deploy", "--env", "prod", "--yes", LOGNAME="colleague"))
        running[0].interrupt()

    proxy.hold_update(STACKS[0], polls=1000)
    proxy.call_at("ExecuteChangeSet", interrupt)
    running.append(live.interruptible("deploy", "--env", "prod", "--yes", endpoint=proxy.url, by=signal.SIGINT))
    interrupted = running[0].finish()

    proxy.clear()
    proxy.report_status(STACKS[0], "UPDATE_IN_PROGRESS", times=3)
    attached = live.deploy(endpoint=proxy.url)

    require(interrupted, 130, "inv deploy --env prod")
    require(others[0], 3, "deploying")
    require(attached, 0, STACKS[0])
    assert live.releases()[0]["smoke"] == "passed"


def test_failed_smoke_rolls_both_stacks_back_until_it_passes(live: Production, proxy: AwsProxy) -> None:
    original, running = live.digests(), live.running()
    proxy.fail_invocation("MetricsFunction")

    with live.edited(SHARED, appended("# fails its smoke test")):
        failed = live.deploy(endpoint=proxy.url)
        restored, status = live.digests(), live.releases()[0]["smoke"]
        repaired = live.deploy()

    require(failed, 8, "MetricsFunction", "KeyError", f"r{running}")
    assert (restored, status) == (original, "passed")
    require(repaired, 0)
    assert live.digests() != original
    assert live.releases()[0]["smoke"] == "passed"


def test_prune_leaves_what_runs_and_the_last_releases(live: Production) -> None:
    """Here only the last three releases are kept, and nothing counts as young."""
    unused, version = live.publish_layer_version(), live.publish_function_version()
    before, running, layers = live.digests(), live.running(), live.layer_versions()
    scope = scopes.read(live.root, "prod", variables={"AWS_ENDPOINT_URL": live.sandbox.emulator_url})
    scope = replace(scope, target=replace(scope.target, key_id=ACCOUNT, secret="test"))
    session, leftovers = sessions.begin(scope, connect(scope), None), find_leftovers(scope)

    selected = survey.select(session, leftovers, newest=3, min_age=timedelta(days=-1))
    removal.remove(selected, session, leftovers, renew=lambda: None)

    again = survey.select(sessions.refresh(session), leftovers, newest=3, min_age=timedelta(days=-1))
    assert again.is_empty
    assert [layer.arn for layer in selected.layers] == [unused]
    assert live.layer_versions() == layers - 1
    assert version in live.function_versions()
    assert len(selected.objects) > 1
    assert (live.digests(), live.running()) == (before, running)


def test_pruned_release_cannot_be_restored_and_others_can(live: Production) -> None:
    rollback = ("rollback", "--env", "prod", "--yes")
    assert live.releases()[-1]["pruned"]

    require(live.inv("prune", "--env", "prod", "--dry-run"), 0, "nothing to prune in prod")
    require(live.inv(*rollback, "--to", "r1"), 3, "r1: inv prune has deleted its artifacts")
    require(live.inv(*rollback), 0)


@pytest.mark.slow
def test_allowed_replacement_keeps_the_old_table(live: Production) -> None:
    """What AWS does with a table whose keys change, which the emulator does not do by itself."""
    old = live.table()

    with live.edited(TEMPLATE, replaced(KEYS, OTHER_KEYS)):
        require(live.deploy("--allow", "replace:Ledger"), 0)

    assert live.table() != old
    assert (live.item_keys(live.table()), live.item_keys(old)) == ([], ["kept"])


def test_secret_is_in_no_file_object_log_or_variable(live: Production) -> None:
    files = [path for path in live.root.rglob("*") if path.is_file() and ".tools" not in path.parts]

    assert [str(path) for path in files if live.canary.encode() in path.read_bytes()] == []
    assert [place for place, text in live.texts() if live.canary in text] == []
