"""Why somebody got something or nothing, from the files of a run, in Chinese and English.

An id is looked for among the decisions, then the triggers, then the users.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from streams.contract.decisions import Decision
from streams.contract.profiles import Interest, Profile
from streams.contract.triggers import Explanation, Trigger
from streams.faults import UserFault
from streams.report.words import (
    ARMS,
    CHANNELS,
    KINDS,
    LIFECYCLES,
    feature,
    journey,
    outcome,
    pick,
)

CHINA = timezone(timedelta(hours=8))
LAST_DECISIONS = 10
MOST_TOP = 8

Found = TypeVar("Found", Decision, Trigger, Profile)


class ExplainError(UserFault):
    """One line: what was not found, where, what is near."""


class _Ids(msgspec.Struct):
    decision_id: str = ""
    trigger_id: str = ""
    user_id: str = ""


class _Titles(msgspec.Struct):
    """The part of summary.json that is asked for."""

    titles: dict[str, str] = {}


class Answer(NamedTuple):
    """`kind` is decision, trigger or user; `records` are what the text was made of."""

    kind: str
    text: str
    records: list[Decision | Trigger | Profile]


def explain(wanted: str, folder: Path) -> Answer:
    """Raises ExplainError where the id or the folder is unknown."""
    titles = journey_titles(folder)
    decision = _first(folder, "decisions", wanted, Decision, "decision_id")
    if decision is not None:
        trigger = None
        if decision.trigger_id:
            trigger = _first(folder, "triggers", decision.trigger_id, Trigger, "trigger_id")
        return _answer("decision", _decision(decision, trigger, titles), decision, trigger)
    trigger = _first(folder, "triggers", wanted, Trigger, "trigger_id")
    if trigger is not None:
        decision = _first(folder, "decisions", trigger.decision_id, Decision, "decision_id")
        return _answer("trigger", _trigger(trigger, decision), trigger, decision)
    profile = _first(folder, "profiles", wanted, Profile, "user_id")
    decisions = list(_all(folder, "decisions", wanted, Decision, "user_id"))
    if profile is not None or decisions:
        triggers = list(_all(folder, "triggers", wanted, Trigger, "user_id"))
        text = _user(wanted, profile, decisions, triggers, titles)
        return _answer("user", text, profile, *decisions, *triggers)
    near = _nearest(wanted, folder)
    hint = f"; did you mean {near}?" if near else "; ids stand in decisions.ndjson there"
    raise ExplainError(f"no decision, trigger or user {wanted!r} in {folder}{hint}")


def journey_titles(folder: Path) -> dict[str, str]:
    """By id, as summary.json has them; none where it is missing."""
    try:
        return msgspec.json.decode((folder / "summary.json").read_bytes(), type=_Titles).titles
    except OSError:
        return {}


def local_time(at_ms: int) -> str:
    """In China's time, as its readers expect."""
    return datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def span(ms: int) -> str:
    minutes = ms // 60_000
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"


def _answer(kind: str, lines: list[str], *records: Decision | Trigger | Profile | None) -> Answer:
    return Answer(kind, "\n".join(lines), [record for record in records if record is not None])


def _decision(decision: Decision, trigger: Trigger | None, titles: Mapping[str, str]) -> list[str]:
    named = journey(decision.journey, titles)
    words = outcome(decision.outcome)
    lines = [
        f"决策 Decision {decision.decision_id}",
        f"  时间 at          {local_time(decision.decided_at_ms)}",
        f"  用户 user        {decision.user_id}",
        f"  旅程 journey     {named.zh} {named.en} "
        f"({decision.journey} v{decision.journey_version}, step {decision.step})",
        f"  起因 cause       {decision.cause_event_id}",
        f"  结果 outcome     {decision.outcome}: {words.zh} / {words.en}",
    ]
    if decision.seen:
        values = ", ".join(f"{name} = {value:,.6g}" for name, value in decision.seen.items())
        lines.append(f"  依据 gate saw    {values}")
    if decision.candidates:
        lines += _candidates(decision)
    elif decision.arm:
        lines.append(
            f"  实验 experiment  {decision.arm} (概率 propensity {decision.propensity:.3g})"
        )
    if decision.next_eligible_at_ms:
        lines.append(f"  最早可再触达 next eligible  {local_time(decision.next_eligible_at_ms)}")
    if decision.explanation is not None:
        lines += _because(decision.explanation)
    elif decision.score:
        lines.append(f"  分数 score       {decision.score:.3f}")
    if trigger is not None:
        lines += ["", *_sent(trigger)]
    elif not decision.trigger_id:
        lines.append("  没有发出触达。Nothing was sent.")
    return lines


