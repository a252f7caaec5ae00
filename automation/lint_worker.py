"""Run cfn-lint, by its own command line, without work that it does again and again. Runs in the Python of cfn-lint.

cfn-lint 1.58 creates some 13 classes 430 times for a template, and searches the same schemas for identifiers at every
reference. Both results are kept here; so are all objects, because the process ends before they fill the memory. What
another version of cfn-lint lacks is left out: the findings are the same either way.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOT_FOUND = 127


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


def main() -> int:
    """Run cfn-lint; return its exit code, or `NOT_FOUND` when this Python has none."""
    own_folder = str(Path(__file__).resolve().parent)  # has modules with names of the standard library, such as secrets
    sys.path = [path for path in sys.path if path != own_folder]
    gc.disable()
    try:
        from cfnlint import runner  # noqa: PLC0415 - only now is it found where it belongs
    except ImportError:
        return NOT_FOUND

    for keep in (keep_classes, keep_searches):
        with suppress(ImportError, AttributeError):
            keep()
    return int(runner.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
