"""The questions to an account by topic, over an account without AWS."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from automation.deploying.checks import account_remarks
from automation.deploying.remarks import Level, Remark
from automation.project.model import Project
from automation.system.accounts import DeployedStack, LambdaLimits
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.stacks import StackResource, StackState
from tests.automation.deploying.checks.visited_accounts import NOT_REHEARSED, changed_shop, stack, visit_to
from tests.automation.deploying.fake_accounts import FakeAccount, denied, unsupported
from tests.automation.projects import APP, SAMCONFIG

MANAGED = "aws-sam-cli-managed-default"


def test_stack_remarks_new_stacks_will_be_created(shop: Project) -> None:
    assert account_remarks.stack_remarks(visit_to(FakeAccount(), shop)) == [
        Remark(Level.OK, "shop-live-base", "will be created"),
        Remark(Level.OK, "shop-live", "will be created"),
    ]


def test_stack_remarks_state_and_drift(shop: Project) -> None:
    deployed = stack("shop-live-base"), stack("shop-live", "DELETE_FAILED", drift="DRIFTED")

    fine, no_drift, broken, drifted = account_remarks.stack_remarks(visit_to(FakeAccount(), shop, *deployed))

    assert fine == Remark(Level.OK, "shop-live-base", "is UPDATE_COMPLETE")
    assert no_drift == Remark(Level.OK, "shop-live-base", "no drift is known")
    assert (broken.level, broken.where) == (Level.STOP, "shop-live")
    assert broken.fix.endswith("delete it, then deploy again: inv destroy --env live")
    assert (drifted.level, drifted.where) == (Level.WARN, "shop-live")


def test_stack_remarks_failed_creation_does_not_stop(shop: Project) -> None:
    deployed = stack("shop-live-base"), stack("shop-live", "ROLLBACK_COMPLETE")

    *_, failed, _ = account_remarks.stack_remarks(visit_to(FakeAccount(), shop, *deployed))

    what = "is ROLLBACK_COMPLETE: its creation failed; inv deploy deletes the stack and creates it again"
    assert failed == Remark(Level.INFO, "shop-live", what)


def test_stack_remarks_running_change_does_not_stop(shop: Project) -> None:
    deployed = stack("shop-live-base"), stack("shop-live", "UPDATE_IN_PROGRESS")

    *_, running, _ = account_remarks.stack_remarks(visit_to(FakeAccount(), shop, *deployed))

    what = "is UPDATE_IN_PROGRESS; inv deploy waits until this change is finished"
    assert running == Remark(Level.INFO, "shop-live", what)


def test_quota_remarks_count_the_zips_of_the_build(shop: Project) -> None:
    for name, size in (("base/zips/Code.zip", 300), ("build/zips/Till.zip", 200), ("build/zips/notes.txt", 900)):
        path = shop.root / ".aws-sam" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))

    fits = FakeAccount(limits=LambdaLimits(1500, 1000, 1000, 1000))
    full = FakeAccount(limits=LambdaLimits(1500, 1001, 1000, 1000))

    assert account_remarks.quota_remarks(visit_to(fits, shop))[0].level is Level.OK
    assert account_remarks.quota_remarks(visit_to(full, shop))[0].level is Level.STOP
    assert account_remarks.quota_remarks(visit_to(full, shop, new_code_bytes=0))[0].level is Level.OK


def test_quota_remarks_do_not_count_reservations_twice(tmp_path: Path) -> None:
    app = APP.replace("Handler: shop.till.handler.main,", "Handler: a.b, ReservedConcurrentExecutions: 500,")
    shop = changed_shop(tmp_path, app_yaml=app)
    resources = (
        StackResource("Till", "physical-till", "AWS::Lambda::Function"),
        StackResource("Ledger", "physical-ledger", "AWS::Lambda::Function"),
    )
    limits = LambdaLimits(1000, 0, 1000, 500)
    account = FakeAccount(limits=limits, reserved={"physical-till": 500, "physical-ledger": 400})

    new = account_remarks.quota_remarks(visit_to(account, shop))
    deployed = account_remarks.quota_remarks(visit_to(account, shop, stack("base"), stack("app", "", *resources)))

    assert [remark.level for remark in new] == [Level.OK, Level.STOP]
    assert [remark.level for remark in deployed] == [Level.OK, Level.OK]
    assert "the functions reserve 500, the account can give 900 of 1000" in deployed[1].what


def test_quota_remarks_without_reservations_ask_once(shop: Project) -> None:
    account = FakeAccount()

    remarks = account_remarks.quota_remarks(visit_to(account, shop))

    assert [remark.where for remark in remarks] == ["Lambda code storage"]
    assert account.asked == ["lambda_limits"]


def test_quota_remarks_without_permission_warn(tmp_path: Path) -> None:
    app = APP.replace("Handler: shop.till.handler.main,", "Handler: a.b, ReservedConcurrentExecutions: 1,")
    account = FakeAccount(failing={"lambda_limits": denied()})

    remarks = account_remarks.quota_remarks(visit_to(account, changed_shop(tmp_path, app_yaml=app)))

    assert [(remark.level, remark.where) for remark in remarks] == [
        (Level.WARN, "Lambda code storage"),
        (Level.WARN, "Lambda concurrency"),
    ]


def named_shop(tmp_path: Path) -> Project:
    switch = "  Switch:\n    Type: AWS::SSM::Parameter\n    Properties: {Name: /shop/on, Type: String, Value: x}\n"
    return changed_shop(tmp_path, app_yaml=APP + switch)


def test_name_remarks_taken_name_stops(tmp_path: Path) -> None:
    account = FakeAccount(names=[("AWS::SSM::Parameter", "/shop/on")])

    deployed = stack("base"), stack("app")

    [remark] = account_remarks.name_remarks(visit_to(account, named_shop(tmp_path), *deployed))

    assert (remark.level, remark.where) == (Level.STOP, "app.yaml: Switch")


def test_name_remarks_name_that_a_new_stack_may_adopt_is_a_note(tmp_path: Path) -> None:
    account = FakeAccount(names=[("AWS::SSM::Parameter", "/shop/on")])

    fix = "inv diff --env live shows whether the new stack adopts it"
    assert account_remarks.name_remarks(visit_to(account, named_shop(tmp_path))) == [
        Remark(Level.INFO, "app.yaml: Switch", "AWS::SSM::Parameter /shop/on exists already", fix)
    ]


def test_name_remarks_free_name_is_fine(tmp_path: Path) -> None:
    account = FakeAccount(names=[("AWS::S3::Bucket", "/shop/on")])

    assert account_remarks.name_remarks(visit_to(account, named_shop(tmp_path))) == [
        Remark(Level.OK, "names", "1 new name(s) are free, 1 are written in templates")
    ]
    assert account.asked == ["exists AWS::SSM::Parameter /shop/on"]


def test_name_remarks_name_of_another_own_stack_is_fine(tmp_path: Path) -> None:
    account = FakeAccount(names=[("AWS::SSM::Parameter", "/shop/on")])
    owner = stack("base", "", StackResource("Old", "/shop/on", "AWS::SSM::Parameter"))

    assert account_remarks.name_remarks(visit_to(account, named_shop(tmp_path), owner, stack("app"))) == [
        Remark(Level.OK, "names", "0 new name(s) are free, 1 are written in templates")
    ]
    assert account.asked == []


def test_name_remarks_unsupported_look_up_is_a_note(tmp_path: Path) -> None:
    account = FakeAccount(failing={"exists": unsupported()})

    assert account_remarks.name_remarks(visit_to(account, named_shop(tmp_path))) == [
        Remark(Level.INFO, "app.yaml: Switch", NOT_REHEARSED)
    ]


def managed(status: str, *resources: StackResource) -> Mapping[str, DeployedStack]:
    return {MANAGED: stack(MANAGED, status, *resources)}


BUCKET = StackResource("SamCliSourceBucket", "sam-bucket", "AWS::S3::Bucket")
POLICY = StackResource("SamCliSourceBucketBucketPolicy", "policy", "AWS::S3::BucketPolicy")


def test_bucket_remarks_without_managed_stack_sam_creates_it(shop: Project) -> None:
    account = FakeAccount()

    assert account_remarks.bucket_remarks(visit_to(account, shop)) == [
        Remark(Level.OK, MANAGED, "SAM will create its bucket for code")
    ]
    assert account.asked == ["stack bootstrap-shop-live", f"stack {MANAGED}"]


def test_bucket_remarks_managed_bucket_is_checked(shop: Project) -> None:
    account = FakeAccount(stacks=managed("CREATE_COMPLETE", POLICY, BUCKET))

    assert account_remarks.bucket_remarks(visit_to(account, shop)) == [
        Remark(Level.OK, "sam-bucket", "the bucket for code can be used")
    ]


def test_bucket_remarks_bucket_of_the_bootstrap_stack_is_checked(shop: Project) -> None:
    bootstrap = DeployedStack(StackState("bootstrap-shop-live", "CREATE_COMPLETE"), {"ArtifactBucket": "artifacts"})
    account = FakeAccount(stacks={"bootstrap-shop-live": bootstrap})

    assert account_remarks.bucket_remarks(visit_to(account, shop)) == [
        Remark(Level.OK, "artifacts", "the bucket for code can be used")
    ]
    assert account.asked == ["stack bootstrap-shop-live", "require_bucket artifacts"]


def test_bucket_remarks_broken_managed_stack_stops(shop: Project) -> None:
    account = FakeAccount(stacks=managed("ROLLBACK_COMPLETE", BUCKET))

    [remark] = account_remarks.bucket_remarks(visit_to(account, shop))

    assert (remark.level, remark.where) == (Level.STOP, MANAGED)
    assert f"delete-stack --stack-name {MANAGED}" in remark.fix


def test_bucket_remarks_named_buckets_are_checked_once(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace('stack_name = "shop-live', 's3_bucket = "zips"\nstack_name = "shop-live')
    account = FakeAccount()

    remarks = account_remarks.bucket_remarks(visit_to(account, changed_shop(tmp_path, samconfig_toml=samconfig)))

    assert [remark.where for remark in remarks] == ["zips"]
    assert account.asked == ["require_bucket zips"]


def test_bucket_remarks_named_and_managed_bucket(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace('stack_name = "shop-live"', 's3_bucket = "zips"\nstack_name = "shop-live"')
    shop = changed_shop(tmp_path, samconfig_toml=samconfig)

    assert [remark.where for remark in account_remarks.bucket_remarks(visit_to(FakeAccount(), shop))] == [
        "zips",
        MANAGED,
    ]


@pytest.mark.parametrize(
    ("error", "remark"),
    [
        (
            ConfigurationError("the bucket is elsewhere", where="sam-bucket"),
            Remark(Level.STOP, "sam-bucket", "the bucket is elsewhere"),
        ),
        (
            DeploymentError("no answer", where="sam-bucket"),
            Remark(Level.WARN, "sam-bucket", "could not be checked: no answer", "run inv doctor again"),
        ),
    ],
)
def test_bucket_remarks_unusable_bucket(shop: Project, error: Exception, remark: Remark) -> None:
    account = FakeAccount(stacks=managed("CREATE_COMPLETE", BUCKET), unusable={"sam-bucket": error})

    assert account_remarks.bucket_remarks(visit_to(account, shop)) == [remark]
