import subprocess


def handler(event, context):
    return subprocess.check_output(["git", "clone", event["url"], "/tmp/clone"])
