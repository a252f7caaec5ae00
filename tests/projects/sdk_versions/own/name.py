from urllib3.util.ssl_ import DEFAULT_CIPHERS


def handler(event, context):
    return DEFAULT_CIPHERS
