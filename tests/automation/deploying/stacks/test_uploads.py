"""Zips and templates go up under their digests, once; a template that names other files is packaged by SAM."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from automation.deploying.stacks import uploads
from automation.deploying.stacks.uploads import CodeBucket
from automation.project import environments
from automation.project.environments import StackSettings
from automation.project.model import Project
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.stacks import StackDescription, StackState

STAMP = {"Release": "r7"}
BUCKET = CodeBucket("code", "alchemiser")
BOOTSTRAP = "bootstrap-shop-live"
FUNCTION = "AWS::Serverless::Function"


@dataclass
class FakeStore:
    """A bucket in memory; `broken` is the content that it refuses."""

    objects: dict[str, bytes] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    broken: bytes = b""
    unusable: str = ""

    def url(self, bucket: str, key: str) -> str:
        return f"https://s3/{bucket}/{key}"

    def require_usable(self, bucket: str) -> None:
        if bucket == self.unusable:
            raise ConfigurationError("cannot be used", where=bucket)

    def has(self, bucket: str, key: str, *, sha256: str) -> bool:
        return hashlib.sha256(self.objects.get(f"{bucket}/{key}", b"missing")).hexdigest() == sha256

    def put(self, bucket: str, key: str, content: bytes, *, sha256: str) -> None:
        if content == self.broken:
            raise DeploymentError("does not answer", where=bucket)
        assert hashlib.sha256(content).hexdigest() == sha256
        self.objects[f"{bucket}/{key}"] = content
        self.order.append(key)

    def read(self, bucket: str, key: str) -> bytes:
        return self.objects[f"{bucket}/{key}"]


@dataclass
class SlowStore(FakeStore):
    """A bucket that finishes no upload until it may go on; it refuses the broken content at once."""

    may_go_on: threading.Event = field(default_factory=threading.Event)

    def put(self, bucket: str, key: str, content: bytes, *, sha256: str) -> None:
        if content != self.broken:
            self.may_go_on.wait()
        super().put(bucket, key, content, sha256=sha256)


@dataclass
class FakeCloud:
    """The stack of SAM's bucket, if it exists, and the outputs of the bootstrap stack."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    bootstrap: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def describe(self, stack: str) -> StackDescription:
        self.asked.append(stack)
        return StackDescription(StackState(stack), outputs=self.bootstrap if stack == BOOTSTRAP else self.outputs)

    def create(self) -> None:
        self.outputs = {"SourceBucket": "managed"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def no_package() -> Mapping[str, Any]:
    raise AssertionError("everything is packed, so that SAM is not needed")


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def packed(folder: Path, resources: Mapping[str, Any], zips: Mapping[str, bytes], **sections: Any) -> Path:
    (folder / "zips").mkdir(parents=True)
    for name, content in zips.items():
        (folder / "zips" / f"{name}.zip").write_bytes(content)
    template = folder / "packed.json"
    template.write_text(json.dumps({**sections, "Resources": resources}))
    return template


def two_functions(folder: Path) -> Path:
    resources = {
        "Till": resource(FUNCTION, CodeUri="zips/Till.zip"),
        "Stock": resource("AWS::Lambda::Function", Code="zips/Stock.zip", Handler="a.b"),
        "Shared": resource("AWS::Serverless::LayerVersion", ContentUri="zips/Shared.zip"),
        "Queue": {"Type": "AWS::SQS::Queue"},
    }
    return packed(folder / "build", resources, {"Till": b"till", "Stock": b"stock", "Shared": b"shared"})


def test_upload_puts_each_zip_and_the_template_under_its_digest(tmp_path: Path) -> None:
    store = FakeStore()

    upload = uploads.upload(two_functions(tmp_path), BUCKET, store, stamp=STAMP, package=no_package)

    assert upload.code_digests == {"Till": sha256(b"till"), "Stock": sha256(b"stock"), "Shared": sha256(b"shared")}
    assert store.objects[f"code/alchemiser/{sha256(b'till')}.zip"] == b"till"
    assert upload.key == f"alchemiser/{upload.sha256}.json"
    assert upload.url == f"https://s3/code/{upload.key}"
    assert json.loads(store.objects[f"code/{upload.key}"]) == upload.template
    assert (upload.new_objects, len(store.objects)) == (4, 4)


def test_upload_template_names_the_code_in_s3(tmp_path: Path) -> None:
    resources = uploads.upload(two_functions(tmp_path), BUCKET, FakeStore(), stamp=STAMP, package=no_package).template[
        "Resources"
    ]

    assert resources["Till"]["Properties"] == {"CodeUri": f"s3://code/alchemiser/{sha256(b'till')}.zip"}
    assert resources["Shared"]["Properties"] == {"ContentUri": f"s3://code/alchemiser/{sha256(b'shared')}.zip"}
    code = {"S3Bucket": "code", "S3Key": f"alchemiser/{sha256(b'stock')}.zip"}
    assert resources["Stock"]["Properties"] == {"Code": code, "Handler": "a.b"}
    assert resources["Queue"] == {"Type": "AWS::SQS::Queue"}


def test_upload_again_uploads_nothing(tmp_path: Path) -> None:
    store, template = FakeStore(), two_functions(tmp_path)
    first = uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)
    store.order.clear()

    second = uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)

    assert (second.new_objects, store.order) == (0, [])
    assert (second.url, second.template) == (first.url, first.template)


