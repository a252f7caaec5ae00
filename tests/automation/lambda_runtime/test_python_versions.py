"""The patch versions of Lambda's Pythons."""

import pytest

from automation.lambda_runtime import python_versions

PATCHES = "3.6.14 3.7.13 3.8.19 3.9.11 3.10.14 3.11.10 3.12.13 3.13.14 3.14.3"


@pytest.mark.parametrize("expected", [*PATCHES.split(), "3.5", "3.15"])
def test_with_patch_adds_that_of_the_runtime_if_it_is_known(expected: str) -> None:
    assert python_versions.with_patch(".".join(expected.split(".")[:2])) == expected


@pytest.mark.parametrize(("minor", "is_2023"), [(11, False), (12, True), (14, True)])
def test_is_amazon_linux_2023_below_python_3_12_and_later(minor: int, *, is_2023: bool) -> None:
    assert python_versions.is_amazon_linux_2023(minor) is is_2023


@pytest.mark.parametrize(
    ("runtime", "is_later"),
    [("python3.14", False), ("python3.15", True), ("python3.20", True), ("python3.9", False), ("python3.x", False)],
)
def test_is_later_than_the_list_of_runtimes(runtime: str, *, is_later: bool) -> None:
    assert python_versions.is_later(runtime) is is_later


def test_runtimes_of_lambda_are_those_with_a_patch_version() -> None:
    assert {f"python{patch.rpartition('.')[0]}" for patch in PATCHES.split()} == python_versions.RUNTIMES - {
        "python2.7"
    }
    assert python_versions.NEWEST == "python3.14"
    assert set(python_versions.RETIRED) < python_versions.RUNTIMES