def _candidates(decision: Decision) -> list[str]:
    """Every arm: with which probability it was drawn, or which gate refused it."""
    lines = [f"  方案 arms        {decision.chooser or 'fixed'}"]
    for one in decision.candidates:
        words = pick(ARMS, one.arm)
        drawn = "→" if one.arm == decision.arm else " "
        how = f"概率 propensity {one.propensity:.3f}"
        if one.refused_by:
            refused = outcome(one.refused_by)
            how = f"✕ {one.refused_by}: {refused.zh} / {refused.en}"
        cost = f"  ¥{one.cost_fen / 100:,.2f}" if one.cost_fen else ""
        name = f"{one.arm} {words.zh}".strip()
        lines.append(f"    {drawn} {name}{cost}  {how}")
    return lines


def _trigger(trigger: Trigger, decision: Decision | None) -> list[str]:
    lines = _sent(trigger)
    lines += _because(trigger.explanation)
    if decision is not None:
        words = outcome(decision.outcome)
        lines.append(f"  决策 decision    {decision.decision_id}")
        lines.append(f"  结果 outcome     {decision.outcome}: {words.zh} / {words.en}")
    return lines


def _sent(trigger: Trigger) -> list[str]:
    kind, channel = pick(KINDS, trigger.kind), pick(CHANNELS, trigger.channel)
    lines = [
        f"触达 Trigger {trigger.trigger_id}",
        f"  用户 user        {trigger.user_id}",
        f"  种类 kind        {kind.zh} {kind.en} · {channel.zh} {channel.en} · {trigger.purpose}",
        f"  活动 campaign    {trigger.campaign} v{trigger.campaign_version}",
        f"  起因 cause       {trigger.cause_event_id}",
        f"  创建 created     {local_time(trigger.created_at_ms)}",
    ]
    if trigger.not_before_ms > trigger.created_at_ms:
        wait = span(trigger.not_before_ms - trigger.created_at_ms)
        lines.append(
            f"  免打扰 quiet     推迟到 held until {local_time(trigger.not_before_ms)} (+{wait})"
        )
    lines.append(f"  过期 expires     {local_time(trigger.expires_at_ms)}")
    if trigger.coupon is not None:
        coupon = trigger.coupon
        lines.append(
            f"  优惠券 coupon    {coupon.sku}: 面值 face value "
            f"¥{coupon.face_value_fen / 100:,.2f}, 成本 cost ¥{coupon.cost_fen / 100:,.2f}"
        )
    if trigger.message is not None:
        values = ", ".join(f"{name}={value}" for name, value in trigger.message.params.items())
        lines.append(f"  消息 message     {trigger.message.template_id} {values}".rstrip())
    if trigger.content is not None:
        item = f" ({trigger.content.item_id})" if trigger.content.item_id else ""
        lines.append(f"  内容 content     {trigger.content.category}{item}")
    experiment = trigger.experiment
    if experiment.arm:
        lines.append(
            f"  实验 experiment  {experiment.arm} (概率 propensity {experiment.propensity:.3g})"
        )
    return lines


def _because(explanation: Explanation) -> list[str]:
    score = f" (分数 score {explanation.score:.3f})" if explanation.score else ""
    lines = [f"  原因 reason      {explanation.reason}{score}"]
    for name, value, contribution in map(msgspec.structs.astuple, explanation.top[:MOST_TOP]):
        words = feature(name)
        lines.append(f"    {contribution:+.3f}  {words.zh} {words.en} ({name} = {value:.4g})")
    return lines


