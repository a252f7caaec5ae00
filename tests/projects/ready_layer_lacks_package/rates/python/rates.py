import idna


def of(host):
    return idna.encode(host)
