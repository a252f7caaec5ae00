from datetime import date

import pytest

from automation.lambda_runtime import libraries
from automation.lambda_runtime.libraries import Presence


@pytest.mark.parametrize(
    ("minor", "name", "presence"),
    [
        (12, "libc.so.6", Presence.PRESENT),
        (12, "ld-linux-aarch64.so.1", Presence.PRESENT),
        (12, "linux-vdso.so.1", Presence.PRESENT),
        (12, "libssl.so.3", Presence.PRESENT),
        (12, "libexpat.so.1", Presence.ABSENT),
        (12, "libgobject-2.0.so.0", Presence.ABSENT),
        (12, "libmagic.so.1", Presence.ONLY_IN_CONTAINER),
        (14, "libmagic.so.1", Presence.ONLY_IN_CONTAINER),
        (12, "libbran.so.7", Presence.UNLISTED),
        (11, "libmagic.so.1", Presence.ABSENT),
        (11, "libssl.so.10", Presence.PRESENT),
        (12, "libssl.so.10", Presence.ABSENT),
        (11, "libssl.so.3", Presence.UNLISTED),
    ],
)
def test_presence_is_that_of_the_runtime(minor: int, name: str, presence: Presence) -> None:
    assert libraries.of_runtime(minor).presence(name) is presence


def test_present_has_what_is_certain_and_nothing_else() -> None:
    present = libraries.of_runtime(12).present

    assert {"libc.so.6", "libz.so.1", "ld-linux-x86-64.so.2"} <= present
    assert not {"libmagic.so.1", "libexpat.so.1"} & present


def test_named_is_the_soname_of_a_short_name() -> None:
    system = libraries.of_runtime(12)

    assert [system.named(name) for name in ("magic", "c", "bran", "mag")] == ["libmagic.so.1", "libc.so.6", "", ""]


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["libmagic.so", "libmagic.so.1"], ("libmagic.so.1",)),
        (["libzbar.so"], ("libzbar.so.0",)),
        (["libcairo-2.dll", "libcairo-2.so", "libcairo.so.2"], ("libcairo.so.2",)),
        (["libbran.dylib", "libbran.so.3", "libbran.so"], ("libbran.so.3",)),
        (["bran.dll", "libbran.so"], ("bran.dll", "libbran.so")),
        (["libcairo"], ("libcairo",)),
        ([], ()),
    ],
)
def test_meant_are_the_known_libraries_among_names_of_other_systems(names: list[str], meant: tuple[str, ...]) -> None:
    assert libraries.of_runtime(12).meant(names) == meant


def test_soname_of_a_listed_library_is_its_own() -> None:
    assert libraries.of_runtime(12).soname("libsmime3.so") == "libsmime3.so"


@pytest.mark.parametrize(("minor", "glibcxx", "is_frozen"), [(11, (3, 4, 24), True), (12, (3, 4, 33), False)])
def test_newest_symbols_are_those_of_the_system(minor: int, glibcxx: tuple[int, ...], is_frozen: bool) -> None:
    system = libraries.of_runtime(minor)

    assert (system.newest["GLIBCXX"], system.is_frozen) == (glibcxx, is_frozen)


@pytest.mark.parametrize("minor", [11, 12])
def test_lists_have_a_source_and_a_date_and_share_no_name(minor: int) -> None:
    lists = libraries.of_runtime(minor).lists

    assert all(listing.source and isinstance(listing.date, date) for listing in lists)
    assert sum(len(listing.names) for listing in lists) == len(frozenset().union(*(listing.names for listing in lists)))