def _user(
    wanted: str,
    profile: Profile | None,
    decisions: list[Decision],
    triggers: list[Trigger],
    titles: Mapping[str, str],
) -> list[str]:
    lines = [f"用户 User {wanted}"]
    lines += _profile(profile) if profile is not None else ["  画像已删除 profile erased"]
    kinds = Counter(trigger.kind for trigger in triggers)
    shown = ", ".join(f"{pick(KINDS, kind).zh} {kind} {n}" for kind, n in sorted(kinds.items()))
    lines.append(f"  触达 triggers    {len(triggers)}{f' ({shown})' if shown else ''}")
    lines.append(f"  决策 decisions   {len(decisions)}")
    for decision in decisions[-LAST_DECISIONS:]:
        words = outcome(decision.outcome)
        lines.append(
            f"    {local_time(decision.decided_at_ms)}  {journey(decision.journey, titles).zh}  "
            f"{decision.outcome} {words.zh}  [{decision.decision_id}]"
        )
    return lines


def _profile(profile: Profile) -> list[str]:
    life = pick(LIFECYCLES, profile.lifecycle)
    lines = [
        f"  阶段 lifecycle   {life.zh} {life.en}"
        + ("" if profile.followed or profile.lifecycle == "unfollowed" else " · 已取关 unfollowed"),
        f"  活跃 activity    {profile.events} events, {profile.active_days} days, "
        f"last {local_time(profile.last_active_ms)}",
        f"  消费 spending    {profile.orders} orders, ¥{profile.spend_fen / 100:,.2f}",
    ]
    if profile.churn_scored_at_ms:
        lines.append(
            f"  流失 churn       {profile.churn_score:.1%} within {profile.horizon_days} 天 days "
            f"({local_time(profile.churn_scored_at_ms)})"
        )
    if profile.interests:
        lines.append(f"  兴趣 interests   {_shares(profile.interests)}")
    if profile.channels:
        lines.append(f"  渠道 channels    {_shares(profile.channels)}")
    consent = ", ".join(profile.consent) or "无 none"
    lines.append(f"  授权 consent     {consent}")
    if profile.holdout:
        lines.append("  全局对照组：不做营销触达 in the global control group: no marketing")
    return lines


def _shares(scores: list[Interest]) -> str:
    return ", ".join(f"{interest.category} {interest.score:.0%}" for interest in scores[:5])


def _first(folder: Path, name: str, wanted: str, what: type[Found], field: str) -> Found | None:
    return next(_all(folder, name, wanted, what, field), None)


def _all(folder: Path, name: str, wanted: str, what: type[Found], field: str) -> Iterator[Found]:
    needle = msgspec.json.encode(wanted)
    decoder = msgspec.json.Decoder(what)
    for line in _lines(folder, name):
        if needle in line:
            record = decoder.decode(line)
            if getattr(record, field) == wanted:
                yield record


def _lines(folder: Path, name: str) -> Iterator[bytes]:
    path = folder / f"{name}.ndjson"
    try:
        with path.open("rb", buffering=1 << 20) as file:
            yield from file
    except OSError as error:
        raise ExplainError(
            f"{path}: cannot be read: {error.strerror}; give a folder that replay or demo wrote"
        ) from None


def _nearest(wanted: str, folder: Path) -> str:
    """The id with the longest common prefix, at least three characters of it."""
    best, most = "", 2
    ids = msgspec.json.Decoder(_Ids)
    for name in ("decisions", "triggers", "profiles"):
        for line in _lines(folder, name):
            for found in msgspec.structs.astuple(ids.decode(line)):
                common = _common_prefix(wanted, found)
                if common > most:
                    best, most = found, common
    return best


def _common_prefix(one: str, other: str) -> int:
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return i
    return min(len(one), len(other))
