"""The distribution of a module is known for certain, or not named."""

import re
from importlib import metadata

import pytest

from automation.proof import distribution_names


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
