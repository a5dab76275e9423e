"""The small job as the guide of Quix Streams shows it: a stateful function, RocksDB, changelog.

python -m streams.benchmarks.peers.quix
"""

import os

from quixstreams import Application, State

from streams.benchmarks.work import learn, new_model, new_profile, trigger

model = new_model()


def process(event: dict, state: State) -> dict | None:
    profile = state.get("profile") or new_profile()
    probability = learn(
        profile, model, event["category"], event["amount"], event["at_ms"], event["bought"]
    )
    state.set("profile", profile)
    if not event["bought"]:
        return None
    return trigger(event["id"], event["user"], probability)


def main() -> None:
    app = Application(
        broker_address=os.environ["BENCH_BROKER"],
        consumer_group=os.environ["BENCH_RUN"],
        auto_offset_reset="earliest",
        state_dir=os.environ["BENCH_STATE"],
    )
    events = app.topic(os.environ["BENCH_INPUT"], value_deserializer="json")
    triggers = app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json")
    stream = app.dataframe(events)
    stream = stream.apply(process, stateful=True)
    stream = stream.filter(lambda value: value is not None)
    stream.to_topic(triggers)
    app.run()


if __name__ == "__main__":
    main()
