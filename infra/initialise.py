"""`foi init`: store and Prefect server made ready for the pipeline, in one go.

Rule kept here: every part says what it found and did; doing it again changes nothing; a part that the store cannot do
is said, and stops no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.settings import Settings, variable_of
from infra.access import AccountsUnsupportedError, accounts_of, apply
from infra.alarms import set_up_alarms
from infra.deploy import deploy, open_api, set_up_pool
from infra.notify_store import RuleRefusedError, announce_by_webhook
from tasks.errors import ConfigurationError, FoiError

AS_IT_SHOULD_BE = "as it should be"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what is made ready.

    Attributes:
        ok: False when a person has to do it; `found` says what.
    """

    name: str
    found: str
    ok: bool = True


def initialise(settings: Settings) -> Iterator[Part]:
    """Make everything ready, part by part.

    Raises:
        ConfigurationError: an account or an address is missing, or was refused.
        TransientError: store or Prefect server did not answer.
    """
    if settings.prefect_api_url is None:
        raise ConfigurationError(f"{variable_of('prefect_api_url')}: missing.")
    yield from _store(settings)
    yield from _prefect(settings, settings.prefect_api_url)


def _store(settings: Settings) -> Iterator[Part]:
    admin, _ = accounts_of(settings)
    try:
        apply(settings)
    except AccountsUnsupportedError as error:
        yield Part("Buckets", AS_IT_SHOULD_BE)
        yield _left("Accounts and policies", error)
    else:
        yield Part("Buckets, accounts and policies", AS_IT_SHOULD_BE)
    if not settings.notification_arn:
        yield Part("Notifications of the store", f"no {variable_of('notification_arn')}; the watcher listens or lists")
        return
    try:
        changed = announce_by_webhook(
            settings.store_endpoint, settings.store_region, admin, settings.intake_bucket, settings.notification_arn
        )
    except RuleRefusedError as error:
        yield _left("Notifications of the store", error)
    else:
        yield _part("Notifications of the store", changed)


def _prefect(settings: Settings, api_url: str) -> Iterator[Part]:
    credential = settings.prefect_api_auth_string
    environment = {"PREFECT_API_URL": api_url}
    if credential:
        environment["PREFECT_API_AUTH_STRING"] = credential.get_secret_value()
    with open_api(environment) as api:
        yield _part("Work pool and queue", set_up_pool(api, settings.runs_at_once))
        yield _part("Deployments, trigger, schedule", deploy(api, environment))
        yield _part("Alarms", set_up_alarms(api, settings))


def _part(name: str, changed: bool) -> Part:
    return Part(name, "made or changed" if changed else AS_IT_SHOULD_BE)


def _left(name: str, error: FoiError) -> Part:
    return Part(name, f"{error} {error.action}", ok=False)
