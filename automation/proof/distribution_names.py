"""The distribution that provides a module, where that is known for certain: never a guess from the module's name."""

from collections.abc import Iterable
from functools import cache
from importlib import metadata

# Distributions whose modules have the distribution's own name, with `_` for `-`, in lower case.
# Source: the file lists of their wheels on the Python Package Index, as of 2026-11.
_SAME_NAME = frozenset(
    """
    aioboto3 aiobotocore aiofiles aiohttp aiomysql annotated-types anthropic anyio ariadne arrow asyncpg
    aws-durable-execution-sdk-python aws-encryption-sdk aws-lambda-powertools aws-requests-auth aws-xray-sdk
    awslambdaric awswrangler backoff bcrypt bleach boto3 botocore bottle cachetools cattrs certifi cffi
    cfnresponse chardet charset-normalizer click colorama confluent-kafka crhelper croniter cryptography datadog
    dateparser ddtrace decorator defusedxml duckdb dynamodb-json elasticsearch email-validator fastapi fastavro
    fastjsonschema feedparser filelock flask fsspec geopandas geopy gql graphene greenlet gspread gunicorn h11
    holidays html2text httpcore httpx hvac hypercorn icalendar idna imageio inflection isodate itsdangerous
    jinja2 jira jmespath joblib jsonpatch jsonpath-ng jsonpointer jsonschema kombu kubernetes langchain
    langchain-aws langchain-community langchain-core langchain-openai ldap3 lxml mako mangum markdown markupsafe
    marshmallow matplotlib mock moto msgpack multidict mypy-extensions neo4j networkx newrelic nltk num2words
    numpy oauthlib openai openpyxl oracledb orjson packaging pandas paramiko passlib patsy pdfplumber peewee
    pendulum pexpect pg8000 phonenumbers pluggy polars portalocker premailer prettytable psutil pyarrow pyasn1
    pycountry pycparser pydantic pydantic-core pydantic-settings pydub pygments pymongo pymssql pymysql pynamodb
    pyodbc pyotp pyparsing pypdf pypdf2 pyproj pytest pytz qrcode rapidfuzz rasterio redis regex reportlab
    requests requests-aws4auth requests-oauthlib requests-toolbelt responses retrying rich rsa s3fs s3transfer
    scipy seaborn selenium sendgrid sentry-sdk shapely shortuuid simple-salesforce simplejson six slack-bolt
    slack-sdk smart-open snapshot-restore-py sniffio sortedcontainers spacy sqlmodel starlette statsmodels
    stripe structlog sympy tabulate tenacity termcolor tiktoken tinydb tldextract toml tomli tomlkit toolz torch
    tornado tqdm transformers tweepy twilio typer typing-extensions typing-inspection tzdata tzlocal ujson
    uritemplate urllib3 uvicorn validators voluptuous watchtower wcmatch websockets wrapt xlrd xlsxwriter
    xmltodict xxhash yarl zeep zipp
    """.split()  # noqa: SIM905 - one name a line would fill the file
)
# Modules whose distribution has another name. The longest name that contains a module decides.
# Source: as above.
_OTHER_NAME = {
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "IPython": "ipython",
    "Levenshtein": "Levenshtein",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "PyPDF2": "PyPDF2",
    "apiclient": "google-api-python-client",
    "argon2": "argon2-cffi",
    "attr": "attrs",
    "attrs": "attrs",
    "azure.core": "azure-core",
    "azure.cosmos": "azure-cosmos",
    "azure.identity": "azure-identity",
    "azure.keyvault.secrets": "azure-keyvault-secrets",
    "azure.servicebus": "azure-servicebus",
    "azure.storage.blob": "azure-storage-blob",
    "azure.storage.queue": "azure-storage-queue",
    "barcode": "python-barcode",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cerberus": "Cerberus",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "datadog_lambda": "datadog-lambda",
    "discord": "discord.py",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "elasticapm": "elastic-apm",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "flask_cors": "Flask-Cors",
    "fuzzywuzzy": "fuzzywuzzy",
    "git": "GitPython",
    "github": "PyGithub",
    "gitlab": "python-gitlab",
    "gnupg": "python-gnupg",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.logging": "google-cloud-logging",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.speech": "google-cloud-speech",
    "google.cloud.storage": "google-cloud-storage",
    "google.cloud.texttospeech": "google-cloud-texttospeech",
    "google.cloud.translate": "google-cloud-translate",
    "google.cloud.translate_v2": "google-cloud-translate",
    "google.cloud.vision": "google-cloud-vision",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google_auth_oauthlib": "google-auth-oauthlib",
    "googleapiclient": "google-api-python-client",
    "gremlin_python": "gremlinpython",
    "gridfs": "pymongo",
    "gtts": "gTTS",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "opensearchpy": "opensearch-py",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.trace": "opentelemetry-api",
    "paho.mqtt": "paho-mqtt",
    "pptx": "python-pptx",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "pymupdf": "PyMuPDF",
    "pythonjsonlogger": "python-json-logger",
    "ruamel.yaml": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "snowflake.connector": "snowflake-connector-python",
    "socks": "PySocks",
    "speech_recognition": "SpeechRecognition",
    "sqlalchemy": "SQLAlchemy",
    "telegram": "python-telegram-bot",
    "unidecode": "Unidecode",
    "websocket": "websocket-client",
    "werkzeug": "Werkzeug",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
    # setuptools has no pkg_resources since version 82.
    "pkg_resources": "setuptools<82",
}
# What replaces a module that the standard library no longer has: a distribution that brings it back, or a module.
# Source: "What's New in Python 3.12" and "3.13", and the wheels of these distributions, as of 2026-11.
_BROUGHT_BACK = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "audioop": "audioop-lts",
    "cgi": "legacy-cgi",
    "cgitb": "legacy-cgi",
    "distutils": "setuptools",
} | {
    name: f"standard-{name}"
    for name in "aifc chunk imghdr mailcap nntplib pipes sndhdr sunau telnetlib uu xdrlib".split()  # noqa: SIM905
}
_REPLACED_BY = {"imp": "importlib"}
# The standard library of Python 2, and where Python 3 has it. Source: "What's New in Python 3.0", PEP 3108.
PYTHON_2 = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SocketServer": "socketserver",
    "StringIO": "io",
    "__builtin__": "builtins",
    "cPickle": "pickle",
    "cStringIO": "io",
    "commands": "subprocess",
    "cookielib": "http.cookiejar",
    "copy_reg": "copyreg",
    "httplib": "http.client",
    "thread": "_thread",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "xmlrpclib": "xmlrpc.client",
}


