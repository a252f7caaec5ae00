"""Read what a code folder requires: the file that lists it, its lines, and the files that it includes.

pip's rules hold, because SAM runs pip: relative paths start at the folder that SAM runs in, a byte order mark names the
encoding, and a path or URL may stand where a name does. Source: pip.pypa.io, requirements file format.
"""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from automation.system import files
from automation.system.errors import ConfigurationError

REQUIREMENTS = "requirements.txt"
REQUIREMENTS_IN = "requirements.in"
PYPROJECT = "pyproject.toml"
UV_LOCK, PYLOCK, POETRY_LOCK = "uv.lock", "pylock.toml", "poetry.lock"
LOCKS = (UV_LOCK, PYLOCK, POETRY_LOCK)
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"(?P<name>--[a-z-]+|-[a-zA-Z])[ =]*(?P<value>.*)")
_LONG_NAMES = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "--pypi-url": "--index-url",
    "-f": "--find-links",
}
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)\}")
_SIMPLE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(==[0-9][0-9a-z.]*)?")
_LINE_OPTIONS = re.compile(r"\s--?[a-z].*$")
_MARKER = re.compile(r"\s*;\s*(?P<marker>.+)$")
_MARKER_OF_URL = re.compile(r"\s+;\s*(?P<marker>.+)$")  # a URL may contain a semicolon
_EXTRAS = re.compile(r"\s*(?P<extras>\[[^\[\]]*\])$")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\[\]]*\])?\s*@\s*(?P<target>\S.*)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive
_REPOSITORY = re.compile(r"(git|hg|svn|bzr)\+")
_EGG = re.compile(r"[#&]egg=(?P<egg>[^&]+)")
_HASH_IN_URL = re.compile(r"[#&]sha(256|384|512)=[0-9a-f]+")
_USER_IN_URL = re.compile(r"//[^/@\s]+@")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_PACKAGE_TABLE = re.compile(r"^\s*\[(project|build-system|tool\.poetry)\]", re.MULTILINE)
_HASH = "--hash"


class Kind(StrEnum):
    """What a line of a requirement file is."""

    OPTION = "option"
    NAMED = "named"
    ARCHIVE = "archive"
    FOLDER = "folder"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of a requirement file, or of a file that it includes.

    Attributes:
        where: its place for messages, `src/requirements.txt:3`.
        line: the line without comments.
        kind: OPTION for every line that begins with a dash, except an editable.
        name: the option, written out (`--index-url`); otherwise the distribution if the line says it.
        value: the option's value, the requirement, or the URL of an archive or repository.
        extras: `[a,b]`, or nothing.
        marker: when it is required; empty for always.
        hashes: `--hash=…`, or nothing.
        path: the folder or archive on this disk; the folder of an option `--find-links`.
        is_constraint: the line limits versions and installs nothing.
    """

    where: str
    line: str
    kind: Kind
    name: str = ""
    value: str = ""
    extras: str = ""
    marker: str = ""
    hashes: str = ""
    path: Path | None = None
    is_constraint: bool = False

    @property
    def is_hashed(self) -> bool:
        return bool(self.hashes or _HASH_IN_URL.search(self.value))

    @property
    def shown(self) -> str:
        """Return the line for messages, without a password or token in its URL."""
        return _USER_IN_URL.sub("//…@", self.line)

    def text(self, path: str = "") -> str:
        """Return the line as uv takes it.

        Args:
            path: what to write for the folder or archive on this disk; by default its URL.
        """
        marker = f" ; {self.marker}" if self.marker else ""
        hashes = f" {self.hashes}" if self.hashes else ""
        if self.kind is Kind.OPTION:
            return f"{self.name} {path or self.value}".strip()
        if self.kind is Kind.NAMED:
            return f"{self.value}{marker}{hashes}"

        target = path or (self.path.as_uri() if self.path else self.value)
        if self.name and not path:
            return f"{self.name}{self.extras} @ {target}{marker}{hashes}"
        return f"{target}{self.extras}{marker}{hashes}"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a requirement file with their numbers: continuations joined, comments and blanks left out.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=files.display_path(path)) from cause
    return split_lines(decode(content))


def decode(content: bytes) -> str:
    """Return the text of a requirement file: by its byte order mark, otherwise UTF-8, otherwise Latin-1.

    Everything that counts in such a file is ASCII, so Latin-1 only affects comments.
    """
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def split_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text as `lines` does."""
    joined, start = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = (_COMMENT.sub("", raw) if "#" in raw else raw).strip()
        start = start if joined else number
        joined += line.removesuffix("\\")
        if not line.endswith("\\") and joined:
            yield start, " ".join(joined.split())
            joined = ""
    if joined:
        yield start, " ".join(joined.split())


