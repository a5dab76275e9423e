"""The small job as Faust's guide shows it: one event at a time, a Table with its changelog.

python -m streams.benchmarks.peers.faust_idiomatic worker
"""

import os

import faust

from streams.benchmarks.work import PARTITIONS, learn, new_model, new_profile, trigger


class Event(faust.Record):
    id: str
    user: str
    category: str
    amount: float
    at_ms: int
    bought: bool


app = faust.App(
    os.environ["BENCH_RUN"],
    broker=f"kafka://{os.environ['BENCH_BROKER']}",
    datadir=os.environ["BENCH_STATE"],
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    key_serializer="raw",
    value_serializer="json",
    web_enabled=False,
)
events = app.topic(os.environ["BENCH_INPUT"], key_type=str, value_type=Event)
triggers = app.topic(os.environ["BENCH_OUTPUT"], key_type=str, value_type=dict)
profiles = app.Table("profiles", default=new_profile, key_type=str)
model = new_model()


@app.agent(events)
async def process(stream):
    async for event in stream:
        profile = profiles[event.user]
        probability = learn(profile, model, event.category, event.amount, event.at_ms, event.bought)
        profiles[event.user] = profile
        if event.bought:
            await triggers.send(key=event.user, value=trigger(event.id, event.user, probability))


if __name__ == "__main__":
    app.main()
