"""Let SAM package a template whose code we have not packed, and create the bucket that SAM manages."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automation.system import console, sam
from automation.system.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from automation.deploying.stacks.uploads import CodeBucket
    from automation.system.targets import Target

_EMPTY_TEMPLATE = (
    'Transform: AWS::Serverless-2016-10-31\nResources:\n  Handle: {Type: "AWS::CloudFormation::WaitConditionHandle"}\n'
)


def create_managed_bucket(root: Path, target: "Target") -> None:
    """Let SAM create its bucket: it does so when it packages any template.

    Args:
        root: of the project, whose SAM CLI runs.

    Raises:
        ToolError: there is no SAM CLI, or it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.yaml"
        template.write_text(_EMPTY_TEMPLATE)
        _package(template, ["--resolve-s3"], root=root, target=target, doing="creating the bucket for code")


def package(template: Path, bucket: "CodeBucket", *, root: Path, target: "Target") -> "Mapping[str, Any]":
    """Upload every file that a template names, whatever built it, and return the template that names the uploads.

    Raises:
        ToolError: there is no SAM CLI, or it failed.
    """
    options = ["--s3-bucket", bucket.name, "--s3-prefix", bucket.prefix]
    return _package(template, options, root=root, target=target, doing=f"uploading to {bucket.name}")


def _package(
    template: Path, options: "Sequence[str]", *, root: Path, target: "Target", doing: str
) -> "Mapping[str, Any]":
    with tempfile.TemporaryDirectory() as folder, console.progress(doing) as report_line:
        packaged, settings = Path(folder) / "packaged.json", Path(folder) / "samconfig.toml"
        # Settings of their own: the project's samconfig.toml may say resolve_s3, which excludes --s3-bucket.
        settings.write_text("version = 0.1\n")
        arguments: list[str | Path] = [
            "package",
            "--template-file",
            template,
            "--output-template-file",
            packaged,
            "--use-json",
        ]
        finished = sam.run(
            sam.ensure(root),
            [*arguments, "--config-file", settings, "--region", target.region, *options],
            cwd=root,
            variables=target.variables(),
            without=target.hidden_variables(),
            on_line=report_line,
        )
        if finished.exit_code:
            raise ToolError(f"failed with exit code {finished.exit_code}\n{finished.tail()}", where=finished.command)
        content: Mapping[str, Any] = json.loads(packaged.read_text())
    return content
