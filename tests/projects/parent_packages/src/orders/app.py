import src.orders.rates


def handler(event, context):
    return src.orders.rates.RATE
