"""The small job as the guide of Bytewax shows it: a stateful map, snapshots to a recovery store.

python -m bytewax.recovery $BENCH_STATE 1
python -m bytewax.run streams.benchmarks.peers.bytewax_job -r $BENCH_STATE -s 1 -b 0
"""

import os

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from streams.benchmarks.work import Profile, learn, new_model, new_profile, trigger

BROKERS = [os.environ["BENCH_BROKER"]]
model = new_model()


def process(profile: Profile | None, event: dict) -> tuple[Profile, dict | None]:
    if profile is None:
        profile = new_profile()
    probability = learn(
        profile, model, event["category"], event["amount"], event["at_ms"], event["bought"]
    )
    if not event["bought"]:
        return profile, None
    return profile, trigger(event["id"], event["user"], probability)


def encoded(item: tuple[str, dict | None]) -> KafkaSinkMessage | None:
    user, triggered = item
    if triggered is None:
        return None
    return KafkaSinkMessage(key=user.encode(), value=orjson.dumps(triggered))


def keyed(message) -> tuple[str, dict]:
    event = orjson.loads(message.value)
    return event["user"], event


flow = Dataflow("small_job")
messages = kop.input("events", flow, brokers=BROKERS, topics=[os.environ["BENCH_INPUT"]])
events = op.map("decode", messages.oks, keyed)
processed = op.stateful_map("process", events, process)
triggers = op.filter_map("encode", processed, encoded)
kop.output("triggers", triggers, brokers=BROKERS, topic=os.environ["BENCH_OUTPUT"])
