"""The topics as an AsyncAPI 3.0 document: who writes what to which topic, with which key.

Retention here is what the contract promises to readers; deployments may keep more.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.topics import (
    DEAD_LETTERS,
    DECISIONS,
    EVENTS,
    LOG,
    MAIL,
    PROFILES,
    STATE,
    TRIGGERS,
)

PREFIX: Final = "wechat."
DAY_MS: Final = 86_400_000
_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_USER_KEY: Final = "The user id."


class _Channel(NamedTuple):
    topic: str
    description: str
    key: str
    retention_ms: int | None  # None: compacted
    messages: tuple[str, ...]  # names of schema files
    internal: bool = False


def _channels(event_types: list[str]) -> list[_Channel]:
    return [
        _Channel(
            EVENTS,
            "What producers write: one event per record, any partition. Write what concerns one "
            "person with one key, so that it stays in order.",
            "The subject; any key will do.",
            3 * DAY_MS,
            tuple(f"events/{name}" for name in event_types),
        ),
        *(
            _Channel(
                topic,
                f"Triggers of the kind {kind} for push services. Read committed; trigger_id is the "
                "idempotency key; drop a trigger after expires_at_ms.",
                _USER_KEY,
                7 * DAY_MS,
                (f"trigger.{kind}",),
            )
            for kind, topic in TRIGGERS.items()
        ),
        _Channel(
            DECISIONS,
            "One record for each match of an entry condition and each due step. Read committed.",
            _USER_KEY,
            90 * DAY_MS,
            ("decision",),
        ),
        _Channel(
            PROFILES,
            "The 用户画像 of each user. Read committed; a tombstone means: forget this user.",
            _USER_KEY,
            None,
            ("profile",),
        ),
        _Channel(
            DEAD_LETTERS,
            "What could not be taken in, with the reason. Read committed.",
            "The dead letter's id.",
            14 * DAY_MS,
            ("dead-letter",),
        ),
        _Channel(
            LOG,
            "Ours: the only input of a decision. Its first record is a genesis.",
            "None.",
            35 * DAY_MS,
            tuple(f"log.{name}" for name in ("genesis", "event", "rejected", "tick", "mail")),
            internal=True,
        ),
        _Channel(
            MAIL, "Ours: to another partition.", "The target.", 7 * DAY_MS, ("log.mail",), True
        ),
        _Channel(STATE, "Ours: rows of state, binary.", "The row's key.", None, (), True),
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
            f"{'receive' if channel.topic == EVENTS else 'send'}-{_name(channel)}": {
                "action": "receive" if channel.topic == EVENTS else "send",
                "channel": {"$ref": f"#/channels/{_name(channel)}"},
            }
            for channel in channels
            if not channel.internal
        },
    }
    return "\n".join(_yaml(made)) + "\n"


def _name(channel: _Channel) -> str:
    return channel.topic.replace(".", "-")


def _channel(channel: _Channel) -> dict[str, Any]:
    if channel.retention_ms is None:
        kept: dict[str, Any] = {"cleanup.policy": ["compact"]}
    else:
        kept = {"cleanup.policy": ["delete"], "retention.ms": channel.retention_ms}
    made: dict[str, Any] = {
        "address": PREFIX + channel.topic,
        "description": channel.description,
        "bindings": {
            "kafka": {
                "topic": PREFIX + channel.topic,
                "topicConfiguration": kept,
                "bindingVersion": "0.5.0",
            }
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
