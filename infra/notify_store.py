"""Tells the store to post a webhook for each `request.json` that arrives.

Rule kept here: one rule of ours, known by its name; rules of others in the same bucket stay as they are, and doing it
again changes nothing. Where the webhook goes is configured in the store itself, under the name (ARN) given here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flows.announce import REQUEST_FILE
from tasks.errors import ConfigurationError, StoreUnavailableError
from tasks.store import Account

RULE = "foi-disclosure"
_LISTS = ("QueueConfigurations", "TopicConfigurations", "LambdaFunctionConfigurations")
_TIMEOUT_S = 10


class RuleRefusedError(ConfigurationError):
    """The store knows no such target, or no notifications by rule at all."""

    code = "notification-rule-refused"
    message = "The object store refused the rule that posts a webhook for each request."
    action = "Give the webhook's name in the store as FOI_NOTIFICATION_ARN; or run `python -m flows.watch` instead."


def announce_by_webhook(endpoint: str, region: str, admin: Account, bucket: str, arn: str) -> bool:
    """Have the store post a webhook for each `request.json` in the bucket; returns whether anything changed.

    Args:
        endpoint: URL of the store.
        region: what the store calls its region.
        admin: an administrator's account.
        bucket: the intake bucket.
        arn: the webhook's name in the store: `arn:minio:sqs::NAME:webhook` with MinIO, `arn:rustfs:sqs::NAME:webhook`
            with RustFS, `arn:aws:sns:ZONEGROUP::TOPIC` with Ceph.

    Raises:
        RuleRefusedError: the store refused it.
        StoreUnavailableError: it did not answer.
    """
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=admin.access_key,
        aws_secret_access_key=admin.secret_key,
        config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, s3={"addressing_style": "path"}),
    )
    try:
        known = client.get_bucket_notification_configuration(Bucket=bucket)
        wanted = _with_ours(known, arn)
        if _shown(known) == _shown(wanted):
            return False
        client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    except ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if status in {0, 429} or (status >= 500 and status != 501):
            raise StoreUnavailableError(f"HTTP {status}.") from None
        raise RuleRefusedError(f"HTTP {status}.") from None
    except BotoCoreError as error:
        raise StoreUnavailableError(f"{type(error).__name__}.") from None
    return True


def _with_ours(known: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """What is known, with our rule in place of an older one of ours."""
    kept = {name: [rule for rule in known.get(name, ()) if rule.get("Id") != RULE] for name in _LISTS}
    topic = arn.split(":")[2:3] == ["sns"]
    ours = {
        "Id": RULE,
        "TopicArn" if topic else "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": REQUEST_FILE}]}},
    }
    kept["TopicConfigurations" if topic else "QueueConfigurations"].append(ours)
    return {name: rules for name, rules in kept.items() if rules}


def _shown(configuration: Mapping[str, Any]) -> list[str]:
    """The rules, in a form that two can be compared in: stores differ in order and in the case of names."""
    return sorted(
        repr((name, rule.get("Id"), rule.get("QueueArn"), rule.get("TopicArn"), rule.get("Events"), _filters(rule)))
        for name in _LISTS
        for rule in configuration.get(name, ())
    )


def _filters(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    rules = rule.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return sorted((one["Name"].lower(), one["Value"]) for one in rules)
