"""The distribution of a module is known for certain, or not named."""

import re
from importlib import metadata

import pytest

from automation.proof import distribution_names

# A wrong name would advise to install the package of a stranger, so each is here a second time.
REQUIREMENTS = """
    Crypto=pycryptodome Cryptodome=pycryptodomex IPython=ipython Levenshtein=Levenshtein MySQLdb=mysqlclient
    OpenSSL=pyOpenSSL PIL=pillow PyPDF2=PyPDF2 apiclient=google-api-python-client argon2=argon2-cffi attr=attrs
    attrs=attrs azure.core=azure-core azure.cosmos=azure-cosmos azure.identity=azure-identity
    azure.keyvault.secrets=azure-keyvault-secrets azure.servicebus=azure-servicebus
    azure.storage.blob=azure-storage-blob azure.storage.queue=azure-storage-queue barcode=python-barcode
    bs4=beautifulsoup4 bson=pymongo cerberus=Cerberus cv2=opencv-python-headless dateutil=python-dateutil
    datadog_lambda=datadog-lambda discord=discord.py dns=dnspython docx=python-docx dotenv=python-dotenv
    elasticapm=elastic-apm faiss=faiss-cpu fitz=PyMuPDF flask_cors=Flask-Cors fuzzywuzzy=fuzzywuzzy git=GitPython
    github=PyGithub gitlab=python-gitlab gnupg=python-gnupg google.api_core=google-api-core google.auth=google-auth
    google.cloud.bigquery=google-cloud-bigquery google.cloud.firestore=google-cloud-firestore
    google.cloud.logging=google-cloud-logging google.cloud.pubsub=google-cloud-pubsub
    google.cloud.pubsub_v1=google-cloud-pubsub google.cloud.secretmanager=google-cloud-secret-manager
    google.cloud.speech=google-cloud-speech google.cloud.storage=google-cloud-storage
    google.cloud.texttospeech=google-cloud-texttospeech google.cloud.translate=google-cloud-translate
    google.cloud.translate_v2=google-cloud-translate google.cloud.vision=google-cloud-vision
    google.genai=google-genai google.generativeai=google-generativeai google.oauth2=google-auth
    google.protobuf=protobuf google_auth_oauthlib=google-auth-oauthlib googleapiclient=google-api-python-client
    gremlin_python=gremlinpython gridfs=pymongo gtts=gTTS jose=python-jose jwt=PyJWT kafka=kafka-python
    ldap=python-ldap magic=python-magic multipart=python-multipart nacl=PyNaCl opensearchpy=opensearch-py
    opentelemetry.sdk=opentelemetry-sdk opentelemetry.trace=opentelemetry-api paho.mqtt=paho-mqtt pptx=python-pptx
    psycopg=psycopg[binary] psycopg2=psycopg2-binary pymupdf=PyMuPDF pythonjsonlogger=python-json-logger
    ruamel.yaml=ruamel.yaml serial=pyserial skimage=scikit-image sklearn=scikit-learn slugify=python-slugify
    snowflake.connector=snowflake-connector-python socks=PySocks speech_recognition=SpeechRecognition
    sqlalchemy=SQLAlchemy telegram=python-telegram-bot unidecode=Unidecode websocket=websocket-client
    werkzeug=Werkzeug yaml=PyYAML zmq=pyzmq pkg_resources=setuptools<82
"""
BROUGHT_BACK = """
    asynchat=pyasynchat asyncore=pyasyncore audioop=audioop-lts cgi=legacy-cgi cgitb=legacy-cgi distutils=setuptools
    aifc=standard-aifc chunk=standard-chunk imghdr=standard-imghdr mailcap=standard-mailcap nntplib=standard-nntplib
    pipes=standard-pipes sndhdr=standard-sndhdr sunau=standard-sunau telnetlib=standard-telnetlib uu=standard-uu
    xdrlib=standard-xdrlib
"""
REPLACED = """
    imp=importlib BaseHTTPServer=http.server ConfigParser=configparser Cookie=http.cookies HTMLParser=html.parser
    Queue=queue SocketServer=socketserver StringIO=io __builtin__=builtins cPickle=pickle cStringIO=io
    commands=subprocess cookielib=http.cookiejar copy_reg=copyreg httplib=http.client thread=_thread
    urllib2=urllib.request urlparse=urllib.parse xmlrpclib=xmlrpc.client
"""


def pairs(text: str) -> dict[str, str]:
    """Return the names before and after each first equals sign."""
    split = (entry.partition("=") for entry in text.split())
    return {name: value for name, _, value in split}


def test_of_module_knows_the_distributions_of_another_name() -> None:
    expected = pairs(REQUIREMENTS)

    assert {name: distribution_names.of_module(f"{name}.part") for name in expected} == expected


def test_removed_modules_are_known() -> None:
    expected, replaced = pairs(BROUGHT_BACK), pairs(REPLACED)

    assert {name: distribution_names.of_removed_module(name) for name in expected} == expected
    assert {name: distribution_names.replacement_of(name) for name in replaced} == replaced


@pytest.mark.parametrize(
    ("module", "requirement"),
    [
        ("pandas", "pandas"),
        ("pandas.io.json", "pandas"),
        ("aws_lambda_powertools.utilities", "aws-lambda-powertools"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("google.cloud", ""),
        ("google", ""),
        ("azure.storage.blob", "azure-storage-blob"),
        ("docx", "python-docx"),
        ("git", "GitPython"),
        ("pkg_resources", "setuptools<82"),
        ("yaml", "PyYAML"),
        ("nothing_that_anybody_knows", ""),
        ("invoke", "invoke"),
        ("importlib_resources_of_nobody", ""),
    ],
)
def test_of_module_is_certain_or_empty(module: str, requirement: str) -> None:
    assert distribution_names.of_module(module) == requirement


def test_of_modules_names_each_distribution_once() -> None:
    modules = ["google.cloud.storage", "google.cloud", "google.cloud.bigquery", "google.cloud.storage.blob"]

    assert distribution_names.of_modules(modules) == ("google-cloud-storage", "google-cloud-bigquery")


@pytest.mark.parametrize(
    ("name", "distribution", "replacement"),
    [
        ("cgi", "legacy-cgi", ""),
        ("telnetlib", "standard-telnetlib", ""),
        ("asyncore", "pyasyncore", ""),
        ("distutils", "setuptools", ""),
        ("imp", "", "importlib"),
        ("crypt", "", ""),
        ("json", "", ""),
    ],
)
def test_removed_modules_have_a_distribution_or_a_replacement(name: str, distribution: str, replacement: str) -> None:
    assert distribution_names.of_removed_module(name) == distribution
    assert distribution_names.replacement_of(name) == replacement


def test_table_agrees_with_what_is_installed_here() -> None:
    def normalised(name: str) -> str:
        return re.sub(r"[-_.]+", "-", re.split(r"[<\[]", name)[0]).lower()

    owners = {top: {normalised(name) for name in names} for top, names in metadata.packages_distributions().items()}
    known = {top: distribution_names.of_module(top) for top in owners if len(owners[top]) == 1}
    wrong = {top: name for top, name in known.items() if name and normalised(name) not in owners[top]}

    assert wrong == {}
    assert len([name for name in known.values() if name]) > 20
