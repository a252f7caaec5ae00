"""GitHub's identity provider: created once per account, shared, never owned."""

import pytest

from automation.deploying.bootstrapping import provider
from automation.deploying.checks.hooks import Step, StepState
from tests.automation.deploying.bootstrapping.fake_providers import ARN, FakeProviders


def test_arn_of_an_account() -> None:
    assert provider.arn_of("aws", "123456789012") == ARN


@pytest.mark.parametrize(
    ("known", "what", "calls"),
    [
        ({}, "create it for https://token.actions.githubusercontent.com",
         ["create https://token.actions.githubusercontent.com"]),
        ({ARN: ["other"]}, "let it accept the audience sts.amazonaws.com", ["add sts.amazonaws.com"]),
    ],
    ids=["missing", "another audience"],
)  # fmt: skip
def test_ensure_does_what_look_announces(known: dict[str, list[str]], what: str, calls: list[str]) -> None:
    providers = FakeProviders(known)

    before = provider.look(ARN, providers)
    after = provider.ensure(ARN, providers)

    assert (before.state, before.what) == (StepState.DUE, what)
    done = Step(StepState.DONE, "identity provider of GitHub", "exists; the environments of the account share it")
    assert after == done
    assert before.where == done.where
    assert providers.calls == calls


def test_ensure_leaves_a_provider_that_exists_as_it_is() -> None:
    providers = FakeProviders({ARN: ["sts.amazonaws.com"]})

    assert provider.look(ARN, providers) == provider.ensure(ARN, providers)
    assert (provider.look(ARN, providers).state, providers.calls) == (StepState.DONE, [])
