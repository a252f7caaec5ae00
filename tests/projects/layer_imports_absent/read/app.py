import models


def handler(event, context):
    return models.NAME
