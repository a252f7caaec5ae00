import subprocess


def handler(event, context):
    return subprocess.run(["/var/task/bin/jp.py", "a.b"], input=event["text"], text=True, capture_output=True).stdout
