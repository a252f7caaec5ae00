from ctypes.util import find_library

from cffi import FFI

ffi = FFI()


def play(event):
    return ffi.dlopen(find_library("m")), ffi.dlopen("libc.so.6"), ffi.dlopen(event["library"])
