import pytest


def test_app():
    pytest.skip()
