import rates

def handler(event, context):
    return {"rates": [rates.EUR]}
