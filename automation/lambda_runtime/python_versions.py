"""The system below each Python of Lambda. The Python that runs this process is `tools.own_python_version`."""

_FIRST_ON_AMAZON_LINUX_2023 = 12
_GLIBC_OF_AMAZON_LINUX_2 = 26
_GLIBC_OF_AMAZON_LINUX_2023 = 34


def glibc_minor(python_minor: int) -> int:
    """Return the 34 of glibc 2.34, which the runtime of Python 3.`python_minor` has.

    Source: AWS Lambda runtimes; python3.12 and later run on Amazon Linux 2023, earlier ones on Amazon Linux 2.
    """
    if python_minor >= _FIRST_ON_AMAZON_LINUX_2023:
        return _GLIBC_OF_AMAZON_LINUX_2023
    return _GLIBC_OF_AMAZON_LINUX_2
