"""Read and write YAML with CloudFormation's tags, on libyaml: ten times as fast as the parser in Python."""

from typing import Any

import yaml

from automation.system.errors import ConfigurationError

_BARE_TAGS = frozenset({"Ref", "Condition"})


def load(text: str, *, name: str) -> Any:
    """Parse YAML into plain values; short-form intrinsics become long-form, a date stays the text in the file.

    Args:
        name: the file's name in messages.

    Raises:
        ConfigurationError: the text cannot be parsed; the message has the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as cause:
        line = f":{cause.problem_mark.line + 1}" if cause.problem_mark else ""
        message = f"is not valid YAML: {cause.problem or cause.context}"
        raise ConfigurationError(message, where=f"{name}{line}") from cause
    except yaml.YAMLError as cause:
        raise ConfigurationError(f"is not valid YAML: {cause}", where=name) from cause


def dump(value: Any) -> str:
    """Return plain values as YAML, in their order and without anchors."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120)


class _Loader(yaml.CSafeLoader):
    """A safe loader that knows CloudFormation's tags."""


class _Dumper(yaml.CSafeDumper):
    """A safe dumper that writes no anchors, which people find hard to read."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _construct_intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in _BARE_TAGS else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


def _construct_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_multi_constructor("!", _construct_intrinsic)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _construct_text)
