"""The engine: records in, outcomes out. `_observe` shows every stage in the order an event meets them.

Pure: time comes with the records, chance is a keyed hash, effects are values. The sum of the fates equals
the inputs: every event and rejection that is not a redelivery ends in exactly one of them. Mail is input
forwarded by another partition; it is counted here, where it is applied, and there as forwarded.
"""

from typing import Any

import msgspec

from streams.contract.codec import TYPES
from streams.contract.dead_letters import DeadLetter
from streams.contract.records import Genesis, Mail, Observed, Origin, Record, Rejected, Tick
from streams.engine import chance
from streams.engine.cleaning.cleaning import Cleaning
from streams.engine.cleaning.duplicates import fingerprint, remember
from streams.engine.config import Config
from streams.engine.deciding import Decisions
from streams.engine.insight import Insight
from streams.engine.journeys.stage import JourneyStage
from streams.engine.labels import answered
from streams.engine.moment import DAILY_CHECK, Moment
from streams.engine.outcome import SILENT, Effect, Outcome
from streams.engine.people import People
from streams.engine.policy.stage import PolicyStage
from streams.engine.profile.stage import ProfileStage
from streams.engine.state import Counts
from streams.engine.store import Person, Store
from streams.engine.timers import Timers

COUNTS_KEY = b"c:counts"
RECORD_NAMES = {Observed: "event", Rejected: "rejected", Tick: "tick", Mail: "mail"}
