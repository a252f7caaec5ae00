"""Ask a person to confirm exactly one plan: ordinary changes with the environment's name, a danger with its resource.

--yes confirms ordinary changes in advance. A danger is only ever confirmed by name, with --allow.
"""

from collections.abc import Callable

from automation.deploying.changes.model import Assessment, Danger, Verdict
from automation.deploying.views import plan_view
from automation.project.environments import Consent, Environment
from automation.system.errors import CheckFailedError, Finding, UsageError


def require_possible(environment: Environment, *, yes: bool, is_interactive: bool, command: str = "deploy") -> None:
    """Refuse at once what must be confirmed when there is no terminal to confirm it on.

    Raises:
        UsageError: it must be confirmed, `yes` is not set, and there is no terminal.
    """
    if environment.consent is not Consent.NONE and not yes and not is_interactive:
        message = "must be confirmed, and there is no terminal to confirm it on; run it in a terminal, or add --yes"
        raise UsageError(message, where=f"{command} --env {environment.name}")


def require_allowed(assessment: Assessment, *, command: str) -> None:
    """Refuse a plan that is forbidden.

    Args:
        command: what the user typed, to which --allow can be added.

    Raises:
        CheckFailedError: there is one finding per danger that was not allowed by name.
    """
    if assessment.verdict is not Verdict.FORBIDDEN:
        return
    findings = [_finding(danger) for danger in assessment.dangers]
    options = plan_view.allow_options(assessment.dangers)
    advice = f"if that is what you want: {command} {options}" if options else "AWS would refuse it"
    raise CheckFailedError(f"forbidden; nothing was changed; {advice}", where=command, findings=findings)


def ask(assessment: Assessment, environment: Environment, *, yes: bool, ask: Callable[[str], str] | None) -> None:
    """Ask for the confirmation of a plan that is not forbidden.

    Args:
        yes: ordinary changes are confirmed.
        ask: asks a question on the terminal; None without one.

    Raises:
        UsageError: the answer does not confirm; nothing was changed.
    """
    name = environment.name
    if yes or ask is None or environment.is_sandbox:
        return

    confirm(f"change {name}", environment, ask=ask)
    for danger in assessment.allowed:
        _require(danger.resource, ask(f"{danger.what}. Type {danger.resource} to confirm:"), name)


def confirm(effect: str, environment: Environment, *, ask: Callable[[str], str]) -> None:
    """Ask to confirm an effect with the word of the environment, if it has one.

    Args:
        effect: what would be done, such as `change prod`.

    Raises:
        UsageError: the answer does not confirm; nothing was changed.
    """
    if environment.consent is not Consent.NONE:
        word = environment.name if environment.consent is Consent.WORD else "y"
        _require(word, ask(f"Type {word} to {effect}:"), environment.name)


def _require(word: str, answer: str, environment: str) -> None:
    # Exactly this word: an answer that merely resembles it must not change production.
    if answer != word:
        raise UsageError(f"cancelled: nothing was changed (type {word} to confirm)", where=f"--env {environment}")


def _finding(danger: Danger) -> Finding:
    fix = f"instead: {danger.fix}" if danger.fix else ""
    return Finding(danger.name, danger.what, fix)
