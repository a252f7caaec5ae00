"""Expand SAM templates to CloudFormation without a call to AWS.

`samtranslator` does it, which cannot be installed beside our packages, so it runs in SAM CLI's environment.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation.system import processes, sam
from automation.system.errors import ConfigurationError, ToolError

REGION = "us-east-1"
_WORKER = Path(__file__).with_name("expansion_worker.py")
_EXPANDED_HERE = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
# A profile that does not exist would stop boto3, which samtranslator uses to find the region.
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True, slots=True)
class SamTemplate:
    """A template before SAM's transform.

    Attributes:
        name: the file's name in messages.
        template: every section, intrinsics in long form.
        parameters: the values of its parameters; a missing one has its default. `AWS::Region` and the like count too.
        code_digests: of functions and layers, by logical id: their code is at `s3://content/<digest>` afterwards, a
            local path without a digest at `s3://content/<logical id>`. A location in S3 without a digest stays.
    """

    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    code_digests: Mapping[str, str] = field(default_factory=dict)


def expand(templates: Sequence[SamTemplate], *, root: Path, region: str = REGION) -> tuple[Mapping[str, Any], ...]:
    """Return CloudFormation templates, expanded all in one process; one without a transform stays as it is.

    Args:
        root: of the project, whose SAM CLI does it.
        region: where the stacks will be; some of SAM's defaults depend on it.

    Raises:
        ConfigurationError: SAM refuses a template.
        ToolError: SAM CLI is missing or cannot expand templates, or could not be installed.
    """
    numbers = [number for number, source in enumerate(templates) if _needs_worker(source.template)]
    answers = _run_worker([templates[number] for number in numbers], root, region) if numbers else []
    expanded = {number: _expanded(templates[number], answer) for number, answer in zip(numbers, answers, strict=True)}
    return tuple(expanded.get(number, source.template) for number, source in enumerate(templates))


def refusals(templates: Sequence[SamTemplate], *, root: Path, region: str = REGION) -> Iterator[tuple[str, str]]:
    """Yield the name of each template that SAM refuses with one of its reasons; one process checks all templates.

    Raises:
        ToolError: as `expand`.
    """
    checked = [source for source in templates if _needs_worker(source.template)]
    for source, answer in zip(checked, _run_worker(checked, root, region) if checked else (), strict=True):
        yield from ((source.name, str(error)) for error in answer.get("errors", ()))


def find_interpreter(program: Path) -> Path:
    """Return the Python that runs SAM CLI, which has its packages.

    Raises:
        ToolError: the program is not a Python script, as in AWS's own installer.
    """
    with program.open("rb") as file:
        line = file.readline().decode(errors="replace")
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    if len(words) > 1 and Path(words[0]).name == "env":
        words = [shutil.which(words[-1]) or ""]

    # A script whose path is too long for its first line starts with a shell instead, and one of Windows is an .exe.
    beside = program.resolve().parent
    for path in (Path(words[0]) if words else Path(), beside / "python", beside / "python.exe"):
        if path.name.startswith("python") and path.is_file():
            return path
    message = f"{program} is not a Python script, so its packages cannot expand templates"
    raise ToolError(f"{message}; pin SAM CLI in locks/sam.txt (inv lock), or install it with: pip install aws-sam-cli")


def _needs_worker(template: Mapping[str, Any]) -> bool:
    return any(transform in _EXPANDED_HERE for transform in _transforms(template))


def _transforms(template: Mapping[str, Any]) -> list[Any]:
    transforms = template.get("Transform") or []
    return list(transforms) if isinstance(transforms, list) else [transforms]


def _run_worker(templates: Sequence[SamTemplate], root: Path, region: str) -> list[Mapping[str, Any]]:
    python = find_interpreter(sam.ensure(root))
    contents = [
        {"template": source.template, "parameters": source.parameters, "digests": source.code_digests}
        for source in templates
    ]
    env = processes.environment({"AWS_DEFAULT_REGION": region, "AWS_REGION": region}, without=_PROFILES)
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder) / "templates.json"
        request.write_text(json.dumps(contents, default=dict))
        finished = processes.run([python, "-I", _WORKER, request], cwd=request.parent, env=env, check=False)
    if finished.exit_code:
        message = f"cannot expand templates: {finished.tail(1)}"
        raise ToolError(f"{message}; pin SAM CLI in locks/sam.txt (inv lock)", where=str(python))
    answers: list[Mapping[str, Any]] = json.loads(finished.stdout)
    return answers


def _expanded(source: SamTemplate, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "errors" in answer:
        reasons = "; ".join(str(error) for error in answer["errors"])
        raise ConfigurationError(f"SAM cannot expand it: {reasons}", where=source.name)
    template: Mapping[str, Any] = answer["template"]
    return template
