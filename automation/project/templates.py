"""Read a SAM or CloudFormation template into plain values, and resolve its intrinsics.

An intrinsic whose value is only known at deploy time becomes an `Unresolved`; nothing is guessed.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from automation.project import intrinsics, loops
from automation.system import files
from automation.system.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

PARSED = ".alchemiser/parsed"  # the folder for `read`'s cache
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An intrinsic whose value is only known at deploy time.

    Attributes:
        expression: its text in the template.
        resource: the logical id when it is a plain `Ref` to a resource.
        parameter: the name of a parameter without a value that would decide it.
        attribute: the logical id and the attribute when it is a plain `Fn::GetAtt`.
    """

    expression: str
    resource: str = ""
    parameter: str = ""
    attribute: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        return self.expression

    @property
    def text(self) -> str:
        """Return it as a person writes it, such as `!Ref Stage`."""
        return intrinsics.short_form(self.expression)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Intrinsics are in long form (`{"Ref": …}`).

    Attributes:
        resources: those of its loops included, for the values of the parameters that it was expanded with.
        unexpanded: what stands between the resources and is none: loops with unknown values, and `Fn::Transform`.
        has_language_extensions: whether its transforms expand loops.
        outputs: the section Outputs.
        transform: the section Transform.
        source: all sections before loops were expanded; None when there are no loops.
    """

    path: str
    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    globals: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    unexpanded: Mapping[str, Any] = field(default_factory=dict)
    has_language_extensions: bool = False
    outputs: Mapping[str, Any] = field(default_factory=dict)
    transform: Any = None
    source: Mapping[str, Any] | None = None

    def defaults(self) -> dict[str, str]:
        """Return the defaults, as text, of the parameters that have one."""
        return {name: loops.as_text(spec["Default"]) for name, spec in self.parameters.items() if "Default" in spec}


def read(path: "Path", *, name: str, cache: "Path | None" = None, remember: bool = False) -> Template:
    """Read a template file.

    Args:
        name: the file's name in messages.
        cache: a folder of parsed templates, by the digest of their text; parsing YAML takes longer than the rest.
        remember: add the template to the cache.

    Raises:
        ConfigurationError: the file is missing, cannot be parsed, or is not a template.
    """
    return _template(document(path, name=name, cache=cache, remember=remember), name)


def _remember(content: Mapping[str, Any], cached: "Path") -> None:
    """Cache a template, unless JSON would change it; a folder that cannot be written is ignored."""
    as_json = json.dumps(content, default=str)
    if json.loads(as_json) == content:
        with suppress(OSError):
            files.write_atomically(cached, as_json)


def document(path: "Path", *, name: str, cache: "Path | None" = None, remember: bool = False) -> Mapping[str, Any]:
    """Return every section of a template file as plain values, intrinsics in long form; otherwise as `read`."""
    text = _text(path, name)
    if cache is None:
        return _document(text, name)

    cached = cache / f"{files.digest(text.encode())}.json"
    with suppress(OSError, ValueError, ConfigurationError):
        return _checked(json.loads(cached.read_text()), name)
    content = _document(text, name)
    if remember:
        _remember(content, cached)
    return content


def parse(text: str, *, name: str) -> Template:
    """Parse the text of a template.

    Raises:
        ConfigurationError: the text cannot be parsed, or is not a template.
    """
    return _template(_document(text, name), name)


def _text(path: "Path", name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as cause:
        message = "the template does not exist; see [tool.alchemiser] in pyproject.toml"
        raise ConfigurationError(message, where=name) from cause
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"the template cannot be read: {cause}", where=name) from cause


def _document(text: str, name: str) -> Mapping[str, Any]:
    return _checked(_parsed(text, name), name)


def _checked(content: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(content, Mapping) or not isinstance(content.get("Resources"), Mapping):
        raise ConfigurationError("has no Resources, so it is not a template", where=name)
    return content


def _parsed(text: str, name: str) -> Any:
    """Parse a template in JSON or YAML. JSON is faster, and YAML refuses its escapes of rare characters."""
    if text.lstrip().startswith("{"):
        with suppress(ValueError):
            return json.loads(text)
    from automation.project import yamls  # noqa: PLC0415 - most commands find every template in the cache

    return yamls.load(text, name=name)


def _template(content: Mapping[str, Any], name: str) -> Template:
    template = _unexpanded(content, name)
    return expanded(replace(template, source=content), {}) if loops.is_enabled(content) else template


def expanded(template: Template, parameters: Mapping[str, str]) -> Template:
    """Return the template with its loops expanded for these values of its parameters.

    Raises:
        ConfigurationError: a loop adds a resource without a Type.
    """
    if template.source is None:
        return template
    return replace(_unexpanded(expand(template.source, template, parameters), template.path), source=template.source)


def expand(
    content: Mapping[str, Any],
    template: Template,
    parameters: Mapping[str, str],
    *,
    chosen: Callable[[Any], bool] = lambda _: True,
) -> Mapping[str, Any]:
    """Return the sections of a template with its loops expanded, if its transforms do so.

    Args:
        template: the same template, whose parameters and mappings give the loops their values.
        chosen: says of the body of a loop whether that loop is expanded.
    """
    if not loops.is_enabled(content):
        return content
    result: Mapping[str, Any] = loops.expand(content, lambda value: resolve(value, template, parameters), chosen=chosen)
    return result


def _unexpanded(content: Mapping[str, Any], name: str) -> Template:
    entries = content["Resources"].items()
    resources = {key: value for key, value in entries if not str(key).startswith("Fn::")}
    for logical_id, resource in resources.items():
        if not isinstance(resource, Mapping) or not isinstance(resource.get("Type"), str):
            raise ConfigurationError("has no Type", where=f"{name}: {logical_id}")
    return Template(
        path=name,
        parameters=_section(content, "Parameters", name),
        mappings=_section(content, "Mappings", name),
        conditions=_section(content, "Conditions", name),
        globals=_section(content, "Globals", name),
        resources=resources,
        unexpanded={key: value for key, value in entries if key not in resources},
        has_language_extensions=loops.is_enabled(content),
        outputs=_section(content, "Outputs", name),
        transform=content.get("Transform"),
    )


def _section(document: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    table = document.get(section) or {}
    if isinstance(table, Mapping):  # loops and includes that were not expanded
        table = {key: value for key, value in table.items() if not str(key).startswith("Fn::")}
    # A condition may also be a constant.
    kinds = (Mapping, bool, str) if section == "Conditions" else (Mapping,)
    if not isinstance(table, Mapping) or not all(isinstance(entry, kinds) for entry in table.values()):
        raise ConfigurationError(f"{section} is not a mapping of mappings", where=name)
    return table


def is_no_echo(definition: Any) -> bool:
    """Return whether CloudFormation hides the value of a parameter with this definition."""
    return isinstance(definition, Mapping) and str(definition.get("NoEcho", "")).lower() == "true"


def resolve(value: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    """Replace the intrinsics that parameters, mappings and conditions decide; the others become `Unresolved`."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (name := next(iter(value))) in _INTRINSICS:
            return _INTRINSICS[name](value[name], template, parameters)
        if len(value) == 1 and (str(name).startswith("Fn::") or name == "Condition"):
            return Unresolved(str(value))
        return {key: resolve(inner, template, parameters) for key, inner in value.items()}
    if isinstance(value, list):
        entries = ((inner, resolve(inner, template, parameters)) for inner in value)
        # An intrinsic without a value, such as `!Ref AWS::NoValue` or a condition that chooses it, leaves its list.
        return [entry for inner, entry in entries if entry is not None or not isinstance(inner, Mapping)]
    return value


