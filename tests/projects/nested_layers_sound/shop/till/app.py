import names
import prices


def handler(event, context):
    return names.NAME, prices.PRICE
