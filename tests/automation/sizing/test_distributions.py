import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.sizing import distributions
from automation.sizing.model import LOOSE, OWN
from tests.automation.projects import write_files

NUMPY = {
    "python/numpy/__init__.py": "12345",
    "python/numpy/__pycache__/__init__.cpython-312.pyc": "1234567",
    "python/numpy.libs/blas.so": "123",
    "python/numpy-2.1.dist-info/RECORD": "numpy/__init__.py,sha256=x,5\nnumpy.libs/blas.so,,\nnumpy/tests/gone.py,,\n",
    "python/numpy-2.1.dist-info/INSTALLER": "uv",
}


def bytes_by_name(root: Path, *, source: Path | None = None) -> dict[str, int]:
    return {one.label: one.bytes for one in distributions.parts(root, source=source)}


def test_parts_files_of_a_record_belong_to_their_distribution_with_bytecode_and_dist_info(tmp_path: Path) -> None:
    write_files(tmp_path, NUMPY)

    only = distributions.parts(tmp_path)[0]

    assert bytes_by_name(tmp_path) == {"numpy 2.1": sum(len(text) for text in NUMPY.values())}
    assert only.bytecode_bytes == 7


def test_parts_of_a_functions_own_tree_have_no_python_folder(tmp_path: Path) -> None:
    write_files(tmp_path, {name.removeprefix("python/"): text for name, text in NUMPY.items()})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_parts_in_a_layers_site_packages_are_found(tmp_path: Path) -> None:
    site = "python/lib/python3.12/site-packages/"
    write_files(tmp_path, {name.replace("python/", site): text for name, text in NUMPY.items()})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_parts_vendored_dist_info_belongs_to_who_vendors_it(tmp_path: Path) -> None:
    vendored = "setuptools/_vendor/wheel-0.4.dist-info/METADATA"
    write_files(tmp_path, {vendored: "abc", "setuptools-70.dist-info/RECORD": f"{vendored},,\n"})

    assert list(bytes_by_name(tmp_path)) == ["setuptools 70"]


def test_parts_what_lies_in_the_code_folder_is_the_projects_own(tmp_path: Path) -> None:
    write_files(tmp_path, {"source/shop/a.py": "", "tree/shop/a.py": "abc", "tree/other/b.py": "12345"})

    assert bytes_by_name(tmp_path / "tree", source=tmp_path / "source") == {LOOSE: 5, OWN: 3}


def test_parts_bytecode_without_its_source_belongs_to_its_distribution(tmp_path: Path) -> None:
    write_files(tmp_path, {name: text for name, text in NUMPY.items() if not name.endswith("__init__.py")})

    assert list(bytes_by_name(tmp_path)) == ["numpy 2.1"]


def test_parts_without_a_record_go_by_the_top_level_names(tmp_path: Path) -> None:
    info = {"yaml/a.py": "123", "_yaml.py": "12", "PyYAML-6.dist-info/top_level.txt": "yaml\n_yaml\n", "else.py": "1"}
    write_files(tmp_path, info)

    assert bytes_by_name(tmp_path) == {"pyyaml 6": 16, LOOSE: 1}


def test_parts_record_that_is_no_text_is_taken_as_none(tmp_path: Path) -> None:
    write_files(tmp_path, {"six.py": "123", "six-1.dist-info/METADATA": "1"})
    (tmp_path / "six-1.dist-info/RECORD").write_bytes(b"\xff\xfe\x00")

    assert bytes_by_name(tmp_path) == {"six 1": 7}


def test_parts_link_that_leads_nowhere_weighs_nothing(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")

    assert distributions.parts(tmp_path) == ()


def test_parts_places_tell_a_packages_folders_apart(tmp_path: Path) -> None:
    contents = {f"big/{name}/x.py": "1" * count for name, count in (("a", 9), ("b", 5), ("c", 3), ("d", 2), ("e", 1))}
    write_files(tmp_path, contents)

    places = distributions.parts(tmp_path)[0].places

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
def test_source_of_names_the_module(path: str, source: str) -> None:
    assert distributions.source_of(path) == source


@given(
    st.dictionaries(
        st.from_regex(r"[a-c](/[a-c]){0,2}\.(py|so)", fullmatch=True), st.integers(0, 50).map(lambda n: "x" * n)
    )
)
def test_parts_always_add_up_to_the_tree(contents: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), contents)
        found = distributions.parts(Path(folder))

    assert sum(one.bytes for one in found) == sum(len(text) for text in contents.values())


def test_installed_names_are_normalised(tmp_path: Path) -> None:
    write_files(tmp_path, {"python_dateutil-2.9.dist-info/METADATA": "", "Six-1.0.dist-info/METADATA": ""})

    assert distributions.installed(tmp_path) == {"python-dateutil", "six"}
