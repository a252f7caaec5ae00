"""Which tree has a module that a function lacks, and which file should list its distribution."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation.project.templates import Unresolved
from automation.proof import suppliers
from automation.proof.model import Subject
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, MissingImport
from automation.proof.suppliers import Suppliers
from tests.automation.proof import subjects
from tests.faults.bakery import install, put

SOURCES = {"other/money.py": "", "other/six.py": "", "other/kit/__init__.py": "", "base/stone/mill.py": ""}
TREES: dict[str, dict[str, str | bytes]] = {
    "App": {"app.py": "", "money.py": ""},
    "Other": {"money.py": "", "kit/__init__.py": "", "six.py": "", "six-1.0.dist-info/RECORD": "six.py,,\n"},
    "Base": {"python/stone/mill.py": "", "python/lib/python3.12/site-packages/deep.py": ""},
    "Free": {"python/free.py": ""},
}


def write(root: Path, *, settings: str = "", metadata: dict[str, Any] | None = None, **properties: Any) -> Subject:
    """Write the functions App, which mounts the layer Base, and Other; nobody mounts the layer Free."""
    for name, text in SOURCES.items():
        put(root / name, text)
    base = subjects.layer(ContentUri="base/")
    resources = {
        "App": subjects.function(Layers=[{"Ref": "Base"}], **properties),
        "Other": subjects.function(CodeUri="other/"),
        "Base": {**base, "Metadata": {"BuildMethod": "python3.12"} if metadata is None else metadata},
        "Free": subjects.layer(ContentUri="free/"),
    }
    return subjects.write(root, resources, TREES, settings=settings)


def missing(module: str, part: str = "", *names: str) -> MissingImport:
    location = CodeLocation(Path("app.py"), 1, When.IMPORTED)
    return MissingImport(location, module, part or module, names=names)


@pytest.mark.parametrize(
    ("module", "functions"),
    [("money", ("Other",)), ("kit", ("Other",)), ("kit.absent", ()), ("six", ()), ("app", ()), ("stone", ())],
)
def test_functions_are_the_others_whose_own_code_has_a_module(
    tmp_path: Path, module: str, functions: tuple[str, ...]
) -> None:
    subject = write(tmp_path)

    assert Suppliers(subject).functions(module, subject.mounts[0]) == functions


@pytest.mark.parametrize(
    ("entry", "functions"),
    [
        (missing("Other.money"), ("Other",)),
        (missing("other", "other", "money"), ("Other",)),
        (missing("OTHER.kit.data"), ()),
        (missing("other"), ()),
        (missing("app.money"), ()),
        (missing("base.stone"), ()),
        (missing("another.money"), ()),
    ],
)
def test_functions_by_folder_are_named_by_their_folder(
    tmp_path: Path, entry: MissingImport, functions: tuple[str, ...]
) -> None:
    subject = write(tmp_path)

    assert Suppliers(subject).functions_by_folder(entry, subject.mounts[0]) == functions


def test_functions_by_folder_are_not_those_of_the_same_folder(tmp_path: Path) -> None:
    trees: dict[str, dict[str, str | bytes]] = {name: {"models/job.py": ""} for name in ("A", "B", "C")}
    resources = {"A": subjects.function(), "B": subjects.function(), "C": subjects.function(CodeUri="other/code/")}
    subject = subjects.write(tmp_path, resources, trees)

    assert Suppliers(subject).functions_by_folder(missing("code.models.job"), subject.mounts[0]) == ("C",)


@pytest.mark.parametrize(("module", "layers"), [("free", ("Free",)), ("stone.mill", ()), ("money", ()), ("absent", ())])
def test_layers_are_those_that_the_function_does_not_mount(
    tmp_path: Path, module: str, layers: tuple[str, ...]
) -> None:
    subject = write(tmp_path)

    assert Suppliers(subject).layers(module, subject.mounts[0]) == layers


def test_layers_have_modules_in_site_packages_too(tmp_path: Path) -> None:
    subject = write(tmp_path)

    assert Suppliers(subject).layers("deep", subject.mounts[1]) == ("Base",)
    assert Suppliers(subject).layers("stone.mill", subject.mounts[1]) == ("Base",)
    assert Suppliers(subject).layers("stone.sand", subject.mounts[1]) == ()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("shop.till", "shop/till.py"),
        ("shop.deep", "shop/deep/__init__.py"),
        ("shop.empty", "shop/empty"),
        ("shop", "shop"),
        ("shop.absent", ""),
        ("shopping", ""),
    ],
)
def test_source_is_a_file_of_the_package(tmp_path: Path, module: str, source: str) -> None:
    for name in ("shop/till.py", "shop/deep/__init__.py", "shop/empty/x.txt", "shopping.py"):
        put(tmp_path / name, "")

    assert Suppliers(write(tmp_path, settings='[tool.alchemiser]\npackage = "shop"\n')).source(module) == source
    assert Suppliers(write(tmp_path)).source(module) == ""


def test_own_fix_is_of_the_longest_name_that_a_line_means(tmp_path: Path) -> None:
    subject = write(tmp_path)
    own, mount = Suppliers(subject), subject.mounts[0]

    assert own.own_fix(missing("code", "code", "money"), mount) == (
        "code/ is the root on Lambda: import money instead of code.money"
    )
    assert own.own_fix(missing("code.money"), mount) == (
        "code/ is the root on Lambda: import money instead of code.money"
    )
    assert own.own_fix(missing("requests", "requests", "get"), mount) == ""


def path_of_requirements(subject: Subject) -> str:
    file = Suppliers(subject).requirement_file(subject.mounts[0])
    return file.path if file else ""


def test_requirement_file_is_that_of_a_layer_then_the_functions_own(tmp_path: Path) -> None:
    subject = write(tmp_path)
    assert path_of_requirements(subject) == "code/requirements.txt"
    put(tmp_path / "code" / "requirements.in", "")
    assert path_of_requirements(subject) == "code/requirements.in"
    put(tmp_path / "base" / "requirements.txt", "")
    assert path_of_requirements(subject) == "base/requirements.txt"


@pytest.mark.parametrize(
    ("folder", "rebuild"),
    [
        ("base", "add Metadata: {BuildMethod: python3.12} to Base in the template, and run inv build"),
        ("base/python", ""),
    ],
)
def test_requirement_file_of_a_layer_that_is_not_built_asks_for_a_build(
    tmp_path: Path, folder: str, rebuild: str
) -> None:
    put(tmp_path / folder / "x.py", "")
    put(tmp_path / "base" / "requirements.txt", "")
    subject = write(tmp_path, metadata={})

    file = Suppliers(subject).requirement_file(subject.mounts[0])

    assert file is not None
    assert (file.path, file.rebuild) == (
        ("base/requirements.txt", rebuild) if rebuild else ("code/requirements.txt", "run inv build")
    )


def test_requirement_file_of_unknown_code_or_of_the_package_is_none(tmp_path: Path) -> None:
    subject = write(tmp_path / "a")
    mount = subject.mounts[0]
    unknown = replace(mount, function=replace(mount.function, code_uri=Unresolved("s3://b/k")))

    assert Suppliers(subject).requirement_file(unknown) is None
    assert path_of_requirements(write(tmp_path / "b", settings='[tool.alchemiser]\npackage = "shop"\n')) == ""


@pytest.mark.parametrize(
    ("module", "what", "fix"),
    [
        ("urllib2.x", "urllib2, which Python 3 does not have", "import urllib.request instead"),
        ("imp", "imp, which Python 3.12 no longer has", "import importlib instead"),
        (
            "asyncore",
            "asyncore, which Python 3.12 no longer has",
            "stop using it, or add pyasyncore to code/requirements.txt and run inv build",
        ),
        ("smtpd", "smtpd, which Python 3.12 no longer has", "stop using it"),
        ("annotationlib", "annotationlib, which Python 3.12 does not have yet", "set Runtime to python3.14 or later"),
    ],
)
def test_stdlib_change_is_that_of_another_python(tmp_path: Path, module: str, what: str, fix: str) -> None:
    subject = write(tmp_path)

    assert Suppliers(subject).stdlib_change(missing(module), subject.mounts[0]) == (what, fix)
    assert Suppliers(subject).stdlib_change(missing("requests"), subject.mounts[0]) is None


ADD = "to code/requirements.txt and run inv build"


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        (missing("yaml"), f"add PyYAML {ADD}"),
        (missing("google.cloud", "google.cloud", "storage"), f"add google-cloud-storage {ADD}"),
        (missing("nobody_knows.x", "nobody_knows"), f"add the distribution that provides nobody_knows.x {ADD}"),
        (missing("gravel"), f"add gravel-kit {ADD}"),
        (missing("gravel.deep"), f"add gravel-kit {ADD}"),
        (missing("free"), f"add !Ref Free to its Layers, or add the distribution that provides free {ADD}"),
    ],
)
def test_declare_names_the_distribution_and_the_file(tmp_path: Path, entry: MissingImport, fix: str) -> None:
    install(tmp_path / subjects.BUILD / "Other", "gravel-kit", "1.0", {"gravel/__init__.py": "", "gravel/deep.py": ""})
    subject = write(tmp_path)

    assert Suppliers(subject).declare(entry, subject.mounts[0]) == fix


@pytest.mark.parametrize(
    ("lines", "is_listed"),
    [
        ("PyYAML==6.0\n", True),
        ("pyyaml\n", True),
        ("-r more.txt\n", True),
        ("requests\n", False),
        ("-r absent.txt\n", False),
        ("", False),
    ],
)
def test_declare_what_a_file_lists_already_is_built_again(tmp_path: Path, lines: str, is_listed: bool) -> None:
    put(tmp_path / "code" / "requirements.txt", lines)
    put(tmp_path / "code" / "more.txt", "PyYAML\n")
    subject = write(tmp_path)

    fix = Suppliers(subject).declare(missing("yaml"), subject.mounts[0])

    listed = "code/requirements.txt lists PyYAML, but the built tree lacks it: run inv build"
    assert fix == (listed if is_listed else f"add PyYAML {ADD}")


def test_declare_what_needs_several_distributions_lists_all(tmp_path: Path) -> None:
    put(tmp_path / "code" / "requirements.txt", "google-cloud-storage\n")
    subject = write(tmp_path)
    both = missing("google.cloud", "google.cloud", "storage", "bigquery")

    assert (
        Suppliers(subject).declare(both, subject.mounts[0])
        == f"add google-cloud-storage and google-cloud-bigquery {ADD}"
    )


def test_declare_without_a_file_is_a_layer(tmp_path: Path) -> None:
    subject = write(tmp_path, settings='[tool.alchemiser]\npackage = "shop"\n')

    assert Suppliers(subject).declare(missing("yaml"), subject.mounts[0]) == "mount a layer that has PyYAML"


def in_base(subject: Subject, module: str) -> MissingImport:
    """Return an import of a module in a file of the layer Base."""
    file = subject.project.root / subjects.BUILD / "Base" / "python" / "stone" / "mill.py"
    return replace(missing(module), location=CodeLocation(file, 1, When.IMPORTED))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements.in"])
def test_declare_what_a_layer_imports_is_listed_by_that_layer(tmp_path: Path, name: str) -> None:
    put(tmp_path / "code" / "requirements.txt", "")
    put(tmp_path / "base" / name, "")
    subject = write(tmp_path)

    fix = Suppliers(subject).declare(in_base(subject, "yaml"), subject.mounts[0])

    more = "inv lock and " if name == "requirements.in" else ""
    assert fix == f"add PyYAML to base/{name} and run {more}inv build"


def test_declare_what_a_layer_imports_needs_a_file_of_that_layer(tmp_path: Path) -> None:
    put(tmp_path / "code" / "requirements.txt", "")
    subject = write(tmp_path)

    fix = Suppliers(subject).declare(in_base(subject, "yaml"), subject.mounts[0])

    assert fix == "add PyYAML to base/requirements.txt and run inv build"


def test_declare_what_a_layer_of_copies_imports_is_listed_where_others_are(tmp_path: Path) -> None:
    put(tmp_path / "code" / "requirements.txt", "")
    subject = write(tmp_path, settings='[tool.alchemiser]\npackage = "shop"\n')

    assert Suppliers(subject).declare(in_base(subject, "yaml"), subject.mounts[0]) == f"add PyYAML {ADD}"


def test_stdlib_change_in_a_layer_is_for_that_layer(tmp_path: Path) -> None:
    subject = write(tmp_path)

    change = Suppliers(subject).stdlib_change(in_base(subject, "asyncore"), subject.mounts[0])

    assert change is not None
    assert change[1] == "stop using it, or add pyasyncore to base/requirements.txt and run inv build"


@pytest.mark.parametrize(
    ("name", "names", "text"),
    [
        ("handel", {"handler", "x"}, "; did you mean handler?"),
        ("main", {"mains", "mainly", "maine"}, "; did you mean mains or maine?"),
        ("zzz", {"handler"}, ""),
        ("abcde", {"abcxx", "abxxx"}, "; did you mean abcxx?"),
    ],
)
def test_near_names_at_most_two(name: str, names: set[str], text: str) -> None:
    assert suppliers.near(name, frozenset(names)) == text


@pytest.mark.parametrize(
    ("module", "message", "fix"),
    [
        (
            "stone.deep.drill",
            "No module named 'stone.deep.drill'",
            "require a version of stone that has stone.deep.drill",
        ),
        ("stone.saw", "pin 'stone<2' or stone>=0.5", "require stone<2 in code/requirements.txt and run inv build"),
        ("stone.saw", "see millstone<2", "require a version of stone that has stone.saw"),
        ("stone.mill", "use stone~=0.9.1", "require stone~=0.9.1 in code/requirements.txt and run inv build"),
        ("stone.mill", "No module named 'stone.mill'", ""),
        ("stone.deep", "No module named 'stone.deep'", ""),
        ("stone._cut", "No module named 'stone._cut'", ""),
        ("pebble.saw", "No module named 'pebble.saw'", ""),
        ("stone", "No module named 'stone'", ""),
        ("rocks.saw", "No module named 'rocks.saw'", ""),
        ("free.saw", "No module named 'free.saw'", ""),
    ],
)
def test_other_version_is_of_the_one_distribution_that_lacks_the_module(
    tmp_path: Path, module: str, message: str, fix: str
) -> None:
    subject = write(tmp_path)
    build = tmp_path / subjects.BUILD
    modules = {"stone/__init__.py": "", "stone/mill.py": "", "stone/deep/well.py": "", "rocks/red.py": ""}
    install(build / "App", "stone", "1.0", modules, "stone/_cut.cpython-312-x86_64-linux-gnu.so")
    install(build / "Base" / "python", "boulder", "3.0", {"rocks/grey.py": ""})
    install(build / "Free" / "python", "free", "3.0", {"free/x.py": ""})

    advice = Suppliers(subject).other_version(module, subject.mounts[0], message=message)

    more = " in code/requirements.txt and run inv build: 1.0 does not have it"
    assert advice == fix + (more if fix.startswith("require a version") else "")
