"""A push service: triggers come in once, go out once and in time, and their fate is told back.

    python docs/examples/push_service.py localhost:9092 outbox.db

A trigger is first written to an outbox under its id, then the offset is committed; so neither a
crash nor a redelivery loses or doubles one. Most send calls of WeChat have no idempotency key: what
was being sent when we crashed is told as `unknown` and never sent again. A result is told until the
broker has it; its id is made of trigger and state, so a second telling is a duplicate.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

SOURCE = "push:example"
EVENTS = "wechat.events"
TRIGGERS = ("wechat.triggers.coupon", "wechat.triggers.message", "wechat.triggers.content")

Send = Callable[[dict[str, Any]], tuple[str, str]]  # trigger -> (state, provider's code)


class Outbox:
    """Every trigger ever accepted, by id: waiting, sending, then the state in which it ended."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(
            "create table if not exists outbox (trigger_id text primary key, state text not null,"
            " code text not null, at_ms integer not null, told integer not null,"
            " not_before_ms integer not null, body blob not null)"
        )

    def accept(self, raw: bytes) -> None:
        trigger = orjson.loads(raw)
        self._db.execute(
            "insert or ignore into outbox values (?, 'waiting', '', 0, 0, ?, ?)",
            (trigger["trigger_id"], trigger["not_before_ms"], raw),
        )

    def due(self, now_ms: int) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "select body from outbox where state = 'waiting' and not_before_ms <= ?"
            " order by not_before_ms, trigger_id",
            (now_ms,),
        )
        return [orjson.loads(body) for (body,) in rows]

    def settle(self, trigger: dict[str, Any], state: str, code: str, now_ms: int) -> None:
        self._db.execute(
            "update outbox set state = ?, code = ?, at_ms = ? where trigger_id = ?",
            (state, code, now_ms, trigger["trigger_id"]),
        )

    def give_up_interrupted(self, now_ms: int) -> None:
        self._db.execute(
            "update outbox set state = 'unknown', at_ms = ? where state = 'sending'", (now_ms,)
        )

    def untold(self) -> list[dict[str, Any]]:
        """The results that nobody has been told, as events."""
        rows = self._db.execute(
            "select body, state, code, at_ms from outbox"
            " where told = 0 and state not in ('waiting', 'sending') order by at_ms, trigger_id"
        )
        return [result(orjson.loads(body), state, code, ms) for body, state, code, ms in rows]

    def told(self, event: dict[str, Any]) -> None:
        trigger_id = event["data"]["trigger_id"]
        self._db.execute("update outbox set told = 1 where trigger_id = ?", (trigger_id,))


def result(trigger: dict[str, Any], state: str, code: str, now_ms: int) -> dict[str, Any]:
    """The event that tells what became of a trigger."""
    key = f"{SOURCE}|{trigger['trigger_id']}|{state}"
    return {
        "specversion": "1.0",
        "id": sha256(key.encode()).hexdigest()[:32],
        "source": SOURCE,
        "type": f"push.{state}",
        "subject": f"user:{trigger['user_id']}",
        "time_ms": now_ms,
        "data": {
            "trigger_id": trigger["trigger_id"],
            "channel": trigger["channel"],
            "state": state,
            "code": code,
        },
    }


def push_due(outbox: Outbox, send: Send, now_ms: int) -> None:
    """Send what is due and has not expired."""
    outbox.give_up_interrupted(now_ms)
    for trigger in outbox.due(now_ms):
        if now_ms >= trigger["expires_at_ms"]:
            state, code = "expired", ""
        else:
            outbox.settle(trigger, "sending", "", now_ms)
            state, code = send(trigger)
        outbox.settle(trigger, state, code, now_ms)


def send_to_console(trigger: dict[str, Any]) -> tuple[str, str]:
    """Stands for the call of WeChat's API; a real one looks up the address of the user id first."""
    sys.stdout.write(f"{trigger['channel']} {trigger['user_id']} {trigger['campaign']}\n")
    return "accepted", "0"


async def main(servers: str, path: str) -> None:
    outbox = Outbox(path)
    consumer = AIOKafkaConsumer(
        *TRIGGERS,
        bootstrap_servers=servers,
        group_id="push-example",
        isolation_level="read_committed",  # without it, triggers that were undone are seen
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True, acks="all")
    async with consumer, producer:
        while True:
            batches = await consumer.getmany(timeout_ms=1_000)
            for records in batches.values():
                for record in records:
                    outbox.accept(record.value)
            if batches:
                await consumer.commit()
            push_due(outbox, send_to_console, time.time_ns() // 1_000_000)
            for event in outbox.untold():
                key = event["subject"].encode()
                await producer.send_and_wait(EVENTS, orjson.dumps(event), key=key)
                outbox.told(event)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
