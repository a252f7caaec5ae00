import logging
import os
import shutil
import sqlite3
import tempfile
import zipfile

HERE = os.environ["LAMBDA_TASK_ROOT"]
FOLDER = tempfile.mkdtemp()
logging.getLogger().addHandler(logging.FileHandler(os.path.join(FOLDER, "log.txt")))
sqlite3.connect(os.path.join(FOLDER, "data.db")).close()
sqlite3.connect(":memory:").close()
shutil.copytree(HERE, os.path.join(FOLDER, "copy"))
shutil.copy(os.path.join(HERE, "app.py"), FOLDER)
os.chmod(os.path.join(FOLDER, "app.py"), 0o755)
os.rename(os.path.join(FOLDER, "app.py"), os.path.join(FOLDER, "new.py"))
os.symlink(os.path.join(FOLDER, "new.py"), os.path.join(FOLDER, "link.py"))
os.utime(os.path.join(FOLDER, "new.py"))
with zipfile.ZipFile(os.path.join(FOLDER, "all.zip"), "w") as archive:
    archive.write(os.path.join(FOLDER, "new.py"), "new.py")
zipfile.ZipFile(os.path.join(FOLDER, "all.zip")).extractall(os.path.join(FOLDER, "out"))
shutil.rmtree(FOLDER)
try:
    os.makedirs(os.path.expanduser("~/.cache/files"))
except OSError:
    pass


def handler(event, context):
    return {}
