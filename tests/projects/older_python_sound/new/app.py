import tomllib

def handler(event, context):
    return tomllib.loads("a = 1")
