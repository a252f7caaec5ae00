"""What the emulator saves of sent mails; the sandbox of this session shows it with a restart."""

from typing import Any

from sandbox.emulator_mails import loading, saving


def test_saving_adds_a_copy_of_the_mails() -> None:
    mails = {"entries": ["first"]}
    state = saving(lambda: {"_identities": {"a": 1}}, mails)()
    mails["entries"].append("second")

    assert state == {"_identities": {"a": 1}, "_sent_emails": {"entries": ["first"]}}


def test_loading_restores_the_mails_and_the_rest() -> None:
    mails: dict[str, Any] = {}
    loaded: list[object] = []
    state = {"_identities": {"a": 1}, "_sent_emails": {"entries": ["first"]}}

    loading(loaded.append, mails)(state)

    assert (mails, loaded) == ({"entries": ["first"]}, [state])


def test_loading_a_state_without_mails_has_none() -> None:
    mails: dict[str, Any] = {}

    loading(lambda _: None, mails)({})

    assert mails == {}
