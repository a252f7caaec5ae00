import ctypes

EXPAT = ctypes.CDLL("libexpat.so.1")


def handler(event, context):
    return EXPAT.XML_ExpatVersion()