def test_upload_one_changed_zip_uploads_that_and_the_template(tmp_path: Path) -> None:
    store, template = FakeStore(), two_functions(tmp_path)
    uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)
    (tmp_path / "build" / "zips" / "Till.zip").write_bytes(b"new till")

    upload = uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)

    assert upload.new_objects == 2
    assert store.order[-2:] == [f"alchemiser/{sha256(b'new till')}.zip", upload.key]


def test_upload_damaged_object_is_replaced(tmp_path: Path) -> None:
    store = FakeStore({f"code/alchemiser/{sha256(b'till')}.zip": b"half of it"})

    uploads.upload(two_functions(tmp_path), BUCKET, store, stamp=STAMP, package=no_package)

    assert store.objects[f"code/alchemiser/{sha256(b'till')}.zip"] == b"till"


def test_upload_equal_zips_go_up_once(tmp_path: Path) -> None:
    resources = {name: resource(FUNCTION, CodeUri=f"zips/{name}.zip") for name in "AB"}
    store = FakeStore()

    upload = uploads.upload(
        packed(tmp_path, resources, {"A": b"x", "B": b"x"}), BUCKET, store, stamp=STAMP, package=no_package
    )

    assert (upload.new_objects, len(store.order)) == (2, 2)
    assert upload.code_digests == {"A": sha256(b"x"), "B": sha256(b"x")}


def test_upload_template_goes_up_last(tmp_path: Path) -> None:
    store = FakeStore(broken=b"stock")

    with pytest.raises(DeploymentError, match="does not answer"):
        uploads.upload(two_functions(tmp_path), BUCKET, store, stamp=STAMP, package=no_package)

    assert not any(key.endswith(".json") for key in store.order)


def test_upload_failure_begins_no_further_uploads(tmp_path: Path) -> None:
    names = [f"F{number:02}" for number in range(40)]
    resources = {name: resource(FUNCTION, CodeUri=f"zips/{name}.zip") for name in names}
    template = packed(tmp_path, resources, {name: name.encode() for name in names})
    store = SlowStore(broken=b"F00")
    threading.Timer(0.2, store.may_go_on.set).start()

    with pytest.raises(DeploymentError, match="does not answer"):
        uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)

    assert len(store.order) < len(names) / 2


def test_upload_template_without_code_needs_no_sam(tmp_path: Path) -> None:
    upload = uploads.upload(
        packed(tmp_path, {"Queue": {"Type": "AWS::SQS::Queue"}}, {}),
        BUCKET,
        FakeStore(),
        stamp=STAMP,
        package=no_package,
    )

    assert (upload.code_digests, upload.new_objects) == ({}, 1)


