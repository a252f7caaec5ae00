"""The project's templates, parsed once; a test that changes them takes a copy."""

import pytest

from tests.templates.reading import Template, read_both


@pytest.fixture(scope="session")
def both() -> Template:
    return read_both()
