"""`inv docs`: build the site, serve it, open it."""

import errno
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from invoke.collection import Collection

from automation.system import console, files
from automation.system.errors import ToolError, UsageError
from desk.documentation import site

FOLDER = ".alchemiser/site"
_HOST = "127.0.0.1"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and prints no line per request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Print nothing."""


def build(root: Path, namespace: Collection) -> Path:
    """Build the site, print where it is, and return its first page.

    Raises:
        CheckFailedError, ToolError: as `site.build`.
    """
    first_page = site.build(root, namespace, root / FOLDER)
    console.result(f"the site is {files.display_path(first_page)}")
    return first_page


def serve(folder: Path, port: int, *, is_opened: bool = False) -> None:
    """Serve a folder on loopback until Ctrl-C.

    Args:
        port: 0 lets the system choose one.
        is_opened: also open it in the browser.

    Raises:
        UsageError: that is not a port.
        ToolError: another program uses the port.
    """
    with make_server(folder, port) as server:
        url = f"http://{_HOST}:{server.server_port}/"
        console.result(f"the site is at {url}; Ctrl-C stops it")
        console.flush()
        if is_opened:
            open_page(url)
        server.serve_forever()


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server that listens, and serves nothing yet.

    Raises:
        UsageError, ToolError: as `serve`.
    """
    try:
        return ThreadingHTTPServer((_HOST, port), partial(QuietHandler, directory=str(folder)))
    except OverflowError as cause:
        raise UsageError(f"--port must be a number from 0 to 65535, got {port}", where="docs") from cause
    except OSError as cause:
        what = "is in use" if cause.errno == errno.EADDRINUSE else f"cannot be used: {cause.strerror}"
        raise ToolError(f"port {port} {what}; choose another one with --port", where="docs") from cause


def open_page(url: str) -> None:
    """Open a page in the browser."""
    webbrowser.open(url)
