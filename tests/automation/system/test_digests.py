import hashlib

from automation.system import digests


def test_base64_of_is_the_form_of_s3_and_lambda() -> None:
    # Source: the ChecksumSHA256 that S3 answers for an object `hello`.
    sha256 = hashlib.sha256(b"hello").hexdigest()

    assert digests.base64_of(sha256) == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
