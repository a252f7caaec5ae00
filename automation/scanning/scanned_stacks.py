"""The stacks to scan: each template after SAM's transform, and its resources resolved across the stacks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation.deploying.changes import expansion, resolution
from automation.deploying.changes.expansion import SamTemplate
from automation.deploying.changes.model import Expanded
from automation.deploying.verdict.property_texts import text_of
from automation.project import templates
from automation.project.environments import StackSettings
from automation.project.model import Stack

_RESOURCES = re.compile(r"""["']?Resources["']?[ \t]*:""")
_LOGICAL_ID = re.compile(r"""([ \t]+)["']?([A-Za-z0-9]+)["']?[ \t]*:""")
# Placeholders of the right shape: the scan makes no call to an account.
ACCOUNT = "123456789012"
_PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}


@dataclass(frozen=True, slots=True)
class ScannedStack:
    """One stack as the rules and the tools read it.

    Attributes:
        path: of the source template.
        template: after SAM's transform; the default of each parameter is its value in the scanned environment.
        resources: those that exist, resolved, by logical id without SAM's hashes. A value imported from another stack
            of the project names the other stack, as in `${data/Bus.Arn}`.
        lines: of the resources in the source template, from 1.
    """

    name: str
    path: str
    template: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, logical_id: str) -> int:
        """Return the line of a resource; of one that SAM generates, the line of the resource that it belongs to."""
        origins = [name for name in self.lines if logical_id.startswith(name)]
        return self.lines[max(origins, key=len)] if origins else 1

    def stable_name(self, logical_id: str) -> str:
        """Return a logical id of the expanded template without the hash that SAM adds."""
        resource = (self.template.get("Resources") or {}).get(logical_id) or {}
        return resolution.stable_name(logical_id, str(resource.get("Type")))


def read(
    root: Path, stacks: Sequence[Stack], settings: Sequence[StackSettings] = (), *, region: str = expansion.REGION
) -> tuple[ScannedStack, ...]:
    """Expand and resolve the templates of a project; it makes no call.

    Args:
        settings: those of an environment; without them the parameters have the defaults of the templates.

    Raises:
        ConfigurationError: SAM refuses a template, or one cannot be parsed.
        ToolError: SAM CLI is missing or cannot expand templates.
    """
    by_name = {entry.stack.name: entry for entry in settings}
    sources = [_source(root, stack, by_name.get(stack.name), region) for stack in stacks]
    expanded_templates = expansion.expand(sources, root=root, region=region)

    exports: dict[str, Any] = {}
    scanned = []
    for stack, source, template in zip(stacks, sources, expanded_templates, strict=True):
        text = (root / stack.template.path).read_text(encoding="utf-8")
        resolved = resolution.resolve(Expanded(template, source.parameters, exports))
        exports |= {name: _in_stack(value, stack.name) for name, value in resolved.exports.items()}
        scanned.append(
            ScannedStack(
                name=stack.name,
                path=stack.template.path,
                template=with_values(template, source.parameters),
                resources={name: _inlined(resource) for name, resource in resolved.resources.items()},
                lines=lines_of(text, stack.template.resources),
            )
        )
    return tuple(scanned)


def with_values(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return a template whose parameters have these values as defaults, for tools that read only a template."""
    parameters = {
        name: {**definition, "Default": values[name]} if name in values and "Default" in definition else definition
        for name, definition in (template.get("Parameters") or {}).items()
    }
    return {**template, "Parameters": parameters} if parameters else dict(template)


def lines_of(text: str, logical_ids: Mapping[str, Any]) -> dict[str, int]:
    """Return the line that defines each resource of a YAML or JSON template.

    The first one after `Resources` says how deep they are: a property may have the name of a resource.
    """
    lines: dict[str, int] = {}
    is_inside, depth = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        is_inside = is_inside or _RESOURCES.search(line) is not None
        match = _LOGICAL_ID.match(line)
        if is_inside and match and match[2] in logical_ids and match[1] == (depth or match[1]):
            depth = match[1]
            lines.setdefault(match[2], number)  # an output may have the name of a resource too
    return lines


def _source(root: Path, stack: Stack, settings: StackSettings | None, region: str) -> SamTemplate:
    path = stack.template.path
    known = {**_PSEUDO_PARAMETERS, "AWS::Region": region}
    if settings is not None:
        known |= {"AWS::StackName": settings.stack_name, **settings.values()}
    return SamTemplate(path, templates.document(root / path, name=path), known)


def _inlined(value: Any) -> Any:
    """Return a value whose `Fn::Sub` has no variables of its own, which SAM's policy templates use everywhere."""
    match value:
        case {"Fn::Sub": [str() as text, {**variables}]}:
            for name, variable in variables.items():
                text = text.replace(f"${{{name}}}", text_of(_inlined(variable)))
            return {"Fn::Sub": text}
        case {**entries}:
            return {key: _inlined(inner) for key, inner in entries.items()}
        case list():
            return [_inlined(inner) for inner in value]
    return value


def _in_stack(value: Any, stack: str) -> Any:
    """Return an exported value whose references name the stack, so that no resource of the importer is meant."""
    if isinstance(value, list):
        return [_in_stack(item, stack) for item in value]
    if not isinstance(value, Mapping):
        return value
    match value:
        case {"Ref": str() as name}:
            return {"Ref": f"{stack}/{name}"}
        case {"Fn::GetAtt": [str() as name, *attribute]}:
            return {"Fn::GetAtt": [f"{stack}/{name}", *attribute]}
        case {"Fn::Sub": str() as text}:
            return {"Fn::Sub": re.sub(r"\$\{(?!!|AWS::)", f"${{{stack}/", text)}
    return {key: _in_stack(inner, stack) for key, inner in value.items()}
