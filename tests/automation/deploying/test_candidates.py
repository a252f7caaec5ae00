"""What each stack would become: from the build in the working copy, and from the artifacts of a release."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from automation.building import outputs
from automation.deploying import candidates, stack_inputs
from automation.deploying.candidates import Candidate
from automation.deploying.releases.records import Release, ReleasedStack
from automation.deploying.scope import Scope
from automation.deploying.stacks import sam_packages
from automation.project import model
from automation.project.model import Project
from automation.system.errors import ConfigurationError
from automation.system.files import digest
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.fake_aws import FakeAws, FakeStore
from tests.automation.projects import SAMCONFIG, make_shop

WITH_BUCKET = SAMCONFIG.replace("stack_name =", 's3_bucket = "shop"\nstack_name =')
PIN = {"Parameters": {"Pin": {"Type": "String", "NoEcho": True}}}
FUNCTION = "AWS::Lambda::Function"


def zipped(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", text)
    return content.getvalue()


def write_packed(root: Path, build_dir: str, name: str) -> bytes:
    """Write the build of a stack with one function, and return its zip."""
    folder, content = root / build_dir, zipped(name)
    (folder / outputs.ZIPS).mkdir(parents=True)
    (folder / outputs.ZIPS / f"{name}.zip").write_bytes(content)
    properties = {"Code": f"{outputs.ZIPS}/{name}.zip"}
    template = {**PIN, "Resources": {name: {"Type": FUNCTION, "Properties": properties}}}
    (folder / outputs.PACKED).write_text(json.dumps(template))
    return content


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    """Return a scope whose stacks are built; stack app has a parameter that nobody may see."""
    root = make_shop(tmp_path, samconfig_toml=WITH_BUCKET)
    write_packed(root, ".aws-sam/base", "Stock")
    write_packed(root, ".aws-sam/build", "Till")
    built = scope_of(model.load(root), "live")
    base, app = built.stacks
    return replace(built, stacks=(base, replace(app, parameters={**app.parameters, "Pin": "hunter22"})))


def of_build(scope: Scope, aws: FakeAws) -> tuple[Candidate, ...]:
    digests = candidates.digests(scope)
    return candidates.of_build(scope, aws.stacks, aws.store, digests=digests, stamp={"Release": "r7"})


def test_of_build_uploads_and_describes_each_stack(scope: Scope) -> None:
    aws = FakeAws()

    base, app = of_build(scope, aws)

    content = zipped("Till")
    assert [base.released.stack, app.released.stack] == ["base", "app"]
    assert app.settings == scope.stacks[1]
    assert app.template["Resources"]["Till"]["Properties"]["Code"] == {
        "S3Bucket": "shop",
        "S3Key": f"alchemiser/{digest(content)}.zip",
    }
    assert app.released == ReleasedStack(
        stack="app",
        stack_name="shop-live",
        digest=candidates.digests(scope)["shop-live"],
        template=app.url.replace("https://s3/", "s3://"),
        parameters={"BaseStack": "shop-live-base"},
        code={"Till": digest(content)},
        sizes={"Till": len(content)},
    )
    bucket, key = candidates.location(app.released.template)
    assert json.loads(aws.store.read(bucket, key)) == app.template


def test_with_sizes_records_those_of_each_stack(scope: Scope) -> None:
    contents = {"app": {"Till": {"numpy==1.0": 7}}}
    mounts: dict[str, dict[str, tuple[str, ...]]] = {"app": {"Till": ("Wheels",)}, "base": {"Stock": ()}}

    base, app = candidates.with_sizes(of_build(scope, FakeAws()), contents, mounts)

    assert (base.released.contents, base.released.mounts) == ({}, {"Stock": ()})
    assert (app.released.contents, app.released.mounts) == ({"Till": {"numpy==1.0": 7}}, {"Till": ("Wheels",)})
    assert list(app.released.sizes) == ["Till"]


def test_digests_follow_the_hidden_parameters_too(scope: Scope) -> None:
    before = candidates.digests(scope)
    base, app = scope.stacks
    after = candidates.digests(replace(scope, stacks=(base, replace(app, parameters={**app.parameters, "Pin": "x"}))))

    assert list(before) == ["shop-live-base", "shop-live"]
    assert before["shop-live-base"] == after["shop-live-base"]
    assert before["shop-live"] != after["shop-live"]
    template = scope.root / ".aws-sam/build" / outputs.PACKED
    assert before["shop-live"] == stack_inputs.deployment_digest(template, app.parameters)


def test_digests_of_a_build_of_folders_are_empty(shop: Project) -> None:
    assert candidates.digests(scope_of(shop, "live")) == {"shop-live-base": "", "shop-live": ""}


def test_of_build_of_folders_is_packaged_by_sam(tmp_path: Path, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build by SAM names folders; SAM uploads them, and no size is known."""
    build_dir = tmp_path / ".aws-sam/build"
    (build_dir / outputs.PACKED).unlink()
    (build_dir / outputs.TEMPLATE).write_text("Resources: {}\n")
    aws, packaged = FakeAws(), {"Resources": {"Till": {"Type": FUNCTION, "Properties": {}}}}
    monkeypatch.setattr(sam_packages, "package", lambda *_arguments, **_options: packaged)

    _, app = of_build(scope, aws)

    assert app.template == {**packaged, "Metadata": {"Release": "r7"}}
    assert (app.released.sizes, app.released.digest) == ({}, "")