@pytest.mark.parametrize(
    ("resources", "sections"),
    [
        ({"Api": resource("AWS::Serverless::Api", DefinitionUri="api.yaml")}, {}),
        ({"Other": resource(FUNCTION, CodeUri="folder")}, {}),
        ({"Till": resource(FUNCTION)}, {"Globals": {"Function": {"CodeUri": "folder"}}}),
    ],
    ids=["another file", "a folder that was not packed", "a folder of the Globals"],
)
def test_upload_other_local_files_are_packaged_by_sam(
    tmp_path: Path, resources: dict[str, Any], sections: dict[str, Any]
) -> None:
    (tmp_path / "build" / "folder").mkdir(parents=True)
    (tmp_path / "build" / "api.yaml").touch()
    (tmp_path / "build" / "packed.json").write_text(json.dumps({"Resources": resources, **sections}))
    packaged = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}

    upload = uploads.upload(
        tmp_path / "build" / "packed.json", BUCKET, FakeStore(), stamp=STAMP, package=lambda: packaged
    )

    assert upload.template == {**packaged, "Metadata": STAMP}


def test_upload_packaged_by_sam_has_the_digests_of_its_uploads(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    packaged = {
        "Resources": {
            "Till": resource(FUNCTION, CodeUri="s3://code/sam/1"),
            "Stock": resource("AWS::Lambda::Function", Code={"S3Bucket": "code", "S3Key": "sam/2"}),
            "Foreign": resource(FUNCTION, CodeUri="s3://theirs/sam/1"),
            "Theirs": resource("AWS::Lambda::Function", Code={"S3Bucket": "theirs", "S3Key": "sam/2"}),
            "Inline": resource("AWS::Lambda::Function", Code={"ZipFile": "pass"}),
            "Queue": {"Type": "AWS::SQS::Queue"},
        }
    }
    store = FakeStore({"code/sam/1": b"till", "code/sam/2": b"stock"})

    upload = uploads.upload(tmp_path / "template.yaml", BUCKET, store, stamp=STAMP, package=lambda: packaged)

    assert upload.code_digests == {"Till": sha256(b"till"), "Stock": sha256(b"stock")}
    assert upload.new_objects == 1


def test_upload_stamps_the_template_beside_its_own_metadata(tmp_path: Path) -> None:
    template = two_functions(tmp_path)
    template.write_text(json.dumps({**json.loads(template.read_text()), "Metadata": {"Owner": "shop"}}))
    store = FakeStore()

    upload = uploads.upload(template, BUCKET, store, stamp=STAMP, package=no_package)

    assert upload.template["Metadata"] == {"Owner": "shop", "Release": "r7"}
    assert json.loads(store.read(BUCKET.name, upload.key)) == upload.template


def test_local_zips_are_files_of_functions_and_layers(tmp_path: Path) -> None:
    (tmp_path / "a.zip").touch()
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "a.jar").touch()
    resources = {
        "Zip": resource(FUNCTION, CodeUri="a.zip"),
        "Folder": resource(FUNCTION, CodeUri="folder.zip"),
        "Jar": resource(FUNCTION, CodeUri="a.jar"),
        "Missing": resource(FUNCTION, CodeUri="b.zip"),
        "Inline": resource("AWS::Lambda::Function", Code={"ZipFile": "pass"}),
        "Bare": {"Type": FUNCTION},
        "Fn::ForEach::Loop": ["X", ["a"], {}],
    }

    assert uploads.local_zips({"Resources": resources}, tmp_path) == {"Zip": tmp_path / "a.zip"}


