def handler(event, context):
    import cgi
    import imp

    return cgi, imp
