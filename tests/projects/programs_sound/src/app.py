import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def handler(event, context):
    subprocess.run(["ls", "/tmp"], check=True)
    subprocess.run([sys.executable, "-c", "print(1)"], check=True)
    shutil.copy(HERE / "data.sh", "/tmp/data.sh")
    subprocess.run(["/bin/sh", "/tmp/data.sh"], check=True)
    try:
        subprocess.run(["git", "--version"], check=True)
    except FileNotFoundError:
        pass
    return subprocess.run([HERE / "tool.sh"], check=True, capture_output=True, text=True).stdout
