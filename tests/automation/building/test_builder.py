"""Real builds of a small project: a change rebuilds the artifacts that it reaches, and touches no other."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automation.building import builder, source_copies
from automation.building import built as last_build
from automation.building.builder import BuildResult
from automation.project import model
from automation.project.model import Project
from automation.project.selection import Chosen
from automation.system import files
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_build, write_files

ALL = ["base Code", "base Stock", "app Code", "app Ledger", "app Till", "app Wheels"]
IMPORTS = """import sys
from pathlib import Path
from automation.building import builder
from automation.project import model
from automation.system import tools
"""
REPOSITORY = Path(builder.__file__).parents[2]


@pytest.fixture
def built(shop: Project) -> Project:
    make(shop)
    return shop


def make(shop: Project, chosen: Chosen | None = None, *, force: bool = False, **parameters: str) -> BuildResult:
    loaded = model.load(shop.root)
    source_copies.sync(loaded)
    by_stack = {stack.name: parameters for stack in loaded.stacks}
    return builder.build(loaded, parameters=by_stack, chosen=chosen or Chosen(), force=force)


def rebuilt(result: BuildResult) -> list[str]:
    return sorted(f"{decision.stack} {decision.logical_id}" for decision in result.rebuilt)


def output(shop: Project) -> dict[str, tuple[int, int]]:
    """Return the inode and the time of each file of both builds; they change when the file is touched."""
    return {
        str(path.relative_to(shop.root)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (shop.root / ".aws-sam").rglob("*")
        if path.is_file()
    }


def touched(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> set[str]:
    """Return the artifacts with a touched file; the templates do not count."""
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    parts = [Path(path).parts[1:] for path in paths if not path.endswith((".yaml", ".json"))]
    return {f"{part[0]} {part[2].removesuffix('.zip') if part[1] == 'zips' else part[1]}" for part in parts}


def test_build_second_run_builds_nothing(shop: Project) -> None:
    first, second = make(shop), make(shop)

    assert rebuilt(first) == sorted(ALL)
    assert rebuilt(second) == []


def test_build_without_changes_touches_nothing(built: Project) -> None:
    before = output(built)

    make(built)

    assert output(built) == before


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("shop/till/handler.py", {"build Till"}),
        ("shop/common/prices.py", {"base Code", "build Code"}),
        ("layers/wheels/requirements.txt", set()),
        ("layers/wheels/extra.py", {"build Wheels"}),
    ],
)
def test_build_change_touches_only_its_artifacts(built: Project, changed: str, reached: set[str]) -> None:
    before = output(built)
    write_files(built.root, {changed: "# changed\n"})

    make(built)

    assert touched(before, output(built)) == reached


def test_build_forced_writes_everything_with_the_same_bytes(built: Project) -> None:
    zips = sorted((built.root / ".aws-sam").rglob("*.zip"))
    before = [(path.stat().st_ino, path.read_bytes()) for path in zips]

    assert rebuilt(make(built, force=True)) == sorted(ALL)
    after = [(path.stat().st_ino, path.read_bytes()) for path in zips]
    assert [content for _, content in after] == [content for _, content in before]
    assert not {inode for inode, _ in after} & {inode for inode, _ in before}


def test_build_changed_template_rewrites_only_templates(built: Project) -> None:
    before = output(built)
    text = (built.root / "app.yaml").read_text()
    write_files(built.root, {"app.yaml": f"Description: new\n{text}"})

    assert rebuilt(make(built)) == []
    assert touched(before, output(built)) == set()
    assert "Description: new" in (built.root / ".aws-sam/build/template.yaml").read_text()
    assert json.loads((built.root / ".aws-sam/build/packed.json").read_text())["Description"] == "new"


def test_build_removed_function_is_removed_from_the_build(built: Project) -> None:
    text = (built.root / "app.yaml").read_text()
    write_files(built.root, {"app.yaml": text[: text.index("  Ledger:")]})

    make(built)

    assert sorted(path.name for path in (built.root / ".aws-sam/build").iterdir()) == [
        "Code", "Till", "Wheels", "packed.json", "template.yaml", "zips",
    ]  # fmt: skip


def test_build_named_function_builds_its_layers_and_no_other(shop: Project) -> None:
    result = make(shop, Chosen(names=("Till",)))

    template = (shop.root / ".aws-sam/build/template.yaml").read_text()
    assert rebuilt(result) == ["app Code", "app Till", "app Wheels"]
    assert result.not_selected == 1
    assert "CodeUri: ../../functions/ledger" in template


def test_build_named_function_leaves_the_others_stale(built: Project) -> None:
    write_files(built.root, {"shop/till/handler.py": "a = 1\n", "shop/ledger/handler.py": "a = 1\n"})

    assert rebuilt(make(built, Chosen(names=("Till",)))) == ["app Till"]
    assert rebuilt(make(built)) == ["app Ledger"]


@pytest.mark.parametrize("name", ["Till/shop/till/handler.py", "zips/Till.zip"])
def test_build_altered_output_is_laid_out_again(built: Project, name: str) -> None:
    path = built.root / ".aws-sam/build" / name
    before = path.read_bytes()
    path.write_bytes(b"altered")

    assert rebuilt(make(built)) == ["app Till"]
    assert path.read_bytes() == before


def test_build_removed_template_is_written_again(built: Project) -> None:
    (built.root / ".aws-sam/build/packed.json").unlink()

    make(built)

    assert (built.root / ".aws-sam/build/packed.json").is_file()


@pytest.mark.parametrize("text", ["{", "[]", '{"artifacts": {"Till": 1}}', '{"artifacts": {}, "looks": {}}'])
def test_build_broken_or_old_manifest_rebuilds_the_stack(built: Project, text: str) -> None:
    write_files(built.root, {".alchemiser/build/app.json": text})

    assert rebuilt(make(built)) == ["app Code", "app Ledger", "app Till", "app Wheels"]


def test_build_changed_parameter_rebuilds_its_artifacts(built: Project) -> None:
    assert rebuilt(make(built, Machine="arm64", Url="http://127.0.0.1/")) == ["base Stock"]
    assert last_build.as_built(built).functions[0].architectures == ("arm64",)


def test_build_that_keeps_going_builds_the_others(built: Project) -> None:
    before = output(built)
    mixed = "idna==3.10\nb --hash=sha256:0\n"
    write_files(built.root, {"shop/till/handler.py": "a = 1\n", "layers/wheels/requirements.txt": mixed})
    loaded = model.load(built.root)
    source_copies.sync(loaded)

    result = builder.build(loaded, keeps_going=True)

    assert rebuilt(result) == ["app Till"]
    assert result.counts == "3 functions: 3 built; 3 layers: 2 built, 1 failed"
    [failure] = result.failures
    assert "requirements.txt:1: idna==3.10 has no hash" in str(failure)
    assert touched(before, output(built)) == {"build Till"}
    assert "app Wheels" not in rebuilt(builder.build(loaded, keeps_going=True))


def test_build_failure_leaves_the_last_build(built: Project) -> None:
    before = output(built)
    mixed = "idna==3.10\nb --hash=sha256:0\n"
    write_files(built.root, {"shop/till/handler.py": "a = 1\n", "layers/wheels/requirements.txt": mixed})

    with pytest.raises(ConfigurationError, match=r"requirements\.txt:1: idna==3\.10 has no hash"):
        make(built)

    assert output(built) == before


def test_build_killed_between_renames_is_completed_by_the_next(built: Project) -> None:
    """One artifact has left the build, and the new one has not arrived."""
    before = (built.root / ".aws-sam/build/zips/Till.zip").read_bytes()
    old = built.root / ".aws-sam" / ".build.old"
    old.mkdir()
    (built.root / ".aws-sam/build/Till").rename(old / "Till")

    assert rebuilt(make(built)) == ["app Till"]
    assert (built.root / ".aws-sam/build/zips/Till.zip").read_bytes() == before
    assert not old.exists()


def test_build_over_a_build_by_sam_removes_unknown_artifacts(built: Project) -> None:
    write_files(
        built.root, {".aws-sam/build/Other/app.py": "", ".aws-sam/build/zips/Other.zip": "", "shop/till/x.py": ""}
    )

    make(built)

    names = {
        path.relative_to(built.root / ".aws-sam/build").parts[0] for path in (built.root / ".aws-sam/build").rglob("*")
    }
    assert "Other" not in names
    assert not (built.root / ".aws-sam/build/zips/Other.zip").exists()


def test_replace_tree_interrupt_waits_until_it_is_done(tmp_path: Path) -> None:
    write_files(tmp_path, {"staged/new": "", "place/old": ""})

    class Staged(type(tmp_path)):  # type: ignore[misc]  # the class of paths differs by platform
        def rename(self, target: Path) -> Path:
            os.kill(os.getpid(), signal.SIGINT)
            return Path(self).rename(target)

    with pytest.raises(KeyboardInterrupt):
        files.replace_tree(Staged(tmp_path / "staged"), tmp_path / "place")

    assert [path.name for path in (tmp_path / "place").iterdir()] == ["new"]


def test_build_full_disk_is_a_tool_error(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = output(built)
    write_files(built.root, {"shop/till/handler.py": "a = 1\n"})

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(files, "link", full)
    with pytest.raises(ToolError, match="No space left on device; the last build is unchanged"):
        make(built)

    assert output(built) == before
    assert not (built.root / ".aws-sam" / ".build.new").exists()


def test_build_several_at_once_build_only_once(shop: Project) -> None:
    source_copies.sync(shop)
    code = f"{IMPORTS}print(len(builder.build(model.load(Path(sys.argv[1]))).rebuilt))"
    argv = [sys.executable, "-c", code, str(shop.root)]
    running = [subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    counts = sorted(int(process.communicate(timeout=60)[0]) for process in running)

    assert counts == [0, 0, len(ALL)]


def test_build_interrupted_install_leaves_the_last_build(built: Project, tmp_path: Path) -> None:
    """Send Ctrl-C while a fake uv runs; both processes heed it, even if what started the tests ignores it."""
    before = output(built)
    restore = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    (tmp_path / "uv").write_text(
        f"#!{sys.executable}\n{restore}\nimport time\nopen(__file__ + '.runs', 'w').close()\ntime.sleep(30)\n"
    )
    (tmp_path / "uv").chmod(0o755)
    write_files(built.root, {"layers/wheels/requirements.txt": "idna==3.10 --hash=sha256:00\n"})
    build = "tools.uv_program = lambda: Path(sys.argv[2]); builder.build(model.load(Path(sys.argv[1])))"
    code = f"{restore}\n{IMPORTS}{build}"
    argv = [sys.executable, "-c", code, str(built.root), str(tmp_path / "uv")]
    running = subprocess.Popen(argv, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "uv.runs").exists():
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    stderr = running.communicate(timeout=20)[1]

    assert "KeyboardInterrupt" in stderr
    assert output(built) == before
    assert not list((built.root / ".alchemiser" / "artifacts").glob(".*"))


def test_require_built_missing_build_is_named(shop: Project) -> None:
    write_build(shop.root, {".aws-sam/base": {}})

    with pytest.raises(ConfigurationError, match=r"\.aws-sam/build: there is no build; run inv build"):
        last_build.require_built(model.load(shop.root))


def test_build_for_a_missing_python_warns_of_slow_starts(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    text = (shop.root / "app.yaml").read_text()
    write_files(shop.root, {"app.yaml": text.replace("Runtime: python3.12", "Runtime: python3.99")})

    make(shop, Chosen(names=("Ledger",)))

    problem = "there is no Python 3.99 on this machine, so artifacts for it have no bytecode and start slower"
    assert f"warning: {problem}; install it and build again with --force\n" in capsys.readouterr().err


def test_build_for_a_python_without_such_bytecode_does_not_ask_for_it(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (shop.root / "app.yaml").read_text()
    write_files(shop.root, {"app.yaml": text.replace("Runtime: python3.12", "Runtime: python3.6")})

    make(shop, Chosen(names=("Ledger",)))

    assert "bytecode" not in capsys.readouterr().err
    assert not list((shop.root / ".aws-sam/build/Ledger").rglob("*.pyc"))


def test_build_names_what_of_a_new_artifact_belongs_to_tools(shop: Project) -> None:
    write_files(shop.root, {"layers/wheels/.env": "", "layers/wheels/.venv/x.py": ""})

    first, second = (make(shop, Chosen(names=("Wheels",))) for _ in range(2))

    problem = "the code folder layers/wheels is shipped without what belongs to tools"
    assert (first.left_out, second.left_out) == ((f"{problem}: .env, .venv/",), ())


def test_build_output_shares_files_with_the_store(built: Project) -> None:
    tree = built.root / ".aws-sam/build/Till/shop/till/handler.py"

    assert tree.stat().st_nlink > 1
