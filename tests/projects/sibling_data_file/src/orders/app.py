import json
import os

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(FOLDER, "Prices", "rates.json")) as file:
    RATES = json.load(file)


def handler(event, context):
    return RATES
