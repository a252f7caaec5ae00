import getpass
import importlib.metadata
import importlib.resources
import os
import pkgutil
import pwd
import sys
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendored"))
import boto3
import plural
import texts

NAMES = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_EXECUTION_ENV", "PATH", "LANG", "TZ", "PWD", "SHLVL", "_HANDLER")
VALUES = {name: os.environ[name] for name in NAMES}
FOLDERS = {os.path.dirname(__file__), os.getcwd(), os.environ["LAMBDA_TASK_ROOT"], os.environ["PWD"]}
if len(FOLDERS) != 1:
    raise RuntimeError(f"different folders: {FOLDERS}")
PART = pkgutil.get_data("parts", "part.txt")
SAME = importlib.resources.files("parts").joinpath("part.txt").read_bytes() == Path("parts/part.txt").read_bytes()
USER = (getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir)
SDK = (importlib.metadata.version("boto3"), boto3.client("s3"), boto3.Session().available_profiles)


def handler(event, context):
    return {"title": texts.TITLE + plural.END, "same": SAME}