def references(value: Any, conditions: Mapping[str, Any] | None = None) -> frozenset[str]:
    """Return the names that `Ref` and `Fn::Sub` mention anywhere in a value; for `Resource.Attribute` the resource.

    Args:
        conditions: the template's conditions; names that the condition of an `Fn::If` mentions count too.
    """
    if isinstance(value, Mapping):
        names = _sub_references(value["Fn::Sub"]) if "Fn::Sub" in value else frozenset[str]()
        if "Ref" in value:
            names |= {str(value["Ref"])}
        names |= _condition_references(value, conditions or {})
        return names.union(*(references(inner, conditions) for inner in value.values()))
    if isinstance(value, list):
        return frozenset().union(*(references(inner, conditions) for inner in value))
    return frozenset()


def _sub_references(argument: Any) -> frozenset[str]:
    text = argument[0] if isinstance(argument, list) else argument
    return frozenset(match[2].strip().split(".")[0] for match in _SUB.finditer(str(text)) if not match[1])


def _condition_references(value: Mapping[str, Any], conditions: Mapping[str, Any]) -> frozenset[str]:
    names = frozenset[str]()
    for name in (_condition_of(value), value.get("Condition")):
        if isinstance(name, str) and name in conditions:
            # Without the condition itself, so that conditions that mention each other end.
            remaining = {key: condition for key, condition in conditions.items() if key != name}
            names |= references(conditions[name], remaining)
    return names


