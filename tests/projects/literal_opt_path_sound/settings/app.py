import json

with open("/opt/settings.json") as file:
    SETTINGS = json.load(file)


def handler(event, context):
    return SETTINGS
