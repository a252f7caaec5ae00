import sys
from pathlib import Path

import pytest

from automation import locks
from automation.locks import Lock
from automation.project import model
from automation.project.model import Project
from automation.project.templates import Unresolved
from automation.system import tools
from tests.automation.projects import APP, BASE, PYPROJECT, make_shop, write_files


def test_plan_has_a_lock_per_group_and_per_requirements_in(shop: Project) -> None:
    layer = "layers/wheels/requirements"

    assert locks.plan(shop, ("dev", "aws")) == (
        Lock("locks/aws.txt", ("--group", "pyproject.toml:aws", "--universal")),
        Lock("locks/dev.txt", ("--group", "pyproject.toml:dev", "--universal")),
        Lock(f"{layer}.txt", (f"{layer}.in",), "3.12", "x86_64-manylinux_2_34"),
    )


def test_plan_lock_is_for_the_platform_of_the_artifact(tmp_path: Path) -> None:
    stock = "Handler: shop.stock.handler.main\n      Runtime: python3.12\n      Architectures: [!Ref Machine]"
    changed = BASE.replace(stock, "Handler: a.b\n      Runtime: python3.11\n      Architectures: [arm64]")
    write_files(make_shop(tmp_path, base_yaml=changed), {"functions/stock/requirements.in": ""})

    assert locks.plan(model.load(tmp_path), ())[0] == Lock(
        "functions/stock/requirements.txt", ("functions/stock/requirements.in",), "3.11", "aarch64-manylinux_2_17"
    )


def test_plan_lock_without_a_runtime_is_for_our_own_python(tmp_path: Path) -> None:
    make_shop(
        tmp_path,
        app_yaml=APP.replace(
            "{ContentUri: layers/wheels/, CompatibleRuntimes: [python3.12]}", "{ContentUri: layers/wheels/}"
        ),
    )

    [lock] = locks.plan(model.load(tmp_path), ())

    assert (lock.python, lock.platform) == ("", "")


def test_locked_groups_are_those_with_a_lock(shop: Project) -> None:
    write_files(shop.root, {"locks/dev.txt": "", "pyproject.toml": f"{PYPROJECT}\n[dependency-groups]\ndev = []"})

    assert locks.locked_groups(model.load(shop.root)) == ("dev",)


def test_locked_groups_lock_without_group_is_left_alone(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(shop.root, {"locks/sam.txt": "", "locks/dev.txt": ""})

    assert locks.locked_groups(shop) == ()
    message = (
        "locks/dev.txt, locks/sam.txt: not locked anew, because pyproject.toml has no dependency group of that name"
    )
    assert capsys.readouterr().err.endswith(f": {message}\n")


def test_python_of_is_that_of_the_first_python_runtime() -> None:
    assert locks.python_of((Unresolved("x"), "nodejs22.x", "python3.13", "python3.12")) == "3.13"
    assert locks.python_of(("nodejs22.x",)) == ""


def test_compile_lock_keeps_options_and_paths_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uv = tmp_path / "uv"
    find = 'for word; do case $word in *requirements.txt) : "${in:=$word}" ;; esac; done'
    uv.write_text(f'#!/bin/sh\n{find}\n(cat "$in"; echo "    # via -r $in") > "$word"; echo "$*" > words\n')
    uv.chmod(0o755)
    monkeypatch.setattr(tools, "uv_program", lambda: uv)
    monkeypatch.delenv("TOKEN", raising=False)
    text = "--extra-index-url https://${TOKEN}@x.y\n-c limits.txt\n-e ../lib\na\n"
    write_files(tmp_path, {"src/requirements.in": text, "src/limits.txt": "--prefer-binary\na<2\n", "lib/setup.py": ""})

    lock = Lock("src/requirements.txt", ("src/requirements.in",), "3.12", "x86_64-manylinux_2_34")
    locks.compile_lock(lock, root=tmp_path, newer=["--upgrade"])

    index = "--extra-index-url https://${TOKEN}@x.y\n"
    expected = f"{index}--prefer-binary\n{index}./lib\na\n    # via -r src/requirements.in\n"
    assert (tmp_path / "src/requirements.txt").read_text() == expected
    words = (tmp_path / "words").read_text()
    assert "--constraints" in words
    assert "--requirements" not in words
    assert "--python-version 3.12.13 --python-platform x86_64-manylinux_2_34 --upgrade --output-file" in words
    assert "the environment variable TOKEN is not set" in capsys.readouterr().err


def test_compile_lock_without_paths_and_options_passes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$*$VIRTUAL_ENV" > words\n')
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(tools, "uv_program", lambda: tmp_path / "uv")
    monkeypatch.setenv("VIRTUAL_ENV", "not for uv")
    write_files(tmp_path, {"src/requirements.in": "a\n"})

    locks.compile_lock(Lock("src/r.txt", ("src/requirements.in",)), root=tmp_path)

    head = "pip compile --quiet --generate-hashes --no-header src/requirements.in --python"
    assert (tmp_path / "words").read_text() == f"{head} {sys.executable} --output-file src/r.txt\n"


def test_lock_again_changes_nothing(shop: Project) -> None:
    locks.lock(shop)

    assert locks.lock(shop) == ()