def _condition_of(value: Mapping[str, Any]) -> Any:
    argument = value.get("Fn::If")
    return argument[0] if isinstance(argument, list) and argument else None


def _ref(name: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    known = {**template.defaults(), **parameters}
    if name in template.parameters and name in known:
        return known[name]
    if name == "AWS::NoValue":
        return None
    return Unresolved(
        str({"Ref": name}),
        resource=name if name in template.resources else "",
        parameter=name if name in template.parameters else "",
    )


def _sub(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    text, local = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    own = resolve(local, template, parameters)
    known = {**template.defaults(), **parameters, **(own if isinstance(own, Mapping) else {})}
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        if match[1]:
            return f"${{{match[2]}}}"
        resolved = known.get(match[2].strip())
        missing = missing or not isinstance(resolved, str | int | float)
        return loops.as_text(resolved)

    substituted = _SUB.sub(replace, str(text))
    return Unresolved(str({"Fn::Sub": argument})) if missing else substituted


def _get_att(argument: Any, _template: Template, _parameters: Mapping[str, str]) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    match parts:
        case [str() as resource, str() as attribute]:
            return Unresolved(str({"Fn::GetAtt": argument}), attribute=(resource, attribute))
    return Unresolved(str({"Fn::GetAtt": argument}))


def _join(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    resolved = resolve(argument, template, parameters)
    match resolved:
        case [str() as separator, list() as parts] if all(isinstance(part, str | int | float) for part in parts):
            return separator.join(map(loops.as_text, parts))
    return _unresolved({"Fn::Join": argument}, template, parameters)


def _find_in_map(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    match resolve(argument, template, parameters):
        case [str() as table, str() | int() as top, str() | int() as second, *defaults]:
            rows = {loops.as_text(key): row for key, row in template.mappings.get(table, {}).items()}
            row = rows.get(loops.as_text(top))
            if isinstance(row, Mapping) and second in row:
                return row[second]
            if defaults and isinstance(defaults[0], Mapping) and "DefaultValue" in defaults[0]:
                return defaults[0]["DefaultValue"]
    return _unresolved({"Fn::FindInMap": argument}, template, parameters)


def _select(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    match resolve(argument, template, parameters):
        case [index, list() as choices] if str(index).isdecimal() and int(index) < len(choices):
            return choices[int(index)]
    return _unresolved({"Fn::Select": argument}, template, parameters)


def _split(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    match resolve(argument, template, parameters):
        case [str() as separator, str() as text]:
            return text.split(separator)
    return _unresolved({"Fn::Split": argument}, template, parameters)


def _if(argument: Any, template: Template, parameters: Mapping[str, str]) -> Any:
    match argument:
        case [str() as name, then, otherwise] if name in template.conditions:
            is_true = holds(template.conditions[name], template, parameters)
            if is_true is not None:
                return resolve(then if is_true else otherwise, template, parameters)
    return _unresolved({"Fn::If": argument}, template, parameters)


def _unresolved(value: Mapping[str, Any], template: Template, parameters: Mapping[str, str]) -> Unresolved:
    unknown = template.parameters.keys() - template.defaults().keys() - parameters.keys()
    deciding = sorted(references(value, template.conditions) & unknown)
    return Unresolved(str(value), parameter=deciding[0] if deciding else "")


def holds(condition: Any, template: Template, parameters: Mapping[str, str]) -> bool | None:
    """Return whether a condition holds; None when that is only known at deploy time."""
    match condition:
        case bool() | "true" | "false":
            return condition in {True, "true"}
        case {"Condition": str() as name} if name in template.conditions:
            return holds(template.conditions[name], template, parameters)
        case {"Fn::Equals": [left, right]}:
            sides = [resolve(side, template, parameters) for side in (left, right)]
            is_unknown = any(isinstance(side, Unresolved) for side in sides)
            return None if is_unknown else loops.as_text(sides[0]) == loops.as_text(sides[1])
        case {"Fn::Not": [inner]}:
            is_true = holds(inner, template, parameters)
            return None if is_true is None else not is_true
        case {"Fn::And": list() as parts}:
            known = [holds(part, template, parameters) for part in parts]
            return False if False in known else None if None in known else True
        case {"Fn::Or": list() as parts}:
            known = [holds(part, template, parameters) for part in parts]
            return True if True in known else None if None in known else False
    return None


_INTRINSICS = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::FindInMap": _find_in_map,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::If": _if,
}