def of_release(scope: Scope, *stacks: ReleasedStack) -> tuple[Candidate, ...]:
    store = FakeStore({("shop", "code/app.json"): b'{"Resources": {}}', ("shop", "base.json"): b'{"Outputs": {}}'})
    return candidates.of_release(scope, stacks, store)


APP = ReleasedStack("app", "shop-live", "d", "s3://shop/code/app.json", parameters={"Colour": "red"})
BASE = ReleasedStack("base", "shop-live-base", "e", "s3://shop/base.json")


def test_of_release_has_its_own_template_and_parameters_in_the_given_order(scope: Scope) -> None:
    app, base = of_release(scope, APP, BASE)

    assert (app.released, base.released) == (APP, BASE)
    assert (app.template, base.template) == ({"Resources": {}}, {"Outputs": {}})
    assert (app.url, base.url) == ("https://s3/shop/code/app.json", "https://s3/shop/base.json")
    assert app.settings == replace(scope.stacks[1], parameters={"Colour": "red"})


def test_of_release_stack_that_is_gone_says_where_to_run(scope: Scope) -> None:
    with pytest.raises(ConfigurationError) as caught:
        of_release(scope, APP, replace(BASE, stack_name="shop-old"))

    assert str(caught.value) == (
        "shop-old is not a stack of live any more; check out the commit of the release, and run inv rollback there"
    )


def test_missing_artifacts_names_templates_and_zips() -> None:
    template, code = b"{}", zipped("Till")
    kept = {("shop", f"a/{digest(template)}.json"): template, ("shop", f"a/{digest(code)}.zip"): code}
    stacks = (
        ReleasedStack("app", template=f"s3://shop/a/{digest(template)}.json", code={"Till": digest(code)}),
        ReleasedStack("base", template=f"s3://shop/{digest(b'gone')}.json", code={"Stock": "f" * 64}),
    )

    assert candidates.missing_artifacts(Release(stacks=stacks[:1]), FakeStore(kept)) == ()
    assert candidates.missing_artifacts(Release(stacks=stacks), FakeStore(kept)) == (
        f"s3://shop/{digest(b'gone')}.json",
        f"s3://shop/{'f' * 64}.zip",
    )
    assert len(candidates.missing_artifacts(Release(stacks=stacks[:1]), FakeStore())) == 2


def test_missing_artifacts_damaged_object_counts_as_missing() -> None:
    stacks = (ReleasedStack("app", template=f"s3://shop/a/{digest(b'{}')}.json"),)
    damaged = FakeStore({("shop", f"a/{digest(b'{}')}.json"): b"other"})

    assert candidates.missing_artifacts(Release(stacks=stacks), damaged) == (f"s3://shop/a/{digest(b'{}')}.json",)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("s3://shop/code/app.json", ("shop", "code/app.json")), ("s3://shop/app.json", ("shop", "app.json"))],
)
def test_location_has_bucket_and_key(text: str, parts: tuple[str, str]) -> None:
    assert candidates.location(text) == parts
