"""Prepare a fresh emulated AWS account: the secrets and the verified sender addresses."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from automation.system.aws import client
from automation.system.targets import Target
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET, SECOND_KEY

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client

BROKER_SECRET = "/alchemiser/local/broker"  # noqa: S105 - the name of the secret, not the secret
SECOND_SOURCE_SECRET = "/alchemiser/local/second-source"  # noqa: S105 - likewise


def prepare_account(target: Target, *, senders: Iterable[str] = ()) -> None:
    """Create what the account lacks. Idempotent: existing resources keep their values.

    The kill switch is not created here: it belongs to the trading stack, which creates it enabled.

    Args:
        senders: mail addresses that the functions send from.
    """
    secrets: SecretsManagerClient = client("secretsmanager", target)
    _create_secret(secrets, BROKER_SECRET, {"key": SANDBOX_KEY, "secret": SANDBOX_SECRET})
    _create_secret(secrets, SECOND_SOURCE_SECRET, {"key": SECOND_KEY})

    for sender in senders:
        mail: SESV2Client = client("sesv2", target)
        try:
            mail.create_email_identity(EmailIdentity=sender)
        except mail.exceptions.AlreadyExistsException:
            continue


def _create_secret(secrets: "SecretsManagerClient", name: str, value: Mapping[str, str]) -> None:
    try:
        secrets.create_secret(Name=name, SecretString=json.dumps(value))
    except secrets.exceptions.ResourceExistsException:
        return
