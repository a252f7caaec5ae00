import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.sizing import distributions
from automation.sizing.model import NO_DISTRIBUTION, OWN_CODE
from tests.automation.projects import write_files

NUMPY = {
    "python/numpy/__init__.py": "12345",
    "python/numpy/__pycache__/__init__.cpython-312.pyc": "1234567",
    "python/numpy.libs/blas.so": "123",
    "python/numpy-2.1.dist-info/RECORD": "numpy/__init__.py,sha256=x,5\nnumpy.libs/blas.so,,\nnumpy/tests/old.py,,\n",
    "python/numpy-2.1.dist-info/INSTALLER": "uv",
}


def bytes_by_name(root: Path, *, source: Path | None = None) -> dict[str, int]:
    return {part.label: part.bytes for part in distributions.split_tree(root, source=source)}


def test_split_tree_recorded_files_belong_to_their_distribution(tmp_path: Path) -> None:
    write_files(tmp_path, NUMPY)

    only = distributions.split_tree(tmp_path)[0]

    assert bytes_by_name(tmp_path) == {"numpy 2.1": sum(len(text) for text in NUMPY.values())}
    assert only.bytecode_bytes == 7


def test_split_tree_of_a_function_needs_no_python_folder(tmp_path: Path) -> None:
    write_files(tmp_path, {name.removeprefix("python/"): text for name, text in NUMPY.items()})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_split_tree_layer_with_site_packages_is_split(tmp_path: Path) -> None:
    site = "python/lib/python3.12/site-packages/"
    write_files(tmp_path, {name.replace("python/", site): text for name, text in NUMPY.items()})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_split_tree_vendored_dist_info_belongs_to_its_vendor(tmp_path: Path) -> None:
    vendored = "setuptools/_vendor/wheel-0.4.dist-info/METADATA"
    write_files(tmp_path, {vendored: "abc", "setuptools-70.dist-info/RECORD": f"{vendored},,\n"})

    assert list(bytes_by_name(tmp_path)) == ["setuptools 70"]


def test_split_tree_files_of_the_code_folder_are_own_code(tmp_path: Path) -> None:
    write_files(tmp_path, {"source/shop/a.py": "", "tree/shop/a.py": "abc", "tree/other/b.py": "12345"})

    assert bytes_by_name(tmp_path / "tree", source=tmp_path / "source") == {NO_DISTRIBUTION: 5, OWN_CODE: 3}


def test_split_tree_bytecode_without_source_keeps_its_distribution(tmp_path: Path) -> None:
    write_files(tmp_path, {name: text for name, text in NUMPY.items() if not name.endswith("__init__.py")})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_split_tree_without_a_record_uses_top_level_names(tmp_path: Path) -> None:
    info = {"yaml/a.py": "123", "_yaml.py": "12", "PyYAML-6.dist-info/top_level.txt": "yaml\n_yaml\n", "stray.py": "1"}
    write_files(tmp_path, info)

    assert bytes_by_name(tmp_path) == {"pyyaml 6": 16, NO_DISTRIBUTION: 1}


def test_split_tree_binary_record_counts_as_missing(tmp_path: Path) -> None:
    write_files(tmp_path, {"six.py": "123", "six-1.dist-info/METADATA": "1"})
    (tmp_path / "six-1.dist-info/RECORD").write_bytes(b"\xff\xfe\x00")

    assert bytes_by_name(tmp_path) == {"six 1": 7}


def test_split_tree_dangling_link_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")

    assert distributions.split_tree(tmp_path) == ()


def test_split_tree_places_are_the_folders_of_a_package(tmp_path: Path) -> None:
    contents = {f"big/{name}/x.py": "1" * count for name, count in (("a", 9), ("b", 5), ("c", 3), ("d", 2), ("e", 1))}
    write_files(tmp_path, contents)

    places = distributions.split_tree(tmp_path)[0].places

    assert list(places.items())[:2] == [("big/a", 9), ("big/b", 5)]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/b.cpython-312.pyc", "a/b.py"),
        ("__pycache__/b.cpython-312.opt-1.pyc", "b.py"),
        ("a/__pycache__/b.c.cpython-313.pyc", "a/b.c.py"),
        ("a/b.pyc", "a/b.py"),
        ("a/b.py", "a/b.py"),
        ("a/data.bin", "a/data.bin"),
    ],
)
def test_bytecode_source_is_the_module(path: str, source: str) -> None:
    assert distributions.bytecode_source(path) == source


@given(
    st.dictionaries(
        st.from_regex(r"[a-c](/[a-c]){0,2}\.(py|so)", fullmatch=True), st.integers(0, 50).map(lambda n: "x" * n)
    )
)
def test_split_tree_parts_add_up_to_the_tree(contents: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), contents)
        parts = distributions.split_tree(Path(folder))

    assert sum(part.bytes for part in parts) == sum(len(text) for text in contents.values())


def test_installed_names_are_normalised(tmp_path: Path) -> None:
    write_files(tmp_path, {"python_dateutil-2.9.dist-info/METADATA": "", "Six-1.0.dist-info/METADATA": ""})

    assert distributions.installed_names(tmp_path) == {"python-dateutil", "six"}
