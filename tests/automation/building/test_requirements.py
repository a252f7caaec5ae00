import codecs
from pathlib import Path

import pytest

from automation.building import requirements
from automation.building.requirements import Kind, Requirement
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

PACKAGE = "[project]\nname = 'acme'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with an installable folder in the root, and one beside the requirements."""
    write_files(
        tmp_path, {"lib/pyproject.toml": PACKAGE, "src/inner/setup.py": "", "wheels/acme-1-py3-none-any.whl": ""}
    )
    return tmp_path


def parse(root: Path, line: str) -> Requirement:
    (requirement,) = requirements.parse(line, root / "src/requirements.txt", root)
    return requirement


def test_lines_join_continuations_and_leave_out_comments(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "# by uv\n\na==1 \\\n    --hash=sha256:00\n    # via b\nb @ https://x/y#sha256=1  # c\nc  --hash=1\\\n"
    )

    assert list(requirements.lines(lock)) == [
        (3, "a==1 --hash=sha256:00"),
        (6, "b @ https://x/y#sha256=1"),
        (7, "c --hash=1"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"idna\r\nb\r\n",
        codecs.BOM_UTF8 + b"idna\r\nb",
        codecs.BOM_UTF16_LE + "idna\r\nb".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "idna\nb".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "idna\nb".encode("utf-32-le"),
        codecs.BOM_UTF32_BE + "idna\nb".encode("utf-32-be"),
        "idna  # für\nb".encode("latin-1"),
        "idna  # für\nb".encode(),
    ],
)
def test_lines_any_encoding_gives_the_same_requirements(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requirements.txt").write_bytes(content)

    assert [line for _, line in requirements.lines(tmp_path / "requirements.txt")] == ["idna", "b"]


def test_lines_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.txt: cannot be read: "):
        list(requirements.lines(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("idna>=3 ; python_version < '4'", "idna>=3 ; python_version < '4'"),
        ("idna;python_version<'4'", "idna ; python_version<'4'"),
        ("idna==3 --hash=sha256:0 --hash=sha256:1", "idna==3 --hash=sha256:0 --hash=sha256:1"),
        ("idna --config-settings=a=b --global-option=c", "idna"),
        ("requests[socks, use_chardet]>=2", "requests[socks, use_chardet]>=2"),
    ],
)
def test_parse_named_requirement_keeps_marker_and_hashes(root: Path, line: str, text: str) -> None:
    requirement = parse(root, line)

    assert (requirement.kind, requirement.path, requirement.text()) == (Kind.NAMED, None, text)
    assert (requirement.name, requirement.is_hashed) == ("", "--hash" in line)


@pytest.mark.parametrize(
    ("line", "folder", "text"),
    [
        ("./lib", "lib", "{lib}"),
        ("../lib", "lib", "{lib}"),
        ("-e ../lib", "lib", "{lib}"),
        ("--editable=../lib", "lib", "{lib}"),
        ("-e ./lib#egg=acme", "lib", "{lib}"),
        ("-e './lib'", "lib", "{lib}"),
        ('-e ../lib ; python_version < "4"', "lib", '{lib} ; python_version < "4"'),
        ("../lib[a,b] ; python_version > '3'", "lib", "{lib}[a,b] ; python_version > '3'"),
        ("acme[a] @ file:../lib", "lib", "acme[a] @ {lib}"),
        ("./inner", "src/inner", "{lib}"),
        ("src/inner", "src/inner", "{lib}"),
    ],
)
def test_parse_folder_is_found_from_the_root_or_beside_the_file(root: Path, line: str, folder: str, text: str) -> None:
    requirement = parse(root, line)

    assert (requirement.kind, requirement.path) == (Kind.FOLDER, root / folder)
    assert requirement.text() == text.format(lib=(root / folder).as_uri())


def test_parse_folder_in_both_places_is_that_of_the_root_if_installable(root: Path) -> None:
    write_files(
        root, {"src/lib/setup.py": "", "inner/readme": "", "pyproject.toml": "[tool.black]\n", "src/setup.py": ""}
    )

    assert parse(root, "./lib").path == root / "lib"
    assert parse(root, "./inner").path == root / "src/inner"
    assert parse(root, ".").path == root / "src"


def test_parse_absolute_paths_stay(root: Path) -> None:
    assert parse(root, str(root / "lib")).path == root / "lib"
    assert parse(root, f"acme @ {(root / 'lib').as_uri()}").path == root / "lib"


def test_parse_relative_text_has_no_name(root: Path) -> None:
    assert (
        parse(root, "acme[a] @ file:../lib ; python_version > '3'").text("./lib") == "./lib[a] ; python_version > '3'"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "../none",
            r"\.\./none does not exist in the project root, where sam build looks, nor in /\S*src; correct the path$",
        ),
        ("/opt/conda/a", r"/opt/conda/a does not exist on this machine; write a version instead, as in NAME==1.0"),
        ("a @ file:///opt/conda/a", r"/opt/conda/a does not exist on this machine; "),
        ("idna=3", r"idna=3 is not a requirement: Expected .*; correct it$"),
        ("@@", r"@@ is not a requirement: "),
        ("idna==${NO_SUCH}", r"the environment variable NO_SUCH is not set; set it and build again"),
        ("./wheels", r"\./wheels has neither pyproject.toml nor setup.py, so it cannot be installed; add one of them$"),
    ],
)
def test_parse_path_that_cannot_be_installed_is_refused(root: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"src/requirements\.txt:1: {message}"):
        parse(root, line)


