from cffi import FFI

ffi = FFI()
ffi.cdef("int getpid(void);")
everything = ffi.dlopen(None)
libc = ffi.dlopen("c")


def handler(event, context):
    return libc.getpid() == everything.getpid()
