from pathlib import Path

from automation.project import model
from automation.scanning import locked_versions
from automation.scanning.locked_versions import Lock, Pin
from tests.automation.projects import make_shop, write_files

HASHED = """\
six==1.17.0 ; python_version >= "3.9" \\
    --hash=sha256:ab
    # via the-shop
Typing_Extensions[all]==4.15.0 \\
    --hash=sha256:cd
"""


def test_read_lock_of_a_layer_names_its_functions_and_lines(tmp_path: Path) -> None:
    make_shop(tmp_path)
    write_files(tmp_path, {"layers/wheels/requirements.txt": HASHED})

    [lock] = locked_versions.read(model.load(tmp_path))

    assert lock == Lock(
        "layers/wheels/requirements.txt",
        ("layer Wheels of Till",),
        {Pin("six", "1.17.0"): 1, Pin("typing-extensions", "4.15.0"): 4},
    )


def test_read_locks_that_ship_come_before_those_of_tools(tmp_path: Path) -> None:
    make_shop(tmp_path)
    write_files(
        tmp_path,
        {"functions/till/requirements.txt": "six==1.17.0\n", "locks/b.txt": "six==1.16.0\n", "locks/a.txt": ""},
    )

    locks = locked_versions.read(model.load(tmp_path))

    assert [(lock.path, lock.owners) for lock in locks] == [
        ("layers/wheels/requirements.txt", ("layer Wheels of Till",)),
        ("functions/till/requirements.txt", ("function Till",)),
        ("locks/a.txt", ()),
        ("locks/b.txt", ()),
    ]
    assert locks[3].pins == {Pin("six", "1.16.0"): 1}


def test_read_layer_of_two_functions_names_both_and_not_those_of_another_stack(tmp_path: Path) -> None:
    make_shop(tmp_path)
    app = (tmp_path / "app.yaml").read_text()
    (tmp_path / "app.yaml").write_text(
        app.replace("shop.ledger.handler.main}", "shop.ledger.handler.main, Layers: [!Ref Wheels]}")
    )

    [lock] = locked_versions.read(model.load(tmp_path))

    assert lock.owners == ("layer Wheels of Till, Ledger",)


def test_read_code_folder_that_is_only_known_at_deploy_time_or_missing_has_no_lock(tmp_path: Path) -> None:
    make_shop(tmp_path)
    app = (tmp_path / "app.yaml").read_text()
    (tmp_path / "app.yaml").write_text(
        app.replace("ContentUri: layers/wheels/", 'ContentUri: !Sub "layers/${BaseStack}/"').replace(
            "functions/till/", "functions/missing/"
        )
    )

    assert locked_versions.read(model.load(tmp_path)) == ()


def test_read_layer_of_no_function_says_so(tmp_path: Path) -> None:
    make_shop(tmp_path)
    app = (tmp_path / "app.yaml").read_text()
    (tmp_path / "app.yaml").write_text(app.replace(", Layers: [!Ref Wheels]", ""))

    [lock] = locked_versions.read(model.load(tmp_path))

    assert lock.owners == ("layer Wheels of no function",)


def test_read_requirement_without_one_version_is_unpinned(tmp_path: Path) -> None:
    make_shop(tmp_path)
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "setup.py").touch()
    text = "--prefer-binary\nsix>=1\n./local\nb==1.*\nfoo @ https://example.com/foo-1.zip\n-c limits.txt\n"
    write_files(tmp_path, {"layers/wheels/requirements.txt": text, "layers/wheels/limits.txt": "toml==1\n"})

    [lock] = locked_versions.read(model.load(tmp_path))

    assert lock.pins == {}
    assert lock.unpinned == {"six>=1": 2, "b==1.*": 4, "foo @ https://example.com/foo-1.zip": 5}


def test_read_same_lock_of_two_owners_names_both(tmp_path: Path) -> None:
    make_shop(tmp_path)
    app = (tmp_path / "app.yaml").read_text()
    (tmp_path / "app.yaml").write_text(app.replace("CodeUri: functions/ledger/", "CodeUri: functions/till/"))
    write_files(tmp_path, {"functions/till/requirements.txt": "six==1.17.0\n"})

    [_, lock] = locked_versions.read(model.load(tmp_path))

    assert lock.owners == ("function Till", "function Ledger")


def test_read_uv_lock_has_what_uv_exports(tmp_path: Path) -> None:
    make_shop(tmp_path)
    pyproject = '[project]\nname = "till"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["six"]\n'
    package = '[[package]]\nname = "six"\nversion = "1.17.0"\nsource = { registry = "https://example.com/simple" }\n'
    digest = "ab" * 32
    url = "https://example.com/six-1.17.0-py3-none-any.whl"
    wheel = f'wheels = [{{ url = "{url}", hash = "sha256:{digest}", size = 1 }}]\n'
    own = '[[package]]\nname = "till"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "six" }]\n'
    needs = '[package.metadata]\nrequires-dist = [{ name = "six" }]\n'
    lock_text = f'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n{package}{wheel}{own}{needs}'
    write_files(tmp_path, {"functions/till/pyproject.toml": pyproject, "functions/till/uv.lock": lock_text})

    [_, lock] = locked_versions.read(model.load(tmp_path))

    assert (lock.path, lock.pins) == ("functions/till/uv.lock", {Pin("six", "1.17.0"): 1})


def test_read_pylock_has_its_packages(tmp_path: Path) -> None:
    make_shop(tmp_path)
    packages = '[[packages]]\nname = "six"\nversion = "1.17.0"\n[[packages]]\nname = "odd"\n'
    folder = '[[packages]]\nname = "ours"\ndirectory = { path = "." }\n'
    write_files(tmp_path, {"functions/till/pylock.toml": f'lock-version = "1.0"\n{packages}{folder}'})

    [_, lock] = locked_versions.read(model.load(tmp_path))

    assert (lock.pins, lock.unpinned) == ({Pin("six", "1.17.0"): 1}, {"odd": 1})


def test_read_project_without_locks_has_none(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": "Resources: {}\n"})

    assert locked_versions.read(model.load(tmp_path)) == ()
