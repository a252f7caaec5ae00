"""Run cfn-lint, by its own command line, without work that it does again and again. Runs in the Python of cfn-lint.

cfn-lint 1.58 creates some 13 classes and an empty template 430 times for a template, searches the same schemas for
identifiers at every reference, lists all attributes of all resources for every `Fn::GetAtt`, and copies frozen values
field by field 82,000 times. Results are kept here, and values are copied at once; all objects are kept, because the
process ends before they fill the memory. What another version of cfn-lint lacks, or does in another way, is left out:
the findings are the same either way.
"""

from __future__ import annotations

import atexit
import gc
import sys
from contextlib import suppress
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOT_FOUND = 127
# All that an `evolve` names that sets each field to its new or its old value, and merges one of them.
_NAMES_OF_COPYING = frozenset(
    ("__class__", "fields", "init", "name", "getattr", "setdefault", "ref_values", "copy", "update")
)


def keep_classes() -> None:
    """Let equal validators share a class."""
    from cfnlint.jsonschema import validators as module  # noqa: PLC0415 - another version may lack it

    create = module.create
    classes: dict[tuple[Any, ...], Any] = {}

    def create_once(
        validators: Mapping[str, Any] | None = None,
        function_filter: Any = None,
        fn_resolvers: Mapping[str, Any] | None = None,
    ) -> Any:
        key = (*((validators or {}).items()), None, *((fn_resolvers or {}).items()), repr(function_filter))
        if key not in classes:
            classes[key] = create(validators, function_filter, fn_resolvers)
            copy_at_once(classes[key])
        return classes[key]

    module.create = create_once


def keep_searches() -> None:
    """Search each schema once for each keyword."""
    from cfnlint.schema.resolver import _resolver as module  # noqa: PLC0415 - another version may lack it

    search, make_matcher = module._search_schema, module._match_keyword
    matchers: dict[str, Callable[[Any], Iterator[Any]]] = {}
    results: dict[tuple[int, Any], tuple[Any, list[Any]]] = {}

    def match_keyword(keyword: str) -> Callable[[Any], Iterator[Any]]:
        return matchers.setdefault(keyword, make_matcher(keyword))

    def search_once(schema: Any, matcher: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
        key = (id(schema), matcher)
        if key not in results:
            results[key] = schema, list(search(schema, matcher))  # keeps the schema, so that its number stays its own
        return iter(results[key][1])

    module._match_keyword, module._search_schema = match_keyword, search_once


def keep_empty_template() -> None:
    """Let all validators start with the same empty template, which each replaces by its own."""
    from cfnlint.jsonschema import validators as module  # noqa: PLC0415 - another version may lack it

    create: Any = module.Template
    empty = cache(lambda: create(None, {}))

    def create_or_keep(filename: str | None, template: dict[str, Any], *others: Any) -> Any:
        return create(filename, template, *others) if filename or template or others else empty()

    module.Template = create_or_keep


def keep_attributes() -> None:
    """List the attributes of a template's resources once."""
    from cfnlint.template.template import Template  # noqa: PLC0415 - another version may lack it

    find = Template.get_valid_getatts
    results: dict[tuple[int, int], tuple[Any, Any]] = {}

    def find_once(template: Any) -> Any:
        resources = template.context.resources
        key = (id(resources), len(resources))
        if key not in results:
            results[key] = resources, find(template)
        return results[key][1]

    Template.get_valid_getatts = find_once


def copy_values_at_once() -> None:
    """Let the values that cfn-lint copies at each step be copied at once."""
    from cfnlint.context.context import Context  # noqa: PLC0415 - another version may lack it
    from cfnlint.jsonschema._filter import FunctionFilter  # noqa: PLC0415 - another version may lack it

    copy_at_once(Context)
    copy_at_once(FunctionFilter)


def copy_at_once(cls: Any) -> None:
    """Replace the `evolve` of a dataclass, provided that it does nothing but set one field after another."""
    names = set(cls.evolve.__code__.co_names) - {cls.__name__}
    if not names <= _NAMES_OF_COPYING:
        return
    merges = "ref_values" in names
    derived = [name for name, attribute in vars(cls).items() if isinstance(attribute, cached_property)]
    # The fields that no caller gives are the same in all values of a class.
    fixed = {
        field.name: field.default_factory() if callable(field.default_factory) else field.default
        for field in fields(cls)
        if not field.init
    }
    complete = getattr(cls, "__post_init__", None)

    def evolve(self: Any, **changes: Any) -> Any:
        if merges and "ref_values" in changes:
            changes["ref_values"] = {**self.ref_values, **changes["ref_values"]}

        value = object.__new__(cls)
        attributes = value.__dict__
        attributes.update(self.__dict__)
        for name in derived:
            attributes.pop(name, None)
        attributes.update(fixed)
        attributes.update(changes)

        if complete:
            complete(value)
        return value

    cls.evolve = evolve


def main() -> int:
    """Run cfn-lint; return its exit code, or `NOT_FOUND` when this Python has none."""
    own_folder = str(Path(__file__).resolve().parent)  # has modules with names of the standard library, such as secrets
    sys.path = [path for path in sys.path if path != own_folder]
    gc.disable()
    atexit.register(gc.freeze)  # otherwise Python looks for cycles among all objects before it ends, for 0.2 s
    try:
        from cfnlint import runner  # noqa: PLC0415 - only now is it found where it belongs
    except ImportError:
        return NOT_FOUND

    for keep in (copy_values_at_once, keep_classes, keep_searches, keep_empty_template, keep_attributes):
        with suppress(ImportError, AttributeError):
            keep()
    return int(runner.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
