import asyncio
import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

logging.basicConfig(level="INFO", force=True)
sys.stdout.reconfigure(line_buffering=True)
signal.signal(signal.SIGTERM, lambda number, frame: None)
atexit.register(print)
threading.Thread(target=time.sleep, args=(60,)).start()
SQUARES = list(ThreadPoolExecutor(4).map(abs, range(9)))
asyncio.run(asyncio.sleep(0))
VERSION = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True).stdout
subprocess.Popen(["sleep", "60"])
print("started", file=open(os.devnull, "w"))


def handler(event, context):
    return {"squares": SQUARES}
