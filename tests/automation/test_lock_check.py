from pathlib import Path

import pytest

from automation import lock_check, locks, tasks
from automation.project import model
from automation.system.errors import CheckFailedError, ConfigurationError, Finding
from tests.automation.projects import PYPROJECT, make_shop, write_files
from tests.automation.test_tasks import inv

GROUPS = """
[dependency-groups]
base = ["Foo_Bar[extra]==2.0"]
dev = [{include-group = "base"}, "six>=1.16", "typer", "odd==1; sys_platform == 'win32'"]
"""
LOCK = "foo-bar==2.0 \\\n    --hash=sha256:ab\nsix==1.17.0\ntyper==1.0b1\n"
WHEELS = "layers/wheels/requirements"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_shop(tmp_path)
    write_files(tmp_path, {"pyproject.toml": f"{PYPROJECT}\n{GROUPS}", "locks/dev.txt": LOCK})
    write_files(tmp_path, {f"{WHEELS}.in": "six==1.17.0\n", f"{WHEELS}.txt": "six==1.17.0 \\\n    --hash=sha256:ab\n"})
    return tmp_path


def findings(root: Path) -> tuple[Finding, ...]:
    project = model.load(root)
    return lock_check.find(locks.plan(project, ("dev",)), root)


def test_find_locks_with_what_is_required_has_nothing(root: Path) -> None:
    assert findings(root) == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("Foo_Bar[extra]==2.0", "foo.bar==2.1", "has foo.bar 2.0, but pyproject.toml requires foo.bar==2.1"),
        ("six>=1.16", "six>=1.18", "has six 1.17.0, but pyproject.toml requires six>=1.18"),
        ('"typer"', '"typer", "rich"', "lacks rich, which pyproject.toml requires"),
    ],
)
def test_find_pin_that_moved_without_its_lock_names_both(root: Path, old: str, new: str, what: str) -> None:
    """As a bot does that knows pyproject.toml only; an included group counts, too."""
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(old, new))

    assert findings(root) == (Finding("locks/dev.txt", what, "run inv lock"),)


def test_find_requirement_of_a_layer_that_moved_names_its_line(root: Path) -> None:
    (root / f"{WHEELS}.in").write_text("# why\nsix==1.18.0\nodd==1; sys_platform == 'win32'\n-c limits.txt\n")
    (root / "layers/wheels/limits.txt").write_text("six<2\nnever==1\n")

    [finding] = findings(root)

    assert finding.where == f"{WHEELS}.txt"
    assert finding.what.endswith(f"{WHEELS}.in:2 requires six==1.18.0")


def test_find_one_of_two_versions_is_enough(root: Path) -> None:
    (root / "locks" / "dev.txt").write_text(f"{LOCK}six==1.0 ; python_version < '3'\n")

    assert findings(root) == ()


def test_find_neither_of_two_versions_names_both(root: Path) -> None:
    (root / "locks" / "dev.txt").write_text(LOCK.replace("1.17.0", "1.1") + "six==1.0 ; python_version < '3'\n")

    assert [finding.what for finding in findings(root)] == ["has six 1.1, 1.0, but pyproject.toml requires six>=1.16"]


def test_find_missing_lock_of_a_layer_lacks_everything(root: Path) -> None:
    (root / f"{WHEELS}.txt").unlink()

    assert [finding.what.partition(",")[0] for finding in findings(root)] == ["lacks six"]


def test_find_what_is_not_a_requirement_says_where(root: Path) -> None:
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("six>=1.16", "six=>1.16"))

    with pytest.raises(ConfigurationError, match=r"^pyproject\.toml: six=>1\.16 is not a requirement; correct it$"):
        findings(root)


def test_check_prints_findings_and_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "locks" / "dev.txt").write_text(LOCK.replace("six==1.17.0\n", ""))

    with pytest.raises(CheckFailedError, match=r"lock --check: 1 requirement\(s\) are not locked; run inv lock"):
        lock_check.check(model.load(root))
    assert capsys.readouterr().out == "locks/dev.txt: lacks six, which pyproject.toml requires; run inv lock\n"


def test_inv_lock_check_changes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tasks, "ROOT", root)

    assert inv("lock", "--check") == 0
    assert (root / "locks" / "dev.txt").read_text() == LOCK
    assert capsys.readouterr().out == "2 locks have what is required\n"


def test_inv_lock_check_of_one_name_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tasks, "ROOT", root)

    assert inv("lock", "six", "--check") == 2
    assert "locks are written as a whole" in capsys.readouterr().err
