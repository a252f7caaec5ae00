"""Where the folders of Lambda and of its stand-ins are."""

import tempfile
from pathlib import Path

import pytest

from automation.lambda_runtime.paths import temporary_folder

SHARED = "/tmp"  # noqa: S108 - the folder that every system has


@pytest.mark.parametrize(
    ("temporary", "root", "expected"),
    [
        ("/of/a/user", "/of/a/project", "/of/a/user"),
        ("/scratch", "/scratch/project", "/scratch"),
        ("/of/a/project/.nox/tmp", "/of/a/project", SHARED),
        ("/of/a/project", "/of/a/project", SHARED),
    ],
)
def test_temporary_folder_is_outside_the_project(
    monkeypatch: pytest.MonkeyPatch, temporary: str, root: str, expected: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", temporary)

    assert temporary_folder(Path(root)) == Path(expected)
