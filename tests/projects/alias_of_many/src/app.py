import common


def read(event, context):
    return common.NAME


write = sort = send = read
