import json
from pathlib import Path

import pytest

from automation import build, files, project, sync
from automation.errors import ConfigurationError
from automation.project import Project, Stack
from tests.automation.projects import write_build, write_files

ARTIFACTS = {".aws-sam/base": {"Code": 1, "Stock": 1}, ".aws-sam/build": {"Code": 1, "Wheels": 1, "Till": 1}}


@pytest.fixture
def synced(shop: Project) -> Project:
    sync.sync(shop)
    return shop


def digest(shop: Project, stack: Stack, *, tool: bytes = b"1", **parameters: str) -> str:
    return build.inputs(stack, shop.root, parameters=parameters, tool=tool)


@pytest.mark.parametrize(
    "changed",
    [
        "functions/till/shop/till/handler.py",
        "layers/common/python/shop/common/prices.py",
        "layers/wheels/requirements.txt",
    ],
)
def test_inputs_change_with_every_file_an_artifact_is_made_of(synced: Project, changed: str) -> None:
    app = synced.stacks[1]
    before = digest(synced, app)
    write_files(synced.root, {changed: "another"})

    assert digest(synced, app) != before


def test_inputs_change_with_template_tool_and_parameters(synced: Project) -> None:
    app = synced.stacks[1]
    first = {digest(synced, app), digest(synced, app, tool=b"2"), digest(synced, app, Colour="red")}
    write_files(synced.root, {"app.yaml": "another"})

    assert len(first | {digest(synced, app)}) == 4


def test_inputs_do_not_change_with_caches_or_another_stack(synced: Project) -> None:
    app = synced.stacks[1]
    before = digest(synced, app)
    write_files(synced.root, {"functions/till/__pycache__/x.pyc": "", "functions/stock/x": "", "base.yaml": "x"})

    assert digest(synced, app) == before


def test_inputs_absent_code_is_named_with_its_resource(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"app\.yaml: Till: its code functions/till does not exist"):
        digest(shop, shop.stacks[1])


def test_build_parameters_are_those_that_artifacts_depend_on(shop: Project) -> None:
    given = {"Machine": "arm64", "Url": "http://127.0.0.1:1/", "BaseStack": "x"}

    assert build.build_parameters(shop.stacks[0], given) == {"Machine": "arm64"}
    assert build.build_parameters(shop.stacks[0], {"Machine": "x86_64"}) == {}
    assert build.build_parameters(shop.stacks[1], given) == {}


def recorded(shop: Project, stack: Stack, made_of: str) -> Path:
    record = {"inputs": made_of, "output": files.signature(shop.root / stack.build_dir)}
    path = shop.root / ".alchemiser" / "build" / f"{stack.name}.json"
    files.write_atomically(path, json.dumps(record))
    return path


def test_is_current_when_inputs_and_output_are_as_recorded(shop: Project) -> None:
    write_build(shop.root, ARTIFACTS)
    recorded(shop, shop.stacks[1], "digest")

    assert build.is_current(shop.stacks[1], shop.root, made_of="digest")
    assert not build.is_current(shop.stacks[1], shop.root, made_of="another")
    assert not build.is_current(shop.stacks[0], shop.root, made_of="digest")


def test_is_current_output_that_somebody_wrote_over_is_not(shop: Project) -> None:
    write_build(shop.root, ARTIFACTS)
    recorded(shop, shop.stacks[1], "digest")
    write_files(shop.root, {".aws-sam/build/Till/content": "another"})

    assert not build.is_current(shop.stacks[1], shop.root, made_of="digest")


def test_is_current_broken_record_is_not(shop: Project) -> None:
    write_build(shop.root, ARTIFACTS)
    recorded(shop, shop.stacks[1], "digest").write_text("[1")

    assert not build.is_current(shop.stacks[1], shop.root, made_of="digest")


def test_require_built_first_stack_without_build_is_named(shop: Project) -> None:
    write_build(shop.root, {".aws-sam/base": {}})

    with pytest.raises(ConfigurationError, match=r"\.aws-sam/build: there is no build; run inv build"):
        build.require_built(project.load(shop.root))
