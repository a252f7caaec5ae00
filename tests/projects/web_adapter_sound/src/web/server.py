from http.server import HTTPServer

from web import pages

HTTPServer(('', 8000), pages.Page).serve_forever()
