"""The topics as an AsyncAPI 3.0 document: who writes what to which topic, with which key.

Retention here is what the contract promises to readers; deployments may keep more.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.topics import (
    CONTROL,
    DEAD_LETTERS,
    DECISIONS,
    EVENTS,
    INSIGHTS,
    LOG,
    MAIL,
    ONE_PARTITION,
    PROFILES,
    REPORTS,
    RETENTION_DAYS,
    STATE,
    TRIGGERS,
)

PREFIX: Final = "wechat."
DAY_MS: Final = 86_400_000
_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_USER_KEY: Final = "The user id."
LOG_RECORDS: Final = ("genesis", "event", "rejected", "tick", "mail", "control")


class _Channel(NamedTuple):
    topic: str
    description: str
    key: str
    messages: tuple[str, ...]  # names of schema files
    internal: bool = False


def _channels(event_types: list[str]) -> list[_Channel]:
    return [
        _Channel(
            EVENTS,
            "What producers write: one event per record, any partition. Write what concerns one "
            "person with one key, so that it stays in order.",
            "The subject; any key will do.",
            tuple(f"events/{name}" for name in event_types),
        ),
        *(
            _Channel(
                topic,
                f"Triggers of the kind {kind} for push services. Read committed; trigger_id is the "
                "idempotency key; drop a trigger after expires_at_ms.",
                _USER_KEY,
                (f"trigger.{kind}",),
            )
            for kind, topic in TRIGGERS.items()
        ),
        _Channel(
            DECISIONS,
            "One record for each match of an entry condition and each due step. Read committed.",
            _USER_KEY,
            ("decision",),
        ),
        _Channel(
            PROFILES,
            "The 用户画像 of each user. Read committed; a tombstone means: forget this user.",
            _USER_KEY,
            ("profile",),
        ),
        _Channel(
            DEAD_LETTERS,
            "What could not be taken in, with the reason. Read committed.",
            "The dead letter's id.",
            ("dead-letter",),
        ),
        _Channel(
            CONTROL,
            "Commands of operators and marketers: journeys, policy, content, pauses. One "
            "partition; its records must go on to every log. Write with `streams journey publish` "
            "and its like, which wait until every partition has answered.",
            "None.",
            ("command",),
        ),
        _Channel(
            REPORTS,
            "Which commands took effect in each partition, and what came of each journey: sums "
            "since it began, of which the latest per partition and journey count. Read committed.",
            "The partition's number.",
            ("report.applied", "report.journey"),
        ),
        _Channel(
            INSIGHTS,
            "What models found out: people who changed their segment, alerts, forecasts of demand. "
            "Read committed.",
            "The user id; the name of what it is about where it is about nobody.",
            ("insight.segment", "insight.alert", "insight.forecast"),
        ),
        _Channel(
            LOG,
            "Ours: the only input of a decision. Its first record is a genesis.",
            "None.",
            tuple(f"log.{name}" for name in LOG_RECORDS),
            internal=True,
        ),
        _Channel(MAIL, "Ours: to another partition.", "The target.", ("log.mail",), True),
        _Channel(STATE, "Ours: rows of state, binary.", "The row's key.", (), True),
    ]


def document(event_types: list[str]) -> str:
    """The AsyncAPI document as YAML."""
    channels = _channels(event_types)
    made = {
        "asyncapi": "3.0.0",
        "id": "urn:wechat-streams:1:asyncapi",
        "info": {
            "title": "wechat-streams",
            "version": "1.0.0",
            "description": "WeChat events in, the right trigger for the right person out.",
        },
        "defaultContentType": "application/json",
        "channels": {_name(channel): _channel(channel) for channel in channels},
        "operations": {
            f"{_action(channel)}-{_name(channel)}": {
                "action": _action(channel),
                "channel": {"$ref": f"#/channels/{_name(channel)}"},
            }
            for channel in channels
            if not channel.internal
        },
    }
    return "\n".join(_yaml(made)) + "\n"


def _action(channel: _Channel) -> str:
    """What we do: producers and operators write what we receive."""
    return "receive" if channel.topic in (EVENTS, CONTROL) else "send"


def _name(channel: _Channel) -> str:
    return channel.topic.replace(".", "-")


def _channel(channel: _Channel) -> dict[str, Any]:
    days = RETENTION_DAYS[channel.topic]
    if days is None:
        kept: dict[str, Any] = {"cleanup.policy": ["compact"]}
    else:
        kept = {"cleanup.policy": ["delete"], "retention.ms": days * DAY_MS}
    topic: dict[str, Any] = {"topic": PREFIX + channel.topic}
    if channel.topic in ONE_PARTITION:
        topic["partitions"] = 1
    made: dict[str, Any] = {
        "address": PREFIX + channel.topic,
        "description": channel.description,
        "bindings": {
            "kafka": topic | {"topicConfiguration": kept, "bindingVersion": "0.5.0"},
        },
    }
    if channel.internal:
        made["x-internal"] = True
    if channel.messages:
        made["messages"] = {
            _message_name(name): {
                "name": _message_name(name),
                "payload": {"schemaFormat": _SCHEMA, "schema": {"$ref": f"./{name}.json"}},
                "bindings": {
                    "kafka": {
                        "key": {"type": "string", "description": channel.key},
                        "bindingVersion": "0.5.0",
                    }
                },
            }
            for name in channel.messages
        }
    return made


def _message_name(schema: str) -> str:
    return schema.rpartition("/")[2].replace(".", "-")


def _yaml(value: dict[str, Any], indent: str = "") -> list[str]:
    """Block YAML whose scalars and lists are JSON: enough here, and the same on every machine."""
    lines: list[str] = []
    for key, item in value.items():
        name = key if _PLAIN.fullmatch(key) else _scalar(key)
        if isinstance(item, dict):
            lines += [f"{indent}{name}:", *_yaml(item, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {_scalar(item)}")
    return lines


def _scalar(value: Any) -> str:
    return msgspec.json.encode(value).decode()
