"""Edits of a template, as values: set, append, remove or rename what is at a path below Resources."""

import copy
from collections.abc import Callable
from typing import Any

type Template = dict[str, Any]
type Edit = Callable[[Template], None]


def put(path: str, value: Any) -> Edit:
    """Set a value at a path below Resources; keys are separated by slashes, a number is a list's index."""

    def edit(template: Template) -> None:
        *parents, last = path.split("/")
        node: Any = template["Resources"]
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        node[int(last) if isinstance(node, list) else last] = copy.deepcopy(value)

    return edit


def append(path: str, value: Any) -> Edit:
    """Append a value to the list at a path below Resources."""

    def edit(template: Template) -> None:
        node: Any = template["Resources"]
        for part in path.split("/"):
            node = node[int(part)] if isinstance(node, list) else node[part]
        node.append(copy.deepcopy(value))

    return edit


def drop(*paths: str) -> Edit:
    """Remove resources, or values at paths below Resources."""

    def edit(template: Template) -> None:
        for path in paths:
            *parents, last = path.split("/")
            node: Any = template["Resources"]
            for part in parents:
                node = node[int(part)] if isinstance(node, list) else node[part]
            del node[int(last) if isinstance(node, list) else last]

    return edit


def rename(old: str, new: str) -> Edit:
    """Rename a logical id, also in its references."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {(new if key == old else key): renamed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return new if value == old else value.replace(f"${{{old}", f"${{{new}") if isinstance(value, str) else value

    def edit(template: Template) -> None:
        template["Resources"] = renamed(template["Resources"])

    return edit


def default(parameter: str, value: Any) -> Edit:
    """Change the default of a template parameter."""

    def edit(template: Template) -> None:
        template["Parameters"][parameter]["Default"] = value

    return edit


def both(*edits: Edit) -> Edit:
    """Apply several edits."""

    def edit(template: Template) -> None:
        for single in edits:
            single(template)

    return edit
