"""What each stack would become: a template in the bucket, its code and its parameters. From a build, or a release."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from automation.building import built
from automation.deploying import bootstrap_stack, stack_inputs
from automation.deploying.releases.records import Release, ReleasedStack
from automation.deploying.scope import Scope
from automation.deploying.stacks import sam_packages, uploads
from automation.project.environments import StackSettings
from automation.system.errors import ConfigurationError

_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one stack would become.

    Attributes:
        settings: the stack and its parameters, those included that are NoEcho.
        released: the same, as a release records it.
        template: before SAM's transform, with the locations of the code in S3.
        url: where CloudFormation reads the template; empty for one that is sent along.
    """

    settings: StackSettings
    released: ReleasedStack
    template: Mapping[str, Any]
    url: str


def digests(scope: Scope) -> dict[str, str]:
    """Return the digest of what the last build would deploy, by the stack's name in the account. It reads every zip.

    It leaves out the parameters that a person is asked for: they belong to the environment, not to the release.
    """
    return {
        settings.stack_name: stack_inputs.deployment_digest(
            built.deployed_template(settings.stack, scope.root),
            {name: value for name, value in settings.parameters.items() if name not in settings.asked},
        )
        for settings in scope.stacks
    }


def of_build(
    scope: Scope,
    cloud: uploads.Cloud,
    store: uploads.Store,
    *,
    digests: Mapping[str, str],
    stamp: Mapping[str, str],
) -> tuple[Candidate, ...]:
    """Upload the last build, and return what each stack would become, in the order of deployment.

    Args:
        digests: those of `digests`, which take longer to compute than all else here.
        stamp: for the templates; see uploads.upload.

    Raises:
        ConfigurationError: the bucket cannot be used.
        DeploymentError: AWS did not answer.
        ToolError: SAM failed.
    """
    return tuple(
        _of_build(settings, scope, cloud, store, digest=digests[settings.stack_name], stamp=stamp)
        for settings in scope.stacks
    )


def with_sizes(
    candidates: Sequence[Candidate],
    contents: Mapping[str, Mapping[str, Mapping[str, int]]],
    mounts: Mapping[str, Mapping[str, Sequence[str]]],
) -> tuple[Candidate, ...]:
    """Return the candidates with what their releases record about sizes.

    Args:
        contents: of ReleasedStack, by the stack's name in pyproject.toml.
        mounts: the same.
    """
    return tuple(
        replace(
            candidate,
            released=replace(
                candidate.released,
                contents=contents.get(candidate.released.stack, {}),
                mounts=mounts.get(candidate.released.stack, {}),
            ),
        )
        for candidate in candidates
    )


def of_release(scope: Scope, stacks: Sequence[ReleasedStack], store: uploads.Store) -> tuple[Candidate, ...]:
    """Return what the stacks of a release were, in the given order, but with the present values of asked parameters.

    Raises:
        ConfigurationError: the project does not have one of the stacks any more.
        DeploymentError: S3 did not answer, or a template is gone.
    """
    settings_by_name = {settings.stack_name: settings for settings in scope.stacks}
    candidates = []
    for released in stacks:
        if released.stack_name not in settings_by_name:
            message = f"{released.stack_name} is not a stack of {scope.environment.name} any more"
            raise ConfigurationError(f"{message}; check out the commit of the release, and run inv rollback there")
        bucket, key = location(released.template)
        template = json.loads(store.read(bucket, key))
        settings = settings_by_name[released.stack_name]
        candidates.append(_of_release(settings, released, template, store.url(bucket, key)))
    return tuple(candidates)


def missing_artifacts(release: Release, store: uploads.Store) -> tuple[str, ...]:
    """Return the S3 locations of a release's templates and zips that do not exist any more.

    Raises:
        DeploymentError: S3 did not answer.
    """
    missing: list[str] = []
    for stack in release.stacks:
        bucket, key = location(stack.template)
        folder = key.rpartition("/")[0]
        keys = {key: Path(key).stem}
        for sha256 in stack.code.values():
            keys[f"{folder}/{sha256}.zip" if folder else f"{sha256}.zip"] = sha256
        missing += [
            f"{_SCHEME}{bucket}/{name}" for name, sha256 in keys.items() if not store.has(bucket, name, sha256=sha256)
        ]
    return tuple(missing)


def location(text: str) -> tuple[str, str]:
    """Return bucket and key of a location such as `s3://bucket/key`."""
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    return bucket, key


def _of_build(
    settings: StackSettings,
    scope: Scope,
    cloud: uploads.Cloud,
    store: uploads.Store,
    *,
    digest: str,
    stamp: Mapping[str, str],
) -> Candidate:
    root, target = scope.root, scope.target
    path = built.deployed_template(settings.stack, root)
    bucket = uploads.code_bucket(
        settings,
        cloud=cloud,
        store=store,
        bootstrap_stack=bootstrap_stack.name_of(scope.name_patterns),
        create_managed=partial(sam_packages.create_managed_bucket, root, target),
    )
    package = partial(sam_packages.package, path, bucket, root=root, target=target)
    upload = uploads.upload(path, bucket, store, stamp=stamp, package=package)

    definitions = upload.template.get("Parameters") or {}
    zips = uploads.local_zips(_packed(path), path.parent)
    released = ReleasedStack(
        stack=settings.stack.name,
        stack_name=settings.stack_name,
        digest=digest,
        template=f"{_SCHEME}{bucket.name}/{upload.key}",
        parameters=stack_inputs.visible_parameters(settings.parameters, definitions),
        code=upload.code_digests,
        sizes={name: zip_path.stat().st_size for name, zip_path in zips.items()},
    )
    return Candidate(settings, released, upload.template, upload.url)


def _of_release(settings: StackSettings, released: ReleasedStack, template: Mapping[str, Any], url: str) -> Candidate:
    definitions = template.get("Parameters") or {}
    asked = {name: value for name, value in settings.parameters.items() if name in settings.asked}
    kept = {name: value for name, value in asked.items() if name in definitions}
    parameters = {**released.parameters, **kept}
    visible = stack_inputs.visible_parameters(parameters, definitions)
    return Candidate(replace(settings, parameters=parameters), replace(released, parameters=visible), template, url)


def _packed(path: Path) -> Mapping[str, Any]:
    """Return a packed template; one without resources for a template that names folders."""
    content: Mapping[str, Any] = json.loads(path.read_text()) if path.suffix == ".json" else {"Resources": {}}
    return content
