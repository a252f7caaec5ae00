from cffi import FFI

ffi = FFI()
ffi.cdef("int XML_GetCurrentLineNumber(void *parser);")
expat = ffi.dlopen("expat")


def handler(event, context):
    return expat.XML_GetCurrentLineNumber(ffi.NULL)
