import docopt


def handler(event, context):
    return docopt.__version__
