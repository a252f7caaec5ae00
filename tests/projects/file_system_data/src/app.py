import xmltodict


def handler(event, context):
    return xmltodict.parse(event)
