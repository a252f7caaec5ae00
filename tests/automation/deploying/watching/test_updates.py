"""What each deployed function must get to run the last build, and what keeps it from getting it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from automation.building.built_code import BuiltZip
from automation.deploying.watching import updates
from automation.deploying.watching.declared import DeclaredFunction, DeclaredLayer
from automation.deploying.watching.updates import LiveFunction, Publications, Update, WantedLayer
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
        (
            live_with(),
            {"Code": zip_of("c2", is_installed=True), "Wheels": zip_of("w2", is_installed=True)},
            "the requirements of Code, Wheels differ from what is deployed",
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


@dataclass
class RecordedCode:
    """The calls to Lambda, in their order."""

    calls: list[tuple[object, ...]] = field(default_factory=list)

    def publish_layer(self, name: str, content: bytes, *, model_arn: str, description: str) -> str:
        self.calls.append(("publish", name, content, model_arn, description))
        return f"{model_arn}0"

    def mount(self, function: str, layers: Sequence[str]) -> None:
        self.calls.append(("mount", function, layers))

    def replace(self, function: str, content: bytes) -> None:
        self.calls.append(("replace", function, content))


def test_apply_publishes_a_layer_once_for_all_and_mounts_it_before_the_code(tmp_path: Path) -> None:
    for name in ("c2", "t2"):
        (tmp_path / name).write_text(f"zip {name}")
    layers = (WantedLayer(CODE, zip=BuiltZip(tmp_path / "c2", "c2", 6, False)), WantedLayer(WHEELS, WHEELS.arn))
    ledger = LiveFunction(replace(TILL, name="Ledger", physical_id="ledger-1"), LIVE.running)
    wanted = [Update(LIVE, BuiltZip(tmp_path / "t2", "t2", 6, False), layers), Update(ledger, layers=layers)]
    code, published, after = RecordedCode(), replace(PUBLISHED, own={}), dict[str, RunningCode]()

    def note(function: LiveFunction) -> None:
        after[function.declared.name] = function.running

    updates.apply(wanted, cast("Any", code), published, description="watched", on_updated=note)

    new, both = f"{CODE.arn}0", (f"{CODE.arn}0", WHEELS.arn)
    assert code.calls[0] == ("publish", "Code", b"zip c2", CODE.arn, "watched")
    assert [call for call in code.calls[1:] if call[1] == "till-1"] == [
        ("mount", "till-1", both),
        ("replace", "till-1", b"zip t2"),
    ]
    assert [call for call in code.calls[1:] if call[1] != "till-1"] == [("mount", "ledger-1", both)]
    assert published.own == {("Code", "c2"): new}
    assert after == {
        "Till": replace(LIVE.running, digest="t2", layers=both),
        "Ledger": replace(LIVE.running, layers=both),
    }