@pytest.mark.parametrize(
    "line", ["wheels/acme-1-py3-none-any.whl", "../wheels/acme-1-py3-none-any.whl --hash=sha256:0"]
)
def test_parse_archive_on_this_disk_is_an_archive(root: Path, line: str) -> None:
    requirement = parse(root, line)

    assert (requirement.kind, requirement.path) == (Kind.ARCHIVE, root / "wheels/acme-1-py3-none-any.whl")
    assert requirement.hashes == ("--hash=sha256:0" if "hash" in line else "")


@pytest.mark.parametrize("suffix", ["whl", "zip", "tar.gz", "tgz", "tar.bz2", "tar.xz", "tar"])
def test_parse_archive_needs_no_folder_before_its_name(root: Path, suffix: str) -> None:
    write_files(root, {f"acme-1.{suffix}": ""})

    assert parse(root, f"acme-1.{suffix}").path == root / f"acme-1.{suffix}"


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("https://x.y/a-1.whl", Kind.ARCHIVE, "https://x.y/a-1.whl"),
        (
            "a @ https://x.y/a-1.whl ; python_version > '3'",
            Kind.ARCHIVE,
            "a @ https://x.y/a-1.whl ; python_version > '3'",
        ),
        ("git+https://x.y/a.git@main", Kind.REPOSITORY, "git+https://x.y/a.git@main"),
        ("-e git+https://x.y/a.git@main#egg=a", Kind.REPOSITORY, "a @ git+https://x.y/a.git@main"),
        (
            "git+https://x.y/a.git#egg=a[b]&subdirectory=c",
            Kind.REPOSITORY,
            "a[b] @ git+https://x.y/a.git#subdirectory=c",
        ),
        ("git+https://x.y/a#subdirectory=c&egg=a", Kind.REPOSITORY, "a @ git+https://x.y/a#subdirectory=c"),
        ("a@git+ssh://git@x.y/a.git@main", Kind.REPOSITORY, "a @ git+ssh://git@x.y/a.git@main"),
        ("hg+https://x.y/a", Kind.REPOSITORY, "hg+https://x.y/a"),
    ],
)
def test_parse_url_says_what_lies_there(root: Path, line: str, kind: Kind, text: str) -> None:
    requirement = parse(root, line)

    assert (requirement.kind, requirement.text()) == (kind, text)


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("-i https://x.y/simple", "--index-url", "--index-url https://x.y/simple"),
        ("--extra-index-url=https://x.y", "--extra-index-url", "--extra-index-url https://x.y"),
        ("--pre", "--pre", "--pre"),
        ("-i ''", "--index-url", "--index-url"),
        ("--no-binary :all:", "--no-binary", "--no-binary :all:"),
        ("-f https://x.y", "--find-links", "--find-links https://x.y"),
    ],
)
def test_parse_option_is_written_out(root: Path, line: str, name: str, text: str) -> None:
    requirement = parse(root, line)

    assert (requirement.kind, requirement.name, requirement.text()) == (Kind.OPTION, name, text)
    assert (requirement.extras, requirement.marker, requirement.hashes, requirement.path) == ("", "", "", None)
    assert (requirement.is_constraint, requirement.is_hashed) == (False, False)


def test_parse_find_links_on_this_disk_are_absolute(root: Path) -> None:
    assert parse(root, "--find-links ../wheels").text() == f"--find-links {root / 'wheels'}"


def test_read_includes_are_in_place_and_constraints_marked(root: Path) -> None:
    files = {"src/requirements.txt": "a\n-r ../base.txt\nd\n", "base.txt": "b\n-c src/limits.txt\n"}
    write_files(root, {**files, "src/limits.txt": "--pre\nc<2\n-r requirements.txt\n"})

    listed = list(requirements.read(root / "src/requirements.txt", root))

    assert [(line.value, line.is_constraint) for line in listed] == [
        ("a", False),
        ("b", False),
        ("", False),
        ("c<2", True),
        ("d", False),
    ]


def test_read_included_url_stays_an_option(root: Path) -> None:
    write_files(root, {"src/requirements.txt": "-r https://x.y/r.txt\n"})

    assert [line.text() for line in requirements.read(root / "src/requirements.txt", root)] == [
        "--requirement https://x.y/r.txt"
    ]


def test_included_files_are_the_file_and_its_includes_once(tmp_path: Path) -> None:
    files = {
        "layer/requirements.txt": "-r ../base.txt\n-c limits.txt\n",
        "base.txt": "--requirement=layer/limits.txt\n",
    }
    write_files(tmp_path, {**files, "layer/limits.txt": "-r requirements.txt\n"})

    paths = requirements.included_files(tmp_path / "layer" / "requirements.txt", tmp_path)

    assert [path.name for path in paths] == ["requirements.txt", "base.txt", "limits.txt"]


def test_included_files_missing_include_is_named_with_its_line(tmp_path: Path) -> None:
    write_files(tmp_path, {"requirements.txt": "a==1\n-r missing.txt\n"})

    with pytest.raises(ConfigurationError, match=r"requirements\.txt:2: missing\.txt does not exist$"):
        requirements.included_files(tmp_path / "requirements.txt", tmp_path)


def test_expand_takes_set_variables_only(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setenv("IDNA_VERSION", "3.7")
    monkeypatch.delenv("TOKEN", raising=False)
    line = "idna==${IDNA_VERSION} ${TOKEN} ${lower}"

    assert requirements.expand(line) == "idna==3.7 ${TOKEN} ${lower}"
    assert requirements.unset_variables(line) == ("TOKEN",)
    assert parse(root, "idna==${IDNA_VERSION}").text() == "idna==3.7"
