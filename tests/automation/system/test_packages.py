from pathlib import Path

import pytest

from automation.system import packages


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution whose script is ours, and one whose script is not."""
    for name, entry_point in (("other", "other.main:main"), ("our-tasks", packages.ENTRY_POINT)):
        info = tmp_path / f"{name.replace('-', '_')}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[console_scripts]\nx = {entry_point}\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
def test_own_name_and_version_are_those_of_our_distribution() -> None:
    assert (packages.own_name(), packages.own_version()) == ("our-tasks", "1.5")
    assert packages.how_to_install("boto3") == 'pip install "our-tasks[deploy]"'


def test_own_name_of_a_copied_folder_is_empty() -> None:
    assert (packages.own_name(), packages.own_version()) == ("", "")
    assert packages.how_to_install("grimp") == "pip install grimp"


@pytest.mark.parametrize(
    ("package", "extra", "distribution"),
    [
        ("boto3", "deploy", "boto3"),
        ("botocore", "deploy", "boto3"),
        ("cfn-lint", "validate", "cfn-lint"),
        ("cfnlint", "validate", "cfn-lint"),
        ("grimp", "affected", "grimp"),
    ],
)
def test_how_to_install_names_the_extra_or_the_distribution(package: str, extra: str, distribution: str) -> None:
    assert packages.how_to_install(package, wheel="our-tasks") == f'pip install "our-tasks[{extra}]"'
    assert packages.how_to_install(package, wheel="") == f"pip install {distribution}"
