"""The policy stage: every due step meets the gates; an arm is drawn of those that pass; of what is
to be sent to a person at one moment, one is.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Final

from streams.contract.journeys import HOLD
from streams.contract.policy import Policy
from streams.engine import chance
from streams.engine.choices.choice import draw
from streams.engine.config import Config
from streams.engine.control_groups import in_global_holdout
from streams.engine.deciding import Decisions
from streams.engine.journeys.journey import Due, Settled
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.policy import COMPARABLE, GROUPS, STATEFUL
from streams.engine.policy.budget import accounts, budget_day
from streams.engine.policy.caps import forget_old
from streams.engine.policy.case import Case, Option
from streams.engine.policy.channel import Responses, best
from streams.engine.policy.drawing import (
    NO_ARM,
    Drawn,
    candidates,
    first_refusal,
    option_of,
    refusal,
    telling,
)
from streams.engine.policy.emission import explanation, mark_of, trigger_of
from streams.engine.policy.holdout import hold_propensity
from streams.engine.policy.personalisation import personalised
from streams.engine.policy.purse import Purse
from streams.engine.policy.safety import FAILURE, UNFOLLOWS, Watch
from streams.engine.policy.terms import Terms
from streams.engine.profile import attributes
from streams.engine.state import Sent, UserState, decode_row, encode_row, way_of
from streams.engine.store import Person

__all__ = ["PolicyStage", "mark_of"]

CHANNELS_KEY: Final = b"p:channels"
SAFETY_KEY: Final = b"p:safety"
Choose = Callable[[Due, Sequence[int]], list[float]]


class PolicyStage:
    """`choose` gives the probabilities of the arms at the places that passed; they sum to 1.
    `suspicion`: why somebody is suspected of abuse at a time, if so."""

    def __init__(
        self,
        config: Config,
        seed: bytes,
        decisions: Decisions,
        counts: dict[str, int],
        changed: dict[bytes, None],
        *,
        choose: Choose,
        budget: Purse,
        suspicion: Callable[[Person, int], str] = lambda _person, _now_ms: "",
    ) -> None:
        self._config = config
        self._seed = seed
        self._decisions = decisions
        self._counts = counts
        self._changed = changed
        self._choose = choose
        self._purse = budget
        self._suspicion = suspicion
        self._responses = Responses()
        self._watch = Watch()
        self._remember_ms = 0
        # Told what is due for one person at one moment, before it is decided: of a what-if.
        self.observe: Callable[[Sequence[Due]], None] | None = None
        self.put(config.policy)

    def put(self, policy: Policy) -> None:
        """Another policy is in force from now on."""
        self.terms = Terms(policy, self._remember_ms)
        self.listens = self.terms.entitlements.events | UNFOLLOWS | {FAILURE}

    def remember(self, ms: int) -> None:
        """Sends are kept so long, where journeys' own caps and budgets ask for them."""
        self._remember_ms = ms
        self.terms = Terms(self.terms.policy, ms)

    def forget(self, state: UserState, now_ms: int) -> None:
        """Drop the sends that nothing asks for any more."""
        forget_old(state, self.terms.keep_ms, now_ms)

    def heard(self, moment: Moment) -> None:
        """An event of `listens`: entitlements are granted and revoked, the safety rules watch."""
        entitlements = self.terms.entitlements
        if moment.type in entitlements.events:
            entitlements.heard(moment)
        if moment.type == FAILURE:
            mark = mark_of(moment.data.trigger_id)
            sends = moment.person.state.sends
            used = [sent.template for sent in sends if mark and sent.mark == mark]
            entitlements.failed(moment, used[0] if used else "")
        if not moment.backfill and self._watch.heard(self.terms.policy.safety, moment):
            self._changed[SAFETY_KEY] = None

    def answered(self, channel: str, kind: str) -> None:
        """A delivery or the first answer to one of our triggers: channels learn from it."""
        if self._responses.note(channel, kind):
            self._changed[CHANNELS_KEY] = None

    def resume(self, _now_ms: int) -> None:
        """The operators end a pause of the safety rules, which begin to count anew."""
        self._watch.resume()
        self._changed[SAFETY_KEY] = None

    @property
    def paused_ms(self) -> int:
        """Since when the safety rules keep marketing back; 0: they do not."""
        return self._watch.paused_ms

    def is_held(self, person: Person, now_ms: int) -> bool:
        """Whether the person is in the global control group now."""
        return in_global_holdout(person, self.terms.policy, self._seed, now_ms)

    def untouched(self, person: Person, now_ms: int) -> bool:
        """Whether what the person does is not our doing: those held out where anybody is."""
        return not self.terms.policy.global_holdout or self.is_held(person, now_ms)

    def personalised(self, state: UserState) -> bool:
        return personalised(state, self.terms.policy.personalisation)

    def decide(self, dues: list[Due], effects: list[Effect]) -> list[Settled]:
        """All that is due for one person at one moment: the lowest priority number wins."""
        if self.observe is not None:
            self.observe(dues)
        ordered = sorted(dues, key=_rank) if len(dues) > 1 else dues
        drawn = [self._draw(due) for due in ordered]
        settled, taken = [], False
        for one in drawn:
            if one.option is None:
                settled.append(self._record(one, effects))
            elif taken:
                one.outcome, one.arm, one.option = "LOST_ARBITRATION", "", None
                settled.append(self._record(one, effects))
            elif one.case.journey.shadow:
                one.outcome = "SHADOWED"
                settled.append(self._record(one, effects))
            else:
                taken = True
                settled.append(self._emit(one, one.option, effects))
        return settled

    def probe(self, due: Due, *, choose: Choose, budget: Purse, open_draw: bool = False) -> Drawn:
        """What would become of the step now, for who only asks. Nothing changes, as long as odds
        and money are asked of copies: the gates themselves only read. `open_draw`: the draw of an
        arm is not known yet; the likeliest that sends stands for all that pass."""
        apart = copy(self)
        apart._choose, apart._purse = choose, budget
        drawn = apart._draw(due)
        if open_draw and drawn.arm not in (NO_ARM, HOLD):
            sends = [one for one in drawn.options if one.sends and not one.refused]
            odds = drawn.propensities
            drawn.option = max(sends, key=lambda one: odds[one.proposal.arm], default=None)
            drawn.arm = NO_ARM if len(odds) > 1 + (HOLD in odds) else drawn.arm
        if drawn.option is not None:
            drawn.outcome = "SHADOWED" if due.journey.shadow else _sent_as(drawn.case, drawn.option)
        return drawn

    def row(self, key: bytes) -> bytes:
        return encode_row(self._responses if key == CHANNELS_KEY else self._watch)

    def load(self, key: bytes, row: bytes) -> None:
        if key == CHANNELS_KEY:
            self._responses = decode_row(key, row, Responses)
        elif key == SAFETY_KEY:
            self._watch = decode_row(key, row, Watch)
        else:
            raise ValueError(f"row {key!r} is of no kind the policy knows")

    def _draw(self, due: Due) -> Drawn:
        """Ask the gates about each arm, then draw one of those that pass."""
        case = self._case(due)
        options = [option_of(arm) for arm in due.arms]
        drawn = Drawn(case, options)
        sends = [option for option in options if option.sends]
        for option in sends:
            if not option.refused:
                option.refused = first_refusal(COMPARABLE, case, option)
                option.stands = not option.refused
        group = ""
        if any(option.stands for option in sends) or not sends:
            drawn.hold = hold_propensity(self.terms.policy, due.journey)
            group = self._group(case)
        case.ghost = bool(group) or due.journey.shadow
        for option in sends:
            if option.stands:
                option.refused = first_refusal(STATEFUL, case, option)
                option.channel = self._channel(case, option)
        passing = [place for place, option in enumerate(options) if not option.refused]
        odds = self._odds(due, passing)
        for place, share in zip(passing, odds, strict=True):
            drawn.propensities[due.arms[place].arm] = (1.0 - drawn.hold) * share
        if not passing:
            drawn.propensities[NO_ARM] = 1.0 - drawn.hold
        if drawn.hold:
            drawn.propensities[HOLD] = drawn.hold
        if group:
            drawn.outcome, drawn.arm = group, HOLD
        elif due.forced or passing:
            self._take(drawn, sends, passing, odds)
        else:
            drawn.outcome = refusal(sends)
        return drawn

    def _take(
        self, drawn: Drawn, sends: list[Option], passing: list[int], odds: list[float]
    ) -> None:
        """One of those that pass; not to send is one too, and a refusal where nothing else is."""
        due, options = drawn.case.due, drawn.options
        if due.forced:
            found = [option for option in options if option.proposal.arm == due.forced]
            if not found or found[0].refused:
                drawn.outcome = found[0].refused if found else "NOT_ELIGIBLE"
                return
            option = found[0]
        else:
            place = 0
            if len(passing) > 1:
                place = draw(odds, chance.fraction(self._seed, "arm", due.decision_id))
            option = options[passing[place]]
        drawn.arm = option.proposal.arm
        if option.sends:
            drawn.option = option
        elif sends and all(one.refused for one in sends):
            drawn.outcome = refusal(sends)
        else:
            drawn.outcome = "CHOSE_NOTHING"

    def _odds(self, due: Due, passing: list[int]) -> list[float]:
        if len(passing) < 2:
            return [1.0] * len(passing)
        return self._choose(due, passing)

    def _group(self, case: Case) -> str:
        """The control group the person is in, if any; an inline test's arm is outside of them."""
        forced = case.due.forced
        if forced:
            return "HOLDOUT_JOURNEY" if forced == HOLD else ""
        for gate in GROUPS:
            group = gate(case)
            if group:
                return group
        return ""

    def _case(self, due: Due) -> Case:
        state, terms = due.moment.person.state, self.terms
        return Case(
            due,
            terms,
            self._seed,
            self._purse,
            bool(self._watch.paused_ms),
            state,
            due.journey,
            due.moment.now_ms,
            attributes.zone(state, terms.policy.quiet.zone),
            due.journey.purpose == "marketing",
            self._suspicion(due.moment.person, due.moment.now_ms),
        )

    def _record(self, drawn: Drawn, effects: list[Effect]) -> Settled:
        """Nothing goes out."""
        told = drawn.option or telling(drawn)
        channel = told.channel if told is not None and drawn.arm else ""
        cost_fen = told.cost_fen if told is not None and drawn.arm else 0
        return self._settle(drawn, effects, told=told, channel=channel, cost_fen=cost_fen)

    def _emit(self, drawn: Drawn, option: Option, effects: list[Effect]) -> Settled:
        case = drawn.case
        due, journey, now_ms = case.due, case.journey, case.now_ms
        channel = option.channel
        right = option.rights[channel]
        trigger = trigger_of(
            case,
            option,
            channel,
            propensity=drawn.propensities[drawn.arm],
            trigger_id=chance.identifier(self._seed, "trigger", due.decision_id),
            personalised=option.proposal.personalised and self.personalised(case.state),
            config=self._config,
        )
        effects.append(trigger)
        self.terms.entitlements.use(case.state, right, now_ms)
        self.forget(case.state, now_ms)
        case.state.sends.append(
            Sent(
                now_ms,
                case.release_ms - now_ms,
                way_of(journey.purpose, channel),
                journey.name,
                mark_of(trigger.trigger_id),
                option.cost_fen,
                right.template,
            )
        )
        if option.cost_fen:
            self._purse.spend(accounts(case), budget_day(case), option.cost_fen, now_ms)
        if case.is_marketing and self._watch.sent(self.terms.policy.safety, now_ms):
            self._changed[SAFETY_KEY] = None
        name = "trigger." + trigger.kind
        self._counts[name] = self._counts.get(name, 0) + 1
        drawn.outcome = _sent_as(case, option)
        return self._settle(
            drawn,
            effects,
            told=option,
            channel=channel,
            cost_fen=option.cost_fen,
            trigger_id=trigger.trigger_id,
        )

    def _settle(
        self,
        drawn: Drawn,
        effects: list[Effect],
        *,
        told: Option | None,
        channel: str,
        cost_fen: int,
        trigger_id: str = "",
    ) -> Settled:
        case = drawn.case
        due, arm = case.due, drawn.arm
        propensity = drawn.propensities.get(arm, 1.0)
        decision = self._decisions.record(
            due.moment,
            due.journey,
            due.step,
            drawn.outcome,
            due.decision_id,
            due.cause_event_id,
            arm=arm,
            propensity=propensity,
            trigger_id=trigger_id,
            channel=channel,
            cost_fen=cost_fen,
            score=due.score,
            next_eligible_at_ms=0 if told is None or arm == HOLD else told.next_ms,
            seen={} if told is None else told.seen,
            explanation=explanation(due) if arm else None,
            candidates=candidates(drawn),
            features=due.features,
            chooser=due.chooser,
        )
        effects.append(decision)
        spent_fen = cost_fen if trigger_id else 0
        return Settled(
            due, drawn.outcome, arm, propensity, drawn.propensities, trigger_id, channel, spent_fen
        )

    def _channel(self, case: Case, option: Option) -> str:
        """The channel of those that passed; empty where none is left."""
        if option.refused or not option.channels:
            return ""
        if option.proposal.channels:
            return option.channels[0]
        return best(option.channels, option.rights, case.state, self._responses)


def _sent_as(case: Case, option: Option) -> str:
    if option.rights[option.channel].needs:
        return "AWAITING_STAFF"
    return "SENT" if case.release_ms == case.now_ms else "QUIET_DEFERRED"


def _rank(due: Due) -> tuple[int, str, str]:
    return due.journey.priority, due.journey.name, due.decision_id
