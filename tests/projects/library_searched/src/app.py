import scanner


def handler(event, context):
    return scanner.LIBRARY
