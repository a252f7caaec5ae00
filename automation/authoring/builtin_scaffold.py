"""The scaffold for a project that describes none: a handler where the template wants it, and a test. Pure."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from automation.authoring.scaffolds import NewFile, Scaffold
from automation.system.errors import ConfigurationError

if TYPE_CHECKING:
    from automation.project.model import Function, Project

_HANDLER = '''"""${module}: ${description}"""

from typing import Any


def ${entry}(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Handle one event."""
    return ${answer}
'''
_TEST = """import runpy
from pathlib import Path

HANDLER = Path(__file__).parents[${depth}] / "${path}"


def test_${module}_handles_an_event() -> None:
    handler = runpy.run_path(str(HANDLER))["${entry}"]

    assert handler({}, None) == ${answer}
"""
# What Lambda expects from the handler of a queue that reports single failures; any other event ignores it.
_ANSWER = '{"batchItemFailures": []}'


def of_project(project: "Project", function: "Function") -> Scaffold:
    """Return the files of a function of a project.

    Raises:
        ConfigurationError: it does not run on Python, or its code is not in a folder.
    """
    return scaffold(function, package=project.settings.package, tests=test_folder(project.root))


def scaffold(function: "Function", *, package: str, tests: str) -> Scaffold:
    """Return the files of a function.

    Args:
        function: the new function, as its template says.
        package: the source package that is copied to the functions; empty when CodeUri is the source.
        tests: the folder of its test; empty for no test.

    Raises:
        ConfigurationError: it does not run on Python, or its code is not in a folder.
    """
    if not str(function.runtime).startswith("python"):
        message = (
            f"runs on {function.runtime}; without a scaffold only Python can be written: name a folder with one as "
            "scaffold in pyproject.toml, [tool.alchemiser]"
        )
        raise ConfigurationError(message, where=function.logical_id)
    path, entry = code_path(function, package=package), str(function.handler).rpartition(".")[2]
    texts = {path: _HANDLER, **({f"{tests}/test_${{module}}.py": _TEST} if tests else {})}
    depth = str(len(PurePosixPath(tests).parts))
    fixed = {"${entry}": entry, "${answer}": _ANSWER, "${path}": path, "${depth}": depth}
    return Scaffold(files=tuple(NewFile(name, _filled(text, fixed)) for name, text in texts.items()))


def code_path(function: "Function", *, package: str) -> str:
    """Return the file of a function's handler, relative to the project root.

    Raises:
        ConfigurationError: the template does not say where its code is.
    """
    dotted, _, _ = str(function.handler).rpartition(".")
    if not isinstance(function.code_uri, str) or not dotted:
        message = "its code is not in a folder of the project; name another function to copy with --example"
        raise ConfigurationError(message, where=function.logical_id)
    path = PurePosixPath(dotted.replace(".", "/") + ".py")
    is_copied = bool(package) and dotted.startswith(f"{package}.")
    return (path if is_copied else PurePosixPath(function.code_uri) / path).as_posix()


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def test_folder(root: Path) -> str:
    """Return the folder in which a project keeps unit tests: `tests/unit`, otherwise `tests`; empty for neither."""
    return next((name for name in ("tests/unit", "tests") if (root / name).is_dir()), "")
