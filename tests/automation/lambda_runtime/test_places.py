"""A place shows a function its own tree and layers, and nothing else of the project."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from automation.building import built
from automation.lambda_runtime import places
from automation.lambda_runtime.places import Place
from tests.automation.proof.small import TEMPLATE, install, make

TWO_LAYERS = TEMPLATE.replace("Layers: [!Ref Common]", "Layers: [!Ref Common, !Ref Extra]").replace(
    "Resources:\n",
    "Resources:\n  Extra:\n    Type: AWS::Serverless::LayerVersion\n"
    "    Properties: {ContentUri: layers/extra/, CompatibleRuntimes: [python3.12]}\n"
    "    Metadata: {BuildMethod: python3.12}\n",
)


@contextmanager
def place_of(root: Path, changes: Mapping[str, str] | None = None, *, template: str = TEMPLATE) -> Iterator[Place]:
    mount = built.mounts_of_project(make(root, changes, template=template))[0]
    with places.opened(root) as new_places, new_places.of(mount) as place:
        yield place


def same(first: Path, second: Path) -> bool:
    return first.stat().st_ino == second.stat().st_ino


def test_place_has_the_paths_of_lambda_and_the_same_files(tmp_path: Path) -> None:
    with place_of(tmp_path) as place:
        assert place.mount.task.as_posix().endswith("/var/task")
        assert place.opt.name == "opt"
        assert same(place.mount.task / "app.py", tmp_path / ".aws-sam/build/One/app.py")
        assert same(
            place.opt / "python/shared/__init__.py", tmp_path / ".aws-sam/build/Common/python/shared/__init__.py"
        )


def test_place_has_no_other_tree_above_its_own(tmp_path: Path) -> None:
    with place_of(tmp_path) as place:
        task = (place.mount.task / "app.py").resolve().parent
        assert list(task.parent.iterdir()) == [task]
        assert list(task.parents[1].iterdir()) == [task.parent]
        opt = (place.opt / "python/shared/__init__.py").resolve().parents[2]
        assert list(opt.parent.iterdir()) == [opt]
        assert not task.is_relative_to(opt.parent)
        assert not task.is_relative_to(tmp_path)


def test_place_later_layer_wins(tmp_path: Path) -> None:
    changes = {"layers/common/shared/a.py": "A = 1\n", "layers/extra/shared/a.py": "A = 2\n"}

    with place_of(tmp_path, changes, template=TWO_LAYERS) as place:
        shared = place.opt / "python" / "shared"
        assert sorted(path.name for path in shared.iterdir()) == ["__init__.py", "a.py"]
        assert (shared / "a.py").read_text() == "A = 2\n"
        assert place.built_file(shared / "a.py") == tmp_path / ".aws-sam/build/Extra/python/shared/a.py"
        assert place.built_file(shared / "__init__.py") == tmp_path / ".aws-sam/build/Common/python/shared/__init__.py"


def test_place_of_a_function_is_removed_at_once_and_opt_with_the_last(tmp_path: Path) -> None:
    mounts = built.mounts_of_project(
        make(tmp_path, template=TEMPLATE.replace("app.handler}", "app.handler, Layers: [!Ref Common]}"))
    )

    with places.opened(tmp_path) as new_places:
        with new_places.of(mounts[0]) as first:
            pass
        with new_places.of(mounts[1]) as second:
            assert second.opt == first.opt
        assert not first.mount.task.parents[1].exists()
        assert first.opt.is_dir()

    assert not first.opt.parent.exists()


def test_place_that_the_code_removed_itself_is_no_error(tmp_path: Path) -> None:
    with place_of(tmp_path) as place:
        for root in place.roots:
            shutil.rmtree(root)


def test_places_lie_where_programs_may_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "home" / ".cache"
    cache.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(cache.parent))
    flags = {cache: os.ST_NOSUID}
    monkeypatch.setattr(os, "statvfs", lambda folder: SimpleNamespace(f_flag=flags.get(folder, os.ST_NOEXEC)))

    with place_of(tmp_path / "project") as place:
        assert place.mount.task.is_relative_to(cache)
        assert place.opt.is_relative_to(cache)

    cache.rmdir()
    with place_of(tmp_path / "other") as place:
        assert place.mount.task.is_relative_to(Path(tempfile.gettempdir()).resolve())


def test_places_lie_on_the_file_system_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")  # noqa: S108 - Linux has another file system there
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    with place_of(tmp_path / "project") as place:
        assert place.mount.task.stat().st_dev == tmp_path.stat().st_dev


def test_place_package_of_an_index_is_one_link(tmp_path: Path) -> None:
    changes = {"functions/one/own/__init__.py": "", "functions/one/vendored/__init__.py": ""}
    project = make(tmp_path, changes)
    tree = tmp_path / ".aws-sam/build/One"
    install(tree, "six")
    (tree / "six-1.0.dist-info/RECORD").write_bytes(b"six.py,,\nvendored/__init__.py,,\n../../bin/six,,\n\xff.py,,\n")
    mount = built.mounts_of_project(project)[0]

    with places.opened(tmp_path) as new_places, new_places.of(mount) as place:
        task = place.mount.task
        links = sorted(path.name for path in task.iterdir() if path.is_symlink())
        assert links == ["vendored"]
        assert (task / "vendored").resolve() == tree / "vendored"
        assert same(task / "six.py", tree / "six.py")
        assert (task / "own" / "__init__.py").is_file()


@pytest.mark.parametrize("site", ["python", "python/lib/python3.12/site-packages"])
def test_place_package_of_a_layer_is_one_link(tmp_path: Path, site: str) -> None:
    project = make(tmp_path)
    folder = tmp_path / ".aws-sam/build/Common" / site
    install(folder, "six")
    (folder / "six-1.0.dist-info/RECORD").write_text("vendored/__init__.py,,\n")
    (folder / "vendored").mkdir()
    (folder / "vendored" / "__init__.py").touch()

    with places.opened(tmp_path) as new_places, new_places.of(built.mounts_of_project(project)[0]) as place:
        assert (place.opt / site / "vendored").readlink() == folder / "vendored"
        assert not (place.opt / site).is_symlink()
        assert (place.opt / "python" / "shared").is_dir()


@pytest.mark.parametrize(
    ("code", "is_linked"),
    [
        ("import os\nHERE = os.path.realpath(__file__)\n", False),
        ("HERE = Path(__file__).resolve()\n", False),
        ("HERE = os.path.dirname(__file__)\n", True),
        ("answer = names.resolve()\n", True),
    ],
)
def test_place_package_that_resolves_its_own_path_is_not_linked(tmp_path: Path, code: str, is_linked: bool) -> None:
    project = make(tmp_path, {"functions/one/vision/start.py": code})
    tree = tmp_path / ".aws-sam/build/One"
    install(tree, "six")
    (tree / "six-1.0.dist-info/RECORD").write_text("vision/start.py,,\n")

    with places.opened(tmp_path) as new_places, new_places.of(built.mounts_of_project(project)[0]) as place:
        assert (place.mount.task / "vision").is_symlink() is is_linked


def test_place_installed_code_of_the_project_is_not_linked(tmp_path: Path) -> None:
    project = make(tmp_path, {"functions/one/ours/__init__.py": ""})
    tree = tmp_path / ".aws-sam/build/One"
    install(tree, "six")
    (tree / "six-1.0.dist-info/RECORD").write_text("ours/__init__.py,,\n")
    (tree / "six-1.0.dist-info/direct_url.json").write_text(json.dumps({"url": "file:///home/me/ours"}))

    with places.opened(tmp_path) as new_places, new_places.of(built.mounts_of_project(project)[0]) as place:
        assert not (place.mount.task / "ours").is_symlink()


def test_place_link_inside_the_tree_stays_a_link(tmp_path: Path) -> None:
    project = make(tmp_path)
    (tmp_path / ".aws-sam/build/One/alias.py").symlink_to("app.py")

    with places.opened(tmp_path) as new_places, new_places.of(built.mounts_of_project(project)[0]) as place:
        assert (place.mount.task / "alias.py").readlink() == Path("app.py")


def test_built_file_outside_the_place_is_returned_as_it_is(tmp_path: Path) -> None:
    with place_of(tmp_path) as place:
        assert place.built_file(tmp_path / "x.py") == tmp_path / "x.py"
        assert place.built_file(place.mount.task / "new.py") == place.mount.task / "new.py"


def test_as_on_lambda_replaces_both_folders(tmp_path: Path) -> None:
    with place_of(tmp_path) as place:
        assert place.as_on_lambda(f"{place.mount.task}/a.py {place.opt}/b.py") == "/var/task/a.py /opt/b.py"
        assert place.as_on_lambda("{} and {}/".format(*place.roots)) == "/ and /"


def test_place_on_another_file_system_holds_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)

    with place_of(tmp_path) as place:
        copy = place.mount.task / "app.py"
        assert copy.read_bytes() == (tmp_path / ".aws-sam/build/One/app.py").read_bytes()
        assert not same(copy, tmp_path / ".aws-sam/build/One/app.py")
