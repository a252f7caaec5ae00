from names import NAMES
from prices import PRICES


def handler(event, context):
    return {name: PRICES[name] for name in NAMES}
