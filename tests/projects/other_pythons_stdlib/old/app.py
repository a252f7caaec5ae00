def handler(event, context):
    import tomllib

    return tomllib
