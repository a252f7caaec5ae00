"""Find the endpoint of a request: every path is fixed, or has one parameter as its last part."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from sandbox.exchange.refusals import Refusal

CONTROL_PATH = "/_control"
_DATA_PATHS = ("/v2/stocks", "/v1/")


class Routed(Protocol):
    """What routing needs of an endpoint; a path ends in `{name}` when its last part is a parameter."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


class Router[E: Routed]:
    """The endpoints by path and method."""

    def __init__(self, endpoints: Iterable[E]) -> None:
        self._fixed: dict[str, dict[str, E]] = {}
        self._open: dict[str, dict[str, tuple[str, E]]] = {}
        for endpoint in endpoints:
            parent, _, last = endpoint.path.rpartition("/")
            if last.startswith("{"):
                self._open.setdefault(parent, {})[endpoint.method] = (last.strip("{}"), endpoint)
            else:
                self._fixed.setdefault(endpoint.path, {})[endpoint.method] = endpoint

    def find(self, method: str, path: str) -> tuple[E, Mapping[str, str]]:
        """Return the endpoint of a request and its path parameters.

        Raises:
            Refusal: 404, no endpoint has this path; 405, none has it with this method.
        """
        fixed = self._fixed.get(path)
        if fixed is not None and method in fixed:
            return fixed[method], {}

        parent, _, last = path.rpartition("/")
        parametrised = self._open.get(parent) if last else None
        if fixed is None and parametrised is not None and method in parametrised:
            name, endpoint = parametrised[method]
            return endpoint, {name: last}
        if fixed is None and parametrised is None:
            raise Refusal(404, None, "endpoint not found")
        raise Refusal(405, None, "method not allowed")


def is_data_path(path: str) -> bool:
    """Return whether a path belongs to the market-data API, whose errors have no code."""
    return path.startswith(_DATA_PATHS)
