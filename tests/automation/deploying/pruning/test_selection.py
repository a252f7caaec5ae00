"""What is old: every rule that keeps something has a case here in which nothing else would keep it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation.deploying.pruning import selection
from automation.deploying.pruning.selection import InUse, Selection
from automation.deploying.releases.records import Release
from automation.system.digests import base64_of
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion, StoredObject, WaitingChangeSet

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
LATER = SINCE + timedelta(seconds=1)
SHA256, OTHER, MD5 = "ab" * 32, "cd" * 32, "0123456789abcdef" * 2
IN_USE = InUse(frozenset({SHA256, MD5}), frozenset({"arn:till:3", "arn:code:3"}), SINCE)
TILL = FunctionVersion("till", 2, "arn:till:2", base64_of(OTHER), 10, SINCE, layers=("arn:code:1",))
CODE = LayerVersion("code", 2, "arn:code:2", SINCE)
ZIP = StoredObject("b", f"p/{OTHER}.zip", "v1", 5, SINCE)
CHANGE_SET = WaitingChangeSet("arn:set", "release-0123abcd", "arn:stack", "shop-live", SINCE)


def test_old_functions_are_chosen_in_order() -> None:
    first = replace(TILL, version=1)

    assert selection.old_functions([TILL, first], {"till": {3}, "stock": {2}}, IN_USE) == (first, TILL)


@pytest.mark.parametrize(
    "version",
    [
        replace(TILL, version=3),
        replace(TILL, arn="arn:till:3"),
        replace(TILL, digest=base64_of(SHA256)),
        replace(TILL, modified_at=LATER),
    ],
    ids=["aliased", "of a stack", "of a kept release", "young"],
)
def test_old_functions_keeps_what_is_used(version: FunctionVersion) -> None:
    assert selection.old_functions([version], {"till": {3}}, IN_USE) == ()


def test_unused_layers_are_chosen_in_order() -> None:
    first = replace(CODE, version=1)

    assert selection.unused_layers([CODE, first], {}, (), IN_USE) == (first, CODE)


@pytest.mark.parametrize(
    "version", [replace(CODE, arn="arn:code:1"), replace(CODE, arn="arn:code:3"), replace(CODE, created_at=LATER)]
)
def test_unused_layers_keeps_what_is_used(version: LayerVersion) -> None:
    assert selection.unused_layers([version], {("till", "$LATEST"): ("arn:code:1",)}, (), IN_USE) == ()


def test_unused_layers_ignores_users_that_are_deleted() -> None:
    layer, users = replace(CODE, arn="arn:code:1"), {("till", "2"): ("arn:code:1",)}

    assert selection.unused_layers([layer], users, [TILL], IN_USE) == (layer,)
    assert selection.unused_layers([layer], users, [replace(TILL, version=1)], IN_USE) == ()
    assert selection.unused_layers([layer], users, [replace(TILL, function="stock")], IN_USE) == ()


def test_old_layers_keeps_the_content_of_kept_releases() -> None:
    newer = replace(CODE, version=3)
    old = LayerContent(base64_of(OTHER), 7)

    assert selection.old_layers({CODE: old, newer: LayerContent(base64_of(SHA256), 7)}, IN_USE) == {CODE: old}


def test_old_objects_are_chosen_in_order() -> None:
    later = replace(ZIP, version_id="v2")

    assert selection.old_objects([later, ZIP], IN_USE) == (ZIP, later)


@pytest.mark.parametrize(
    "entry",
    [
        replace(ZIP, key=f"p/{SHA256}.zip"),
        replace(ZIP, key=f"p/{MD5}"),
        replace(ZIP, key=f"{MD5}.template"),
        replace(ZIP, modified_at=LATER),
    ],
)
def test_old_objects_keeps_what_is_used(entry: StoredObject) -> None:
    assert selection.old_objects([entry], IN_USE) == ()


def test_old_change_sets_are_those_of_this_program() -> None:
    others = [
        replace(CHANGE_SET, name="release-0123abcde"),
        replace(CHANGE_SET, name="my-release-0123abcd"),
        replace(CHANGE_SET, name="samcli-deploy1700000000"),
        replace(CHANGE_SET, created_at=LATER),
    ]

    assert selection.old_change_sets([CHANGE_SET, *others], IN_USE) == (CHANGE_SET,)


@pytest.mark.parametrize("name", [f"{SHA256}.zip", f"{SHA256}.json", SHA256, MD5, f"{MD5}.template", f"{MD5}.zip"])
def test_is_artifact_accepts_names_of_uploads(name: str) -> None:
    assert selection.is_artifact(f"p/q/{name}", "p/q")


@pytest.mark.parametrize(
    "key",
    [
        f"p/{SHA256}.txt",
        f"p/{SHA256}.zip.bak",
        f"p/a{SHA256}.zip",
        f"p/{'a' * 40}.zip",
        "p/report.json",
        f"p/q/{SHA256}.zip",
        f"pq/{SHA256}.zip",
        f"{SHA256}.zip",
    ],
)
def test_is_artifact_refuses_what_is_of_somebody_else(key: str) -> None:
    assert not selection.is_artifact(key, "p")


@pytest.mark.parametrize("key", [f"p/{MD5}", f"p/q/{MD5}.template", f"{MD5}.zip"])
def test_digest_of_is_the_name_without_its_ending(key: str) -> None:
    assert selection.digest_of(key) == MD5


def test_selection_size_is_that_of_code_and_objects() -> None:
    layers = {CODE: LayerContent("x", 7)}

    assert Selection(functions=(TILL,), layers=layers, objects=(ZIP, ZIP)).size_bytes == 27
    assert Selection().size_bytes == 0


def test_selection_is_empty_without_anything_of_a_kind() -> None:
    assert Selection().is_empty
    assert not Selection(releases=(Release(),)).is_empty
    assert not Selection(change_sets=(CHANGE_SET,)).is_empty
    assert not Selection(functions=(TILL,)).is_empty
    assert not Selection(layers={CODE: LayerContent("x", 7)}).is_empty
    assert not Selection(objects=(ZIP,)).is_empty
