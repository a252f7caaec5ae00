from importlib import resources

from .. import RATE
from ..money import price
from . import texts

GREETING = resources.files(texts).joinpath("hello.txt").read_text(encoding="utf-8")


def handler(event, context):
    return GREETING, price(RATE)
