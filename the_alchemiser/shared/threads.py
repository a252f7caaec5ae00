"""Calls that wait for a service, many at once."""

from collections.abc import Callable, Iterable, Mapping

THREADS = 16
"""A client that is called this way needs as many connections."""


def map_in_threads[T](function: Callable[[str], T], keys: Iterable[str]) -> Mapping[str, T]:
    """Call the function once for every key, in threads.

    Returns:
        The results by key; keys ascend.

    Raises:
        Whatever the function raises, for the first key that fails.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - handlers import this module cold

    distinct = sorted(set(keys))
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(distinct, pool.map(function, distinct), strict=True))
