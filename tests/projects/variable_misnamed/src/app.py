import os

NUMBER = int(os.environ.get("TABLE_NUMBER") or "none")


def handler(event, context):
    return NUMBER
