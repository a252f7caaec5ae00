from http.server import BaseHTTPRequestHandler


class Page(BaseHTTPRequestHandler):
    pass