def included_files(file: Path, root: Path) -> tuple[Path, ...]:
    """Return a requirement file and every file on this disk that it includes, each once.

    Raises:
        ConfigurationError: a file cannot be read, or an included one does not exist.
    """
    paths: list[Path] = []
    waiting = [file]
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in {known.resolve() for known in paths}:
            continue
        paths.append(path)
        waiting += [included for number, line in lines(path) if (included := _included(line, path, number, root))]
    return tuple(paths)


def read(path: Path, root: Path) -> Iterator[Requirement]:
    """Yield the requirements and options of a file and of those that it includes.

    Args:
        root: the project root, where SAM runs: relative paths start here, or else beside the file.

    Raises:
        ConfigurationError: a line cannot be understood, or a path on it does not exist.
    """
    yield from _read(path, root, (), is_constraint=False)


def parse(text: str, file: Path, root: Path) -> Iterator[Requirement]:
    """Yield the requirements of a text, as if it were the content of a file that includes no other.

    Raises:
        ConfigurationError: as `read`.
    """
    for number, line in split_lines(text):
        yield _parse(line, f"{files.display_path(file)}:{number}", file.parent, root)


def expand(line: str) -> str:
    """Replace `${NAME}` by the environment's value; a name that is not set stays as it is, as for pip."""
    return _VARIABLE.sub(lambda match: os.environ.get(match["name"], match[0]), line) if "${" in line else line


def unset_variables(line: str) -> tuple[str, ...]:
    """Return the environment variables of a line that are not set."""
    return tuple(match["name"] for match in _VARIABLE.finditer(line) if match["name"] not in os.environ)


def _read(path: Path, root: Path, parents: tuple[Path, ...], *, is_constraint: bool) -> Iterator[Requirement]:
    for number, line in lines(path):
        requirement = _parse(line, f"{files.display_path(path)}:{number}", path.parent, root)
        included = _included(line, path, number, root)
        if included is None:
            limits = is_constraint and requirement.kind is not Kind.OPTION  # an option counts wherever it stands
            yield replace(requirement, is_constraint=True) if limits else requirement
        elif included.resolve() not in {parent.resolve() for parent in (*parents, path)}:
            constrains = is_constraint or requirement.name == "--constraint"
            yield from _read(included, root, (*parents, path), is_constraint=constrains)


def _included(line: str, path: Path, number: int, root: Path) -> Path | None:
    """Return the file on this disk that a line includes; None when it includes none."""
    match = _OPTION.match(line)
    if match is None or _LONG_NAMES.get(match["name"], match["name"]) not in {"--requirement", "--constraint"}:
        return None
    name = _unquote(expand(match["value"]))
    if "://" in name:
        return None
    candidates = [base / name for base in (path.parent, root)]
    included = next((candidate for candidate in candidates if candidate.is_file()), None)
    if included is None:
        raise ConfigurationError(f"{name} does not exist", where=f"{files.display_path(path)}:{number}")
    return included


def _parse(line: str, where: str, folder: Path, root: Path) -> Requirement:
    expanded = expand(line)
    option = _OPTION.match(expanded)
    if option is None:
        return _requirement(expanded, line, where, folder, root)

    name, value = _LONG_NAMES.get(option["name"], option["name"]), _unquote(option["value"])
    if name == "--editable":
        return _requirement(value, line, where, folder, root)
    path = _find(value, folder, root) if name == "--find-links" else None
    return Requirement(where, line, Kind.OPTION, name=name, value=str(path) if path else value, path=path)


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _requirement(text: str, line: str, where: str, folder: Path, root: Path) -> Requirement:
    options = _LINE_OPTIONS.search(text)
    hashes = " ".join(word for word in options[0].split() if word.startswith(_HASH)) if options else ""
    text = text[: options.start()] if options else text
    marker = (_MARKER_OF_URL if "://" in text else _MARKER).search(text)
    target = text[: marker.start()] if marker else text
    condition = marker["marker"] if marker else ""

    named = _NAMED.fullmatch(target)
    name, extras = (named["name"], named["extras"] or "") if named else ("", "")
    target = named["target"] if named else target
    if not named and not _is_path_or_url(target):
        _require_valid(target, where)
        return Requirement(where, line, Kind.NAMED, value=target, marker=condition, hashes=hashes)
    if _REPOSITORY.match(target) or (_URL.match(target) and not target.startswith("file:")):
        name, extras, target = _without_egg(name, extras, target)
        kind = Kind.REPOSITORY if _REPOSITORY.match(target) else Kind.ARCHIVE
        return Requirement(where, line, kind, name, target, extras, condition, hashes)

    if not named and (match := _EXTRAS.search(target)):
        target, extras = target[: match.start()], match["extras"]
    path = _existing(_path_of(target), where, folder, root)
    kind = Kind.FOLDER if path.is_dir() else Kind.ARCHIVE
    return Requirement(where, line, kind, name, target, extras, condition, hashes, path)


