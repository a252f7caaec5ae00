"""The patch versions of Lambda's Pythons."""

import pytest

from automation.lambda_runtime import python_versions


@pytest.mark.parametrize(
    ("version", "expected"), [("3.7", "3.7.13"), ("3.12", "3.12.13"), ("3.14", "3.14.3"), ("3.99", "3.99")]
)
def test_with_patch_adds_that_of_the_runtime_if_it_is_known(version: str, expected: str) -> None:
    assert python_versions.with_patch(version) == expected
