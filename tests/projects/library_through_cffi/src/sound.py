from ctypes.util import find_library

from cffi import FFI

ffi = FFI()


def play(event):
    return ffi.dlopen(find_library("expat")), FFI().dlopen("libGL.so.1")