def of_modules(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements that provide modules, each once; without those that are not known for certain."""
    return tuple(dict.fromkeys(name for name in map(of_module, modules) if name))


def of_module(module: str) -> str:
    """Return the requirement that provides a module; empty where it is not known for certain."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    known = next((_OTHER_NAME[name] for name in names if name in _OTHER_NAME), "")
    if known:
        return known
    same = parts[0].replace("_", "-")
    return same if same in _SAME_NAME else _of_installed(parts[0])


def of_removed_module(name: str) -> str:
    """Return the distribution that brings a removed module of the standard library back; empty when none does."""
    return _BROUGHT_BACK.get(name, "")


def replacement_of(name: str) -> str:
    """Return the module to use instead of a removed module of the standard library; empty when none is known."""
    return _REPLACED_BY.get(name, "") or PYTHON_2.get(name, "")


def _of_installed(top: str) -> str:
    """Return the only installed distribution that has a top-level module; a namespace package belongs to nobody."""
    owners = set(_installed().get(top, ()))
    if len(owners) != 1:
        return ""
    (owner,) = owners
    files = {str(path) for path in metadata.files(owner) or ()}
    is_whole = f"{top}.py" in files or f"{top}/__init__.py" in files
    return owner if is_whole else ""


@cache
def _installed() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())