def test_rewrite_leaves_the_template_as_it_is(tmp_path: Path) -> None:
    template = {"Resources": {"Till": resource(FUNCTION, CodeUri="zips/Till.zip")}}

    rewritten = uploads.rewrite(template, {"Till": "k.zip"}, bucket="code")

    assert rewritten["Resources"]["Till"]["Properties"] == {"CodeUri": "s3://code/k.zip"}
    assert template["Resources"]["Till"]["Properties"] == {"CodeUri": "zips/Till.zip"}


@pytest.mark.parametrize(("prefix", "key"), [("shop", "shop/abc.zip"), ("", "abc.zip")])
def test_key_starts_with_the_prefix(prefix: str, key: str) -> None:
    assert CodeBucket("code", prefix).key("abc", ".zip") == key


def stack_settings(shop: Project, **section: str) -> StackSettings:
    environment = environments.load(shop, "live", variables={}, machine="x86_64")
    settings = environments.stack_settings(shop, environment, environments.read_samconfig(shop.root))[0]
    return replace(settings, section=section)


@pytest.mark.parametrize(
    ("section", "bucket"),
    [
        ({"s3_bucket": "mine"}, CodeBucket("mine", "alchemiser")),
        ({"s3_bucket": "mine", "s3_prefix": "shop/live/"}, CodeBucket("mine", "shop/live")),
        ({"s3_bucket": "mine", "s3_prefix": ""}, CodeBucket("mine", "")),
    ],
)
def test_code_bucket_of_samconfig(shop: Project, section: dict[str, str], bucket: CodeBucket) -> None:
    cloud = FakeCloud()

    settings = stack_settings(shop, **section)

    assert (
        uploads.code_bucket(
            settings, cloud=cloud, store=FakeStore(), bootstrap_stack=BOOTSTRAP, create_managed=cloud.create
        )
        == bucket
    )
    assert cloud.asked == []


@pytest.mark.parametrize(("outputs", "asked"), [({"SourceBucket": "managed"}, 1), ({}, 2)], ids=["exists", "missing"])
def test_code_bucket_is_otherwise_that_of_sam(shop: Project, outputs: dict[str, str], asked: int) -> None:
    cloud = FakeCloud(outputs)

    bucket = uploads.code_bucket(
        stack_settings(shop), cloud=cloud, store=FakeStore(), bootstrap_stack=BOOTSTRAP, create_managed=cloud.create
    )

    assert bucket == CodeBucket("managed", "alchemiser")
    assert cloud.asked == [BOOTSTRAP, *["aws-sam-cli-managed-default"] * asked]


def test_code_bucket_of_the_bootstrap_stack_comes_before_that_of_sam(shop: Project) -> None:
    cloud = FakeCloud({"SourceBucket": "managed"}, bootstrap={"ArtifactBucket": "artifacts"})

    bucket = uploads.code_bucket(
        stack_settings(shop), cloud=cloud, store=FakeStore(), bootstrap_stack=BOOTSTRAP, create_managed=cloud.create
    )

    assert bucket == CodeBucket("artifacts", "alchemiser")
    assert cloud.asked == [BOOTSTRAP]


def test_code_bucket_stack_of_sam_without_bucket_is_an_error(shop: Project) -> None:
    message = "aws-sam-cli-managed-default: has no output SourceBucket; name a bucket as s3_bucket in samconfig.toml"

    with pytest.raises(DeploymentError, match=message):
        uploads.code_bucket(
            stack_settings(shop),
            cloud=FakeCloud(),
            store=FakeStore(),
            bootstrap_stack=BOOTSTRAP,
            create_managed=lambda: None,
        )


@pytest.mark.parametrize("section", [{"s3_bucket": "bad"}, {}])
def test_code_bucket_unusable_bucket_is_refused(shop: Project, section: dict[str, str]) -> None:
    cloud = FakeCloud({"SourceBucket": "bad"})

    with pytest.raises(ConfigurationError, match="bad: cannot be used"):
        uploads.code_bucket(
            stack_settings(shop, **section),
            cloud=cloud,
            store=FakeStore(unusable="bad"),
            bootstrap_stack=BOOTSTRAP,
            create_managed=cloud.create,
        )
