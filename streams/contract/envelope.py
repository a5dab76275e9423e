"""The envelope every event comes in: CloudEvents 1.0 in spirit, times in milliseconds."""

from typing import Any

from msgspec import Struct

from streams.contract.bounds import Id, Label, Name, TimeMs


class Envelope(Struct, kw_only=True):
    """What a producer writes to `wechat.events`, as JSON. `data` is checked by type afterwards.

    `id` is the same whenever the same thing is told again; that is how duplicates are found.
    `source` says which app spoke: `wx:oa:<appid>`, `wx:mp:<appid>`, `wecom:<corpid>`,
    `wxpay:<mchid>`, `ads:<account>`, `push:<service>`.
    `subject` is the person's native id: `<openid>`, `unionid:<id>`, `external_userid:<id>`; the
    intake replaces it by a keyed hash and it never goes further. `user:<user_id>` is the person by
    the id our triggers carry: push services answer with it.
    `time_ms` is when it happened, `ingest_ms` when the gateway heard of it.
    `trust` says how the gateway knows: `signed`, `transport-only`, `client` (an app said so) or
    `derived`. `backfill` marks history: models learn from it, nobody is addressed.
    """

    id: Id
    source: Id
    type: Name
    subject: Id
    time_ms: TimeMs
    data: dict[str, Any] = {}
    specversion: Label = "1.0"
    tenant: Name = "default"
    brand: Label = ""
    ingest_ms: TimeMs | None = None
    trust: Label = "signed"
    backfill: bool = False


# CloudEvents' own attributes that we accept and do not need; `time` only where `time_ms` is absent.
PASSED_OVER = frozenset({"time", "datacontenttype", "dataschema", "traceparent", "tracestate"})
