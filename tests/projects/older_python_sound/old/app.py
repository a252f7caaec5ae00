import binhex
from distutils.version import LooseVersion


def handler(event, context):
    return {"new": LooseVersion("1.10") > LooseVersion("1.9"), "binhex": binhex.LINELEN}
