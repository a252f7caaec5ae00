"""Real builds of a small project: what a change reaches is made anew, and nothing else is touched."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automation.building import built as last_build
from automation.building import builder, source_copies
from automation.building.builder import Built
from automation.project import model
from automation.project.model import Project
from automation.project.selection import Chosen
from automation.system import files
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_build, write_files

ALL = ["base Code", "base Stock", "app Code", "app Ledger", "app Till", "app Wheels"]
REPOSITORY = Path(builder.__file__).parents[2]


@pytest.fixture
def built(shop: Project) -> Project:
    make(shop)
    return shop


def make(shop: Project, chosen: Chosen | None = None, *, force: bool = False, **parameters: str) -> Built:
    loaded = model.load(shop.root)
    source_copies.sync(loaded)
    given = {stack.name: parameters for stack in loaded.stacks}
    return builder.build(loaded, parameters=given, chosen=chosen or Chosen(), force=force)


def made(found: Built) -> list[str]:
    return sorted(f"{one.stack} {one.logical_id}" for one in found.made)


def output(shop: Project) -> dict[str, tuple[int, int]]:
    """Inode and time of each file of both builds: another number means that it was touched."""
    found = (path for name in ("base", "build") for path in (shop.root / ".aws-sam" / name).rglob("*"))
    return {
        str(path.relative_to(shop.root)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in found
        if path.is_file()
    }


def touched(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> set[str]:
    """The artifacts of which a file is another one, without the templates."""
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    parts = [Path(path).parts[1:] for path in paths if not path.endswith((".yaml", ".json"))]
    return {f"{part[0]} {part[2].removesuffix('.zip') if part[1] == 'zips' else part[1]}" for part in parts}


def test_build_makes_everything_once(shop: Project) -> None:
    first, second = make(shop), make(shop)

    assert made(first) == sorted(ALL)
    assert made(second) == []


def test_build_nothing_changed_touches_nothing(built: Project) -> None:
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
def test_build_change_reaches_its_artifacts_alone(built: Project, changed: str, reached: set[str]) -> None:
    before = output(built)
    write_files(built.root, {changed: "# changed\n"})

    make(built)

    assert touched(before, output(built)) == reached


def test_build_forced_makes_everything_again_with_the_same_bytes(built: Project) -> None:
    zips = sorted((built.root / ".aws-sam").rglob("*.zip"))
    before = [(path.stat().st_ino, path.read_bytes()) for path in zips]

    assert made(make(built, force=True)) == sorted(ALL)
    after = [(path.stat().st_ino, path.read_bytes()) for path in zips]
    assert [content for _, content in after] == [content for _, content in before]
    assert not {inode for inode, _ in after} & {inode for inode, _ in before}


def test_build_template_alone_rewrites_templates_alone(built: Project) -> None:
    before = output(built)
    text = (built.root / "app.yaml").read_text()
    write_files(built.root, {"app.yaml": f"Description: new\n{text}"})

    assert made(make(built)) == []
    assert touched(before, output(built)) == set()
    assert "Description: new" in (built.root / ".aws-sam/build/template.yaml").read_text()
    assert json.loads((built.root / ".aws-sam/build/packed.json").read_text())["Description"] == "new"


def test_build_function_that_left_the_template_leaves_the_build(built: Project) -> None:
    text = (built.root / "app.yaml").read_text()
    write_files(built.root, {"app.yaml": text[: text.index("  Ledger:")]})

    make(built)

    assert sorted(path.name for path in (built.root / ".aws-sam/build").iterdir()) == [
        "Code", "Till", "Wheels", "packed.json", "template.yaml", "zips",
    ]  # fmt: skip


def test_build_named_function_brings_its_layers_and_leaves_the_others_in_their_source(shop: Project) -> None:
    found = make(shop, Chosen(names=("Till",)))

    template = (shop.root / ".aws-sam/build/template.yaml").read_text()
    assert made(found) == ["app Code", "app Till", "app Wheels"]
    assert found.left == 1
    assert "CodeUri: ../../functions/ledger" in template


def test_build_named_function_leaves_what_is_stale_for_the_next_build(built: Project) -> None:
    write_files(built.root, {"shop/till/handler.py": "a = 1\n", "shop/ledger/handler.py": "a = 1\n"})

    assert made(make(built, Chosen(names=("Till",)))) == ["app Till"]
    assert made(make(built)) == ["app Ledger"]


@pytest.mark.parametrize("name", ["Till/shop/till/handler.py", "zips/Till.zip"])
def test_build_output_that_was_altered_is_laid_out_again(built: Project, name: str) -> None:
    path = built.root / ".aws-sam/build" / name
    before = path.read_bytes()
    path.write_bytes(b"altered")

    assert made(make(built)) == ["app Till"]
    assert path.read_bytes() == before


def test_build_templates_that_were_altered_are_written_again(built: Project) -> None:
    (built.root / ".aws-sam/build/packed.json").unlink()

    make(built)

    assert (built.root / ".aws-sam/build/packed.json").is_file()


@pytest.mark.parametrize("text", ["{", "[]", '{"artifacts": {"Till": 1}}'])
def test_build_broken_manifest_is_as_none(built: Project, text: str) -> None:
    write_files(built.root, {".alchemiser/build/app.json": text})

    assert made(make(built)) == ["app Code", "app Ledger", "app Till", "app Wheels"]


def test_build_parameter_that_artifacts_depend_on_makes_its_stack_anew(built: Project) -> None:
    assert made(make(built, Machine="arm64", Url="http://127.0.0.1/")) == ["base Stock"]
    assert last_build.as_built(built).functions[0].architectures == ("arm64",)


def test_build_failed_leaves_the_last_build(built: Project) -> None:
    before = output(built)
    write_files(built.root, {"shop/till/handler.py": "a = 1\n", "layers/wheels/requirements.txt": "idna==3.10\n"})

    with pytest.raises(ConfigurationError, match=r"requirements\.txt:1: idna==3\.10 has no hash"):
        make(built)

    assert output(built) == before


def test_build_killed_among_its_renames_is_mended_by_the_next(built: Project) -> None:
    """The moment in which one artifact has left its place and the new one has not come."""
    before = (built.root / ".aws-sam/build/zips/Till.zip").read_bytes()
    place = built.root / ".aws-sam" / ".build.old"
    place.mkdir()
    (built.root / ".aws-sam/build/Till").rename(place / "Till")

    assert made(make(built)) == ["app Till"]
    assert (built.root / ".aws-sam/build/zips/Till.zip").read_bytes() == before
    assert not place.exists()


def test_build_over_a_build_of_sams_removes_what_is_not_its_own(built: Project) -> None:
    write_files(
        built.root, {".aws-sam/build/Other/app.py": "", ".aws-sam/build/zips/Other.zip": "", "shop/till/x.py": ""}
    )

    make(built)

    names = {
        path.relative_to(built.root / ".aws-sam/build").parts[0] for path in (built.root / ".aws-sam/build").rglob("*")
    }
    assert "Other" not in names
    assert not (built.root / ".aws-sam/build/zips/Other.zip").exists()


def test_replace_tree_interrupted_is_finished_first(tmp_path: Path) -> None:
    write_files(tmp_path, {"staged/new": "", "place/old": ""})

    class Staged(type(tmp_path)):  # type: ignore[misc]  # the class of paths differs by platform
        def rename(self, target: Path) -> Path:
            os.kill(os.getpid(), signal.SIGINT)
            return Path(self).rename(target)

    with pytest.raises(KeyboardInterrupt):
        files.replace_tree(Staged(tmp_path / "staged"), tmp_path / "place")

    assert [path.name for path in (tmp_path / "place").iterdir()] == ["new"]


def test_build_disk_full_is_told_and_leaves_the_last_build(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = output(built)
    write_files(built.root, {"shop/till/handler.py": "a = 1\n"})

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(files, "link", full)
    with pytest.raises(ToolError, match="No space left on device; the last build is as it was"):
        make(built)

    assert output(built) == before
    assert not (built.root / ".aws-sam" / ".build.new").exists()


def test_build_of_two_at_once_waits_and_finds_it_done(shop: Project) -> None:
    source_copies.sync(shop)
    code = (
        "import sys; from pathlib import Path; from automation.building import builder; from automation.project import model; "
        "print(len(builder.build(model.load(Path(sys.argv[1]))).made))"
    )
    argv = [sys.executable, "-c", code, str(shop.root)]
    running = [subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    counts = sorted(int(one.communicate(timeout=60)[0]) for one in running)

    assert counts == [0, 0, len(ALL)]


def test_build_interrupted_while_it_installs_leaves_the_last_build(built: Project, tmp_path: Path) -> None:
    """Ctrl-C in a process of its own, while its stand-in for uv runs; both heed it, whatever started these tests."""
    before = output(built)
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    (tmp_path / "uv").write_text(
        f"#!{sys.executable}\n{heed}\nimport time\nopen(__file__ + '.runs', 'w').close()\ntime.sleep(30)\n"
    )
    (tmp_path / "uv").chmod(0o755)
    write_files(built.root, {"layers/wheels/requirements.txt": "idna==3.10 --hash=sha256:00\n"})
    code = heed + (
        "import sys; from pathlib import Path; from automation.building import builder; from automation.project import model; from automation.system import tools; "
        "tools.uv_program = lambda: Path(sys.argv[2]); builder.build(model.load(Path(sys.argv[1])))"
    )
    argv = [sys.executable, "-c", code, str(built.root), str(tmp_path / "uv")]
    running = subprocess.Popen(argv, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "uv.runs").exists():
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=20)[1]

    assert "KeyboardInterrupt" in said
    assert output(built) == before
    assert not list((built.root / ".alchemiser" / "artifacts").glob(".*"))


def test_require_built_first_stack_without_build_is_named(shop: Project) -> None:
    write_build(shop.root, {".aws-sam/base": {}})

    with pytest.raises(ConfigurationError, match=r"\.aws-sam/build: there is no build; run inv build"):
        last_build.require_built(model.load(shop.root))


def test_build_for_a_python_that_is_not_here_warns_of_slow_starts(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (shop.root / "app.yaml").read_text()
    write_files(shop.root, {"app.yaml": text.replace("Runtime: python3.12", "Runtime: python3.99")})

    make(shop, Chosen(names=("Ledger",)))

    assert "there is no Python 3.99 on this machine" in capsys.readouterr().err


def test_build_store_and_output_share_their_files(built: Project) -> None:
    tree = built.root / ".aws-sam/build/Till/shop/till/handler.py"

    assert tree.stat().st_nlink > 1
