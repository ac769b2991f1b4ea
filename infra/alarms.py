"""What somebody is told of: Prefect automations, declared here and applied by `foi init` and `foi up`.

Rule kept here: a message holds references, states, dates and counts, and nothing of a record. An alarm that fires is an
event in Prefect (`prefect.automation.triggered`) even where nobody is to be told; with a webhook, a mail server or a
notification block in the settings, it goes there too. An alarm that an operator switched off stays off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flows.settings import Settings, variable_of
from infra.deploy import PrefectApi
from tasks.codec import fingerprint
from tasks.errors import ConfigurationError

BLOCK = "foi-notifications"
MAIL_BLOCK = "foi-mail"
ANY_SERVICE = "slack-webhook"
"""Prefect has no block for SMTP. This one hands any URL that is not Slack's to Apprise, which speaks SMTP."""

SWEEP_MISSING_AFTER = timedelta(hours=26)

_OUR_RUNS = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.foi"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to tell.

    Attributes:
        name: of the automation.
        says: the message, a Jinja template over Prefect's `event`; plain text without quotes or line breaks.
        event: what fires it; for `missing_for`, what keeps it from firing.
        resource: which resources' events.
        related: which related resources they must have.
        missing_for: it fires when the event has not come for so long.
    """

    name: str
    says: str
    event: str
    resource: Mapping[str, str]
    related: Mapping[str, str] = field(default_factory=dict)
    missing_for: timedelta | None = None

    @property
    def trigger(self) -> dict[str, Any]:
        """As Prefect takes it."""
        return {
            "type": "event",
            "posture": "Proactive" if self.missing_for else "Reactive",
            "match": dict(self.resource),
            "match_related": dict(self.related),
            "expect": [self.event],
            "for_each": [] if self.missing_for else ["prefect.resource.id"],
            "threshold": 1,
            "within": self.missing_for.total_seconds() if self.missing_for else 0,
        }


def alarms(sweep_missing_after: timedelta = SWEEP_MISSING_AFTER) -> tuple[Alarm, ...]:
    """All of them."""
    runs = {"prefect.resource.id": "prefect.flow-run.*"}
    hours = sweep_missing_after.total_seconds() / 3600
    return (
        Alarm(
            "foi-quarantined",
            "{{ event.resource.name }} is quarantined: its request.json or all its records were rejected.",
            "prefect.flow-run.Quarantined",
            runs,
            _OUR_RUNS,
        ),
        Alarm(
            "foi-blocked",
            "The gate found a leak in an output of {{ event.resource.name }}. Nothing left. Do not release.",
            "prefect.flow-run.Blocked",
            runs,
            _OUR_RUNS,
        ),
        Alarm(
            "foi-due-soon",
            "{{ event.resource.get('reference') }} is {{ event.payload.state }} and due on {{ event.payload.due }}: "
            "{% if event.payload.days_left < 0 %}{{ -event.payload.days_left }} working days overdue."
            "{% else %}{{ event.payload.days_left }} working days left.{% endif %}",
            "foi.request.due-soon",
            {"prefect.resource.id": "foi.request.*"},
        ),
        Alarm(
            "foi-sweep-missing",
            f"No sweep has finished for {hours:g} hours: check worker, Prefect server and store.",
            "foi.sweep.finished",
            {"prefect.resource.id": "foi.sweep"},
            missing_for=sweep_missing_after,
        ),
        Alarm(
            "foi-not-started",
            "An upload could not start a run. The sweep will find it; look at the event in Prefect for the reason.",
            "prefect.automation.action.failed",
            {"prefect.resource.name": "process-on-submission"},
        ),
    )


def set_up_alarms(api: PrefectApi, settings: Settings, wanted: tuple[Alarm, ...] | None = None) -> bool:
    """Make the automations and what they notify; whether anything changed.

    Raises:
        ConfigurationError: the block that the settings name is not there; or Prefect refused.
    """
    actions, changed = _actions(api, settings)
    known = {automation["name"]: automation for automation in api.ask("POST", "/automations/filter", {"limit": 200})}
    for alarm in alarms() if wanted is None else wanted:
        does = [{**action, **{slot: _filled(text, alarm) for slot, text in slots.items()}} for action, slots in actions]
        tags = ["foi", f"foi-{fingerprint(alarm.name, alarm.says, alarm.trigger, does)[:16]}"]
        body = {
            "name": alarm.name,
            "description": "Made by foi init.",
            "tags": tags,
            "trigger": alarm.trigger,
            "actions": does or [{"type": "do-nothing"}],
        }
        there = known.get(alarm.name)
        if there is None:
            api.ask("POST", "/automations/", {**body, "enabled": True})
        elif set(tags) != set(there["tags"]):
            api.ask("PUT", f"/automations/{there['id']}", {**body, "enabled": there["enabled"]})
        else:
            continue
        changed = True
    return changed


def _filled(text: str, alarm: Alarm) -> str:
    return text.replace("SAYS", alarm.says).replace("NAME", alarm.name)


def _actions(api: PrefectApi, settings: Settings) -> tuple[list[tuple[dict[str, Any], dict[str, str]]], bool]:
    """What an alarm does, each with the texts it sends; and whether a block was made or changed."""
    actions: list[tuple[dict[str, Any], dict[str, str]]] = []
    changed = False
    told = {"subject": "NAME", "body": "SAYS"}
    if url := settings.notify_webhook_url.get_secret_value():
        data = {"method": "POST", "url": url, "headers": {"content-type": "application/json"}}
        block, changed = _block(api, "webhook", BLOCK, data)
        payload = '{"alarm": "NAME", "text": "SAYS"}'
        actions.append(({"type": "call-webhook", "block_document_id": block}, {"payload": payload}))
    if url := settings.notify_mail_url.get_secret_value():
        block, made = _block(api, ANY_SERVICE, MAIL_BLOCK, {"url": _mail_url(url)})
        changed |= made
        actions.append(({"type": "send-notification", "block_document_id": block}, told))
    if settings.notify_block:
        slug, _, name = settings.notify_block.partition("/")
        found = api.ask("GET", f"/block_types/slug/{slug}/block_documents/name/{name}")
        if found is None:
            raise ConfigurationError(f"{variable_of('notify_block')}: Prefect has no such block.")
        actions.append(({"type": "send-notification", "block_document_id": found["id"]}, told))
    return actions, changed


def _mail_url(url: str) -> str:
    if not url.startswith(("mailto://", "mailtos://")):
        raise ConfigurationError(f"{variable_of('notify_mail_url')} must begin with mailtos:// or mailto://.")
    return url


def _block(api: PrefectApi, kind: str, name: str, data: Mapping[str, Any]) -> tuple[str, bool]:
    """Id of the block that holds an address, which Prefect keeps encrypted; and whether it was made or changed."""
    known = api.ask("GET", f"/block_types/slug/{kind}/block_documents/name/{name}?include_secrets=true")
    if known is None:
        type_id = api.ask("GET", f"/block_types/slug/{kind}")["id"]
        schemas = api.ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [type_id]}}})
        body = {"name": name, "data": data, "block_type_id": type_id, "block_schema_id": schemas[0]["id"]}
        return str(api.ask("POST", "/block_documents/", body)["id"]), True
    if {part: known["data"].get(part) for part in data} == data:
        return str(known["id"]), False
    api.ask("PATCH", f"/block_documents/{known['id']}", {"data": data, "merge_existing_data": True})
    return str(known["id"]), True
