from src.orders import rates


def handler(event, context):
    return rates.RATE
