from pathlib import Path

import pytest

from automation.building import requirements, uv_inputs
from automation.building.requirements import Requirement
from automation.building.uv_inputs import LockState
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

HASH = "--hash=sha256:0"
COMMIT = "0123456789" * 4
RENAME = "rename it to requirements.in and run inv lock"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, {"lib/setup.py": "", "a.whl": ""})
    return tmp_path


def parse(root: Path, text: str) -> list[Requirement]:
    return list(requirements.parse(text, root / "r.txt", root))


def judge(root: Path, text: str, *, has_input: bool = False) -> LockState:
    return uv_inputs.judge(parse(root, text), "r.txt", has_input=has_input)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"a==1 {HASH}\nb==2 {HASH}\n",
        f"./a.whl {HASH}\n",
        "a @ https://x.y/a.whl#sha256=0f",
        f"--require-hashes\na {HASH}",
    ],
)
def test_judge_with_every_hash_is_locked(root: Path, text: str) -> None:
    assert judge(root, text) == LockState(is_locked=True, has_every_hash=True, warnings=())


@pytest.mark.parametrize("text", ["a\nb==2\n", "./a.whl\n", "https://x.y/a.whl\n"])
def test_judge_without_any_hash_is_not_locked(root: Path, text: str) -> None:
    message = "r.txt: is not locked, so tomorrow's build may get other versions; "

    assert judge(root, text) == LockState(is_locked=False, has_every_hash=False, warnings=(f"{message}{RENAME}",))
    assert judge(root, text, has_input=True).warnings == (f"{message}run inv lock",)


@pytest.mark.parametrize("text", [f"a==1 {HASH}\nb==2\n", f"b==2\na==1 {HASH}\n", "--require-hashes\nb==2\n"])
def test_judge_hash_that_is_missing_is_refused(root: Path, text: str) -> None:
    message = f"b==2 has no hash, which pip refuses beside --require-hashes or another hash; {RENAME}"

    with pytest.raises(ConfigurationError, match=rf"r\.txt:\d: {message}"):
        judge(root, text)


def test_judge_folder_is_never_locked(root: Path) -> None:
    where = f"{root / 'r.txt'}:1: ./lib is a folder, which cannot be locked; "

    assert judge(root, f"./lib\na {HASH}\n") == LockState(
        is_locked=True, has_every_hash=False, warnings=(f"{where}everything else is",)
    )
    assert judge(root, "./lib\n") == LockState(
        is_locked=False, has_every_hash=False, warnings=(f"{where}inv lock locks everything else",)
    )


def test_judge_repository_is_fixed_by_a_commit(root: Path) -> None:
    where = f"{root / 'r.txt'}:1: "

    assert judge(root, f"git+https://x.y/a@{COMMIT}\n").warnings == ()
    assert judge(root, f"git+https://x.y/a@{COMMIT}#subdirectory=b\nc {HASH}").is_locked
    assert judge(root, "git+https://x.y/a@main\n").warnings == (
        f"{where}git+https://x.y/a@main may change; write @ and a whole commit behind it, or {RENAME}",
    )


def test_judge_warning_shows_no_password(root: Path) -> None:
    assert "git+https://…@x.y/a@main may change" in judge(root, "git+https://me:secret@x.y/a@main\n").warnings[0]


def test_judge_constraints_need_no_hash(root: Path) -> None:
    write_files(root, {"r.txt": f"-c c.txt\na==1 {HASH}\n", "c.txt": "a<2\n"})
    listed = list(requirements.read(root / "r.txt", root))

    assert uv_inputs.judge(listed, "r.txt", has_input=False).has_every_hash


@pytest.mark.parametrize(
    "option", ["--platform x", "--python-version 3", "--implementation cp", "--abi x", "--target x", "-t x"]
)
def test_check_options_target_is_refused(root: Path, option: str) -> None:
    name = option.split(maxsplit=1)[0]
    message = f"remove {name}, which pip refuses here; Runtime and Architectures say what is installed for$"

    with pytest.raises(ConfigurationError, match=rf"r\.txt:1: {message}"):
        uv_inputs.check_options(parse(root, option))


def test_check_options_unknown_one_is_refused(root: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"r\.txt:1: remove --no-deps, which pip refuses in a requirement file$"
    ):
        uv_inputs.check_options(parse(root, "--no-deps"))


def test_check_options_repository_that_is_not_git_is_refused(root: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"only git is fetched here; run inv build --engine sam$"):
        uv_inputs.check_options(parse(root, "hg+https://x.y/a"))


def test_check_options_what_is_not_taken_literally_is_a_warning(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    text = "--no-binary a\n-r https://x.y/r.txt\n-i https://${TOKEN}@x.y\n--pre\n--prefer-binary\ngit+https://x.y/a\n"
    text += (
        "--trusted-host a\n--use-feature a\n--only-binary a\n--require-hashes\n--extra-index-url a\n--no-index\n-f a\n"
    )
    where = root / "r.txt"

    assert uv_inputs.check_options(parse(root, text)) == (
        f"{where}:1: --no-binary is ignored: where the target has a wheel, sam build takes it, too",
        f"{where}:2: a change at the URL goes unnoticed; copy that file into the project",
        f"{where}:3: the environment variable TOKEN is not set; set it and build again",
    )


def test_write_separates_constraints_and_passes_options(root: Path) -> None:
    options = "--pre\n--trusted-host x.y\n--prefer-binary\n--no-binary a\n-i https://x.y\n"
    write_files(root, {"r.txt": f"{options}-c c.txt\na ; python_version > '3'\n./lib[b]\n", "c.txt": "a<2\n"})
    out = root / "out"
    out.mkdir()

    arguments = uv_inputs.write(list(requirements.read(root / "r.txt", root)), out)

    expected = ["--prerelease", "allow", "--allow-insecure-host", "x.y"]
    assert arguments == [
        *expected,
        *("--requirements", str(out / "requirements.txt")),
        *("--constraints", str(out / "constraints.txt")),
    ]
    lib = (root / "lib").as_uri()
    written = f"--index-url https://x.y\na ; python_version > '3'\n{lib}[b]\n"
    assert (out / "requirements.txt").read_text() == written
    assert (out / "constraints.txt").read_text() == "a<2\n"


def test_write_takes_the_best_version_of_all_indexes(root: Path) -> None:
    arguments = uv_inputs.write(parse(root, "--extra-index-url https://x.y\na\n"), root)

    strategy = ["--index-strategy", "unsafe-best-match"]
    assert arguments == [*strategy, "--requirements", str(root / "requirements.txt")]


def test_write_paths_can_be_relative(root: Path) -> None:
    write_files(root, {"b/setup.py": ""})
    uv_inputs.write(parse(root, "lib/\n./a.whl\nb @ file:./b\n"), root / "b", relative_to=root / "b")

    assert (root / "b/requirements.txt").read_text() == "../lib\n../a.whl\n.\n"


def test_with_copies_replaces_folders_only(root: Path) -> None:
    listed = uv_inputs.with_copies(parse(root, "./lib\n./a.whl\na\n"), {(root / "lib").resolve(): Path("/copy")})

    assert [line.path for line in listed] == [Path("/copy"), root / "a.whl", None]
