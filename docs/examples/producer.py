"""A producer: interactions become events on `wechat.events`.

    python docs/examples/producer.py localhost:9092

Ids are made from what is told, not from chance: what is told again is a duplicate, no second event.
"""

import asyncio
import sys
import time
from hashlib import sha256
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

TOPIC = "wechat.events"


def event(
    *,
    source: str,
    kind: str,
    subject: str,
    native_key: str,
    time_ms: int,
    data: dict[str, Any],
    brand: str = "",
) -> dict[str, Any]:
    """An event in its envelope. `native_key`: what makes it this one at its source, e.g. MsgId."""
    return {
        "specversion": "1.0",
        "id": sha256(f"{source}|{native_key}".encode()).hexdigest()[:32],
        "source": source,
        "type": kind,
        "subject": subject,
        "time_ms": time_ms,
        "brand": brand,
        "data": data,
    }


def examples(now_ms: int) -> list[dict[str, Any]]:
    person, shop = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", "wx:mp:wx1234567890abcdef"
    return [
        event(
            source=shop,
            kind="product.viewed",
            subject=person,
            native_key="view-1",
            time_ms=now_ms - 60_000,
            data={"item_id": "sku-1001", "category": "dresses", "price_fen": 19_900},
        ),
        event(
            source=shop,
            kind="cart.added",
            subject=person,
            native_key="cart-1",
            time_ms=now_ms - 30_000,
            data={"item_id": "sku-1001", "quantity": 1, "price_fen": 19_900},
        ),
        event(
            source=shop,
            kind="consent.granted",
            subject=person,
            native_key="consent-2026-10",
            time_ms=now_ms,
            data={"purpose": "marketing", "channel": "*", "version": "2026-10"},
        ),
    ]


async def main(servers: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        for made in examples(time.time_ns() // 1_000_000):
            # One key per person keeps what concerns one person in order.
            await producer.send_and_wait(TOPIC, orjson.dumps(made), key=made["subject"].encode())
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