def _require_valid(target: str, where: str) -> None:
    """Raise where uv would, which names neither the file nor the line.

    Raises:
        ConfigurationError: the text is not a name with extras and versions, or a variable in it is not set.
    """
    if _SIMPLE.fullmatch(target):
        return
    for name in unset_variables(target):
        raise ConfigurationError(f"the environment variable {name} is not set; set it and build again", where=where)
    from packaging import requirements as parser  # noqa: PLC0415 - most are simple

    try:
        parser.Requirement(target)
    except parser.InvalidRequirement as cause:
        reason = str(cause).splitlines()[0]
        raise ConfigurationError(f"{target} is not a requirement: {reason}; correct it", where=where) from cause


def _is_path_or_url(target: str) -> bool:
    bare = _EXTRAS.sub("", target)
    return bool(_URL.match(target)) or bare.startswith(".") or "/" in bare or "\\" in bare or bare.endswith(_ARCHIVES)


def _without_egg(name: str, extras: str, url: str) -> tuple[str, str, str]:
    """Return the name and the extras that `#egg=name[extras]` says, and the URL without it."""
    egg = _EGG.search(url)
    if egg is None:
        return name, extras, url
    rest = url[egg.end() :].removeprefix("&")
    url = url[: egg.start()] + (f"#{rest}" if rest and "#" not in url[: egg.start()] else rest and f"&{rest}")
    stated = unquote(egg["egg"])
    match = _EXTRAS.search(stated)
    own_name = stated[: match.start()] if match else stated
    return name or own_name, extras or (match["extras"] if match else ""), url


def _path_of(target: str) -> str:
    """Return the path in `file:///a`, `file:../a` or `../a`."""
    target = target.partition("#")[0]
    if not target.startswith("file:"):
        return target
    path = unquote(urlsplit(target).path) if target.startswith("file://") else target.removeprefix("file:")
    return path.removeprefix("/") if re.match(r"/[A-Za-z]:", path) else path


def _existing(name: str, where: str, folder: Path, root: Path) -> Path:
    path = _find(name, folder, root)
    if path is None and os.path.isabs(name):  # noqa: PTH117 - a string, not yet a path
        message = f"{name} does not exist on this machine; write a version instead, as in NAME==1.0"
        raise ConfigurationError(message, where=where)
    if path is None:
        beside = "" if folder.resolve() == root.resolve() else f", nor in {files.display_path(folder)}"
        message = f"{name} does not exist in the project root, where sam build looks{beside}; correct the path"
        raise ConfigurationError(message, where=where)
    if path.is_dir() and not is_installable(path):
        message = f"{name} has neither pyproject.toml nor setup.py, so it cannot be installed; add one of them"
        raise ConfigurationError(message, where=where)
    return path


def _find(name: str, folder: Path, root: Path) -> Path | None:
    """Return the path that a name means: SAM looks from the project root, `sam build --use-container` beside the file.

    Source: github.com/aws/aws-lambda-builders/issues/152, opened on 2020-01-30 and still open.
    """
    candidates = [Path(os.path.normpath(base / name)).absolute() for base in (root, folder)]
    existing = [path for path in candidates if path.exists()]
    return next((path for path in existing if path.is_file() or is_installable(path)), next(iter(existing), None))


def is_installable(folder: Path) -> bool:
    """Return whether pip can install a folder: a pyproject.toml with nothing but settings of tools is not enough."""
    pyproject = folder / PYPROJECT
    if (folder / "setup.py").is_file() or not pyproject.is_file():
        return (folder / "setup.py").is_file()
    return bool(_PACKAGE_TABLE.search(pyproject.read_text(encoding="utf-8", errors="replace")))
