"""Numbers and sizes in words."""

import pytest

from automation.system import holdings


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1234567, "1,234,567 items")]
)
def test_count_has_a_noun_and_separators(number: int, text: str) -> None:
    assert holdings.count(number, "item") == text


def test_count_of_a_noun_in_y() -> None:
    assert [holdings.count(number, "queue policy") for number in (1, 2)] == ["1 queue policy", "2 queue policies"]


def test_count_that_is_not_exact_says_so() -> None:
    assert holdings.count(2, "item", at_least="about") == "about 2 items"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_000, "999.0 kB"),
        (1_000_000, "1.0 MB"),
        (4_500_000_000, "4.5 GB"),
        (2_000_000_000_000, "2.0 TB"),
        (3_000_000_000_000_000, "3000.0 TB"),
    ],
)
def test_size_has_the_unit_that_fits(size_bytes: int, text: str) -> None:
    assert holdings.size(size_bytes) == text
