import ctypes
import ctypes.util

LIBC = ctypes.CDLL("libc.so.6")
ITSELF = ctypes.CDLL(None)
ZLIB = ctypes.util.find_library("z")
try:
    CUDA = ctypes.CDLL("libcuda.so.1")
except OSError:
    CUDA = None


def handler(event, context):
    return ctypes.CDLL("libm.so.6").abs(-1), LIBC.getpid(), ITSELF, ZLIB, CUDA
