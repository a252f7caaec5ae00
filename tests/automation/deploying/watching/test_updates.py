"""What each deployed function must get to run the last build, and what keeps it from getting it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation.building.built_code import BuiltZip
from automation.deploying.watching import updates
from automation.deploying.watching.declared import DeclaredFunction, DeclaredLayer
from automation.deploying.watching.updates import LiveFunction, Publications, WantedLayer
from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.project.model import Project
from automation.system.invocations import RunningCode

CODE = DeclaredLayer("Code", "arn:aws:lambda:r:1:layer:Code:1")
WHEELS = DeclaredLayer("Wheels", "arn:aws:lambda:r:1:layer:Wheels:4")
KEY = ("app", "Till")
TILL = DeclaredFunction("app", "shop-app", "Till", "till-1", bucket="b", key="k.zip", layers=(CODE, WHEELS))
LIVE = LiveFunction(TILL, RunningCode("t1", TILL.arns, "shop.till.handler.main", "python3.12"))
PUBLISHED = Publications({CODE.arn: "c1", WHEELS.arn: "w1"})


def zip_of(digest: str, *, is_installed: bool = False, size_bytes: int = 1) -> BuiltZip:
    return BuiltZip(Path("x.zip"), digest, size_bytes, is_installed)


BUILT = {KEY: zip_of("t1"), ("app", "Code"): zip_of("c1"), ("app", "Wheels"): zip_of("w1", is_installed=True)}


@pytest.fixture
def mount(shop: Project) -> Mount:
    [stack] = [stack for stack in shop.stacks if stack.name == "app"]
    [function] = [function for function in stack.functions if function.logical_id == "Till"]
    layers = tuple(MountedLayer(name, Path(name)) for name in ("Code", "Wheels"))
    return Mount(stack, function, Path("Till"), layers)


def plan(mount: Mount, live: LiveFunction = LIVE, **changes: BuiltZip) -> Any:
    zips = BUILT | {("app", name): built for name, built in changes.items()}
    return updates.plan([live], {KEY: mount}, zips, PUBLISHED)


def test_plan_of_the_same_build_is_empty(mount: Mount) -> None:
    assert plan(mount) == ()


def test_plan_other_code_is_given_alone(mount: Mount) -> None:
    [update] = plan(mount, Till=zip_of("t2"))

    assert (update.name, update.zip.digest, update.layers, update.obstacle) == ("Till", "t2", (), "")
    assert update.content == ("t2",)


def test_plan_other_layer_is_published_and_the_others_stay(mount: Mount) -> None:
    [update] = plan(mount, Code=zip_of("c2"))

    assert (update.zip, [layer.arn for layer in update.layers], update.obstacle) == (None, ["", WHEELS.arn], "")
    assert update.content == ("", "c2", "w1")


def test_plan_published_layer_is_mounted_and_that_of_the_release_comes_back(mount: Mount) -> None:
    own = f"{CODE.arn}9"
    published = replace(PUBLISHED, own={("Code", "c2"): own})
    zips = BUILT | {("app", "Code"): zip_of("c2")}

    [update] = updates.plan([LIVE], {KEY: mount}, zips, published)
    assert [published.find(layer) for layer in update.layers] == [own, WHEELS.arn]

    mounted = replace(LIVE, running=replace(LIVE.running, layers=(own, WHEELS.arn)))
    assert updates.plan([mounted], {KEY: mount}, zips, published) == ()
    [back] = updates.plan([mounted], {KEY: mount}, BUILT, published)
    assert [published.find(layer) for layer in back.layers] == [CODE.arn, WHEELS.arn]


def test_plan_layer_of_another_stack_stays(mount: Mount) -> None:
    outside = DeclaredLayer("", "arn:aws:lambda:r:2:layer:extension:7")
    declared = replace(TILL, layers=(CODE, outside, WHEELS))
    live = LiveFunction(declared, replace(LIVE.running, layers=declared.arns))

    assert plan(mount, live) == ()
    [update] = plan(mount, live, Code=zip_of("c2"))
    assert ([layer.arn for layer in update.layers], update.obstacle) == (["", outside.arn, WHEELS.arn], "")


def test_plan_function_that_was_not_built_is_left_alone(mount: Mount) -> None:
    without = {key: built for key, built in BUILT.items() if key != KEY}
    other = LiveFunction(TILL, replace(LIVE.running, digest="t0"))

    assert updates.plan([other], {KEY: mount}, without, PUBLISHED) == ()
    assert updates.plan([other], {}, BUILT, PUBLISHED) == ()


def live_with(**running: Any) -> LiveFunction:
    return replace(LIVE, running=replace(LIVE.running, **{"digest": "t0", **running}))


@pytest.mark.parametrize(
    ("live", "changes", "obstacle"),
    [
        (live_with(handler="old.main"), {}, "what is deployed has another Handler than the template"),
        (live_with(runtime="python3.11"), {}, "what is deployed has another Runtime than the template"),
        (
            replace(live_with(handler="a.b"), declared=replace(TILL, layers=(WHEELS, CODE))),
            {},
            "what is deployed has another Handler and Layers than the template",
        ),
        (replace(live_with(), declared=replace(TILL, obstacle="has a reason")), {}, "has a reason"),
        (
            live_with(),
            {"Wheels": zip_of("w2", is_installed=True)},
            "the requirements of Wheels differ from what is deployed",
        ),
        (live_with(), {"Till": zip_of("t2", size_bytes=50_000_000)}, ""),
        (live_with(), {"Till": zip_of("t2", size_bytes=50_000_001)}, "a zip of more than 50 MB can only be deployed"),
        (live_with(), {"Code": zip_of("c2", size_bytes=50_000_001)}, "a zip of more than 50 MB can only be deployed"),
        # The layer that stays is not sent.
        (live_with(), {"Wheels": zip_of("w1", is_installed=True, size_bytes=60_000_000)}, ""),
    ],
)
def test_plan_says_what_keeps_a_function_from_its_update(
    mount: Mount, live: LiveFunction, changes: dict[str, BuiltZip], obstacle: str
) -> None:
    [update] = plan(mount, live, **changes)

    assert update.obstacle == obstacle


def test_find_takes_the_release_before_what_was_published() -> None:
    published = Publications({CODE.arn: "c1"}, {("Code", "c1"): "own"})

    assert published.find(WantedLayer(CODE, zip=zip_of("c1"))) == CODE.arn
    assert published.find(WantedLayer(CODE, arn="outside")) == "outside"
    assert Publications().find(WantedLayer(CODE, zip=zip_of("c1"))) == ""
