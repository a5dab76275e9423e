"""One person's 用户画像 as a card, and one decision step by step."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from streams.contract.decisions import Decision
from streams.contract.profiles import Interest, Profile
from streams.contract.triggers import Explanation, Trigger
from streams.explain import local_time, span
from streams.report import svg
from streams.report.parts import Bar, bars, card
from streams.report.words import (
    ARMS,
    CHANNELS,
    CONTEXT,
    GATES,
    KINDS,
    LIFECYCLES,
    Words,
    feature,
    outcome,
    pick,
)

MOST_REASONS = 5
MOST_MOMENTS = 16
_WARNING = {"at_risk": "warn", "lost": "bad", "unfollowed": "bad"}


class Moment(NamedTuple):
    """Something on a person's timeline; `sent` where it came from us."""

    at_ms: int
    words: Words
    sent: bool = False


class Person(NamedTuple):
    """`hours`: by channel, the events in each local hour; `coupon`: the last one sent."""

    profile: Profile
    coupon: Trigger | None
    hours: Mapping[str, Sequence[int]]
    moments: Sequence[Moment]


def person_card(person: Person) -> str:
    profile = person.profile
    left = _churn(profile, person.coupon) + _interests(profile)
    right = _hours(person.hours) + _timeline(_around(person.moments, person.coupon))
    body = f'<div class="persona">{_who(profile)}<div>{left}</div><div>{right}</div></div>'
    return card(Words("用户画像", "One person, as the engine sees them"), body)


def decision_card(decision: Decision, trigger: Trigger | None, journey: Words) -> str:
    """`journey`: its title."""
    met = (f"{journey.zh}：条件满足", f"{journey.en}: its condition was met")
    steps = [_step("→", *met, _cause(decision)), *_gates(decision)]
    if trigger is not None:
        steps.append(_sent(trigger))
    body = (
        f'<p class="note"><code>{escape(decision.decision_id)}</code> · '
        f"{escape(local_time(decision.decided_at_ms))}</p>"
        f'<ol class="steps">{"".join(steps)}</ol>{_candidates(decision)}{_context(decision)}'
    )
    return card(Words("一次决策，逐步说明", "One decision, step by step"), body)


def _gates(decision: Decision) -> list[str]:
    """Those passed, the one that refused, those not asked any more."""
    stop = next(
        (place for place, (codes, _) in enumerate(GATES) if decision.outcome in codes), len(GATES)
    )
    passed = _chips([words for _, words in GATES[:stop]], "✓", "")
    steps = [_step("✓", f"通过 {stop} 道关口", f"{stop} gates passed, in this order", passed)]
    if stop < len(GATES):
        why = outcome(decision.outcome)
        steps.append(_step("✕", why.zh, why.en, _seen(decision), mark="stop"))
        later = GATES[stop + 1 :]
        if later:
            rest = _chips([words for _, words in later], "·", " plain")
            steps.append(_step("·", "其余未再询问", "not asked any more", rest, mark="skip"))
    return steps


def _chips(words: Sequence[Words], sign: str, style: str) -> str:
    chips = "".join(
        f'<span class="chip{style}" title="{escape(one.en)}">{sign} {escape(one.zh)}</span>'
        for one in words
    )
    return f'<div class="chips">{chips}</div>'


def _candidates(decision: Decision) -> str:
    """Every arm with its probability, or with the gate that refused it."""
    if not decision.candidates:
        return ""
    rows = []
    for one in decision.candidates:
        words, refused = pick(ARMS, one.arm), outcome(one.refused_by)
        how = f"<b>{one.propensity:.1%}</b>"
        if one.refused_by:
            how = f'<span class="no">✕ {escape(refused.zh)}</span> {escape(one.refused_by)}'
        style = ' class="taken"' if one.arm == decision.arm else ""
        cost = f"¥{one.cost_fen / 100:,.0f}" if one.cost_fen else "—"
        rows.append(
            f"<tr{style}><td>{escape(words.zh)} <span class=en>{escape(one.arm)}</span></td>"
            f"<td>{cost}</td><td>{how}</td></tr>"
        )
    total = sum(one.propensity for one in decision.candidates)
    return (
        '<h3>候选方案 <span class="en">candidates: the probability each was drawn with, or the '
        "gate that refused it</span></h3><table><tr><th>方案 arm</th><th>成本 cost</th>"
        f"<th>概率 propensity</th></tr>{''.join(rows)}<tr><th>合计 sum</th><th></th>"
        f"<th>{total:.1%}</th></tr></table>"
    )


def _context(decision: Decision) -> str:
    """What the chooser saw of the person."""
    if not decision.features or len(decision.features) != len(CONTEXT):
        return ""
    chips = "".join(
        f'<span class="chip plain">{escape(words.zh)} {value:+.2f}</span>'
        for words, value in zip(CONTEXT.values(), decision.features, strict=True)
    )
    return (
        f'<h3>选择器看到的 <span class="en">what the chooser ({escape(decision.chooser)}) saw, '
        f'scaled</span></h3><div class="chips">{chips}</div>'
    )


def reasons(explanation: Explanation) -> str:
    """The features that moved the score most, with what each added in log-odds."""
    rows = []
    for top in explanation.top[:MOST_REASONS]:
        words = feature(top.feature)
        way = "up" if top.contribution > 0 else "down"
        rows.append(
            f'<li><span>{escape(words.zh)} <span class="en">{escape(words.en)} = {top.value:.3g}'
            f'</span></span><b class="{way}">{top.contribution:+.2f}</b></li>'
        )
    return f'<ul class="reasons">{"".join(rows)}</ul>'


def _who(profile: Profile) -> str:
    life = pick(LIFECYCLES, profile.lifecycle)
    style = _WARNING.get(profile.lifecycle, "")
    chips = [f'<span class="chip {style}">{escape(life.zh)} {escape(life.en)}</span>']
    facts = [
        f"{profile.events:,} 次互动 events",
        f"{profile.active_days} 天活跃 active days",
        f"{profile.orders} 单 orders · ¥{profile.spend_fen / 100:,.0f}",
    ]
    if profile.mean_rating:
        facts.append(f"评分 rating {profile.mean_rating:.1f}★")
    facts += [f"{name}: {value}" for name, value in sorted(profile.attributes.items())]
    facts += ["授权 consent: " + ", ".join(profile.consent)] if profile.consent else []
    chips += [f'<span class="chip plain">{escape(fact)}</span>' for fact in facts]
    initial = profile.user_id[:1].upper() or "?"
    return (
        f'<div class="who"><span class="avatar">{escape(initial)}</span><div>'
        f"<strong>{escape(profile.user_id)}</strong>"
        f'<div class="chips">{"".join(chips)}</div></div></div>'
    )


def _churn(profile: Profile, coupon: Trigger | None) -> str:
    colour = svg.RED if profile.churn_score >= 0.6 else svg.AMBER
    colour = svg.GREEN if profile.churn_score < 0.3 else colour
    why = ""
    if coupon is not None and coupon.explanation.top:
        at, score = local_time(coupon.created_at_ms)[5:16], coupon.explanation.score
        why = (
            f'<div class="why">发券时 <span class="en">when the coupon was sent</span> {at}: '
            f"<b>{score:.0%}</b>{reasons(coupon.explanation)}</div>"
        )
    return (
        f'<h3>流失风险 <span class="en">P(no visit within {profile.horizon_days} days)</span></h3>'
        f'<div class="score">{svg.ring(profile.churn_score, "churn", colour)}{why}</div>'
    )


def _interests(profile: Profile) -> str:
    parts = []
    for title, scores in (
        ('兴趣 <span class="en">interests</span>', profile.interests),
        ('标签 <span class="en">tags</span>', profile.tags),
        ('渠道偏好 <span class="en">channels</span>', profile.channels),
    ):
        if scores:
            parts.append(f"<h3>{title}</h3>{bars([_share(score) for score in scores[:6]])}")
    return "".join(parts)


def _share(interest: Interest) -> Bar:
    words = CHANNELS.get(interest.category, Words(interest.category, ""))
    return Bar(words, interest.score, f"{interest.score:.0%}")


def _hours(hours: Mapping[str, Sequence[int]]) -> str:
    if not hours:
        return ""
    most = max(max(counts) for counts in hours.values()) or 1
    rows = []
    for channel, counts in hours.items():
        cells = "".join(
            f'<i style="opacity:{0.07 + 0.93 * count / most:.2f}" title="{hour}:00 · {count}"></i>'
            for hour, count in enumerate(counts)
        )
        rows.append(f"<span>{escape(pick(CHANNELS, channel).zh)}</span>{cells}")
    feet = "".join(f'<span class="h">{h if h % 6 == 0 else ""}</span>' for h in range(24))
    return (
        '<h3>何时何处活跃 <span class="en">active when and where (hour of the day)</span></h3>'
        f'<div class="heat">{"".join(rows)}<span></span>{feet}</div>'
    )


def _around(moments: Sequence[Moment], coupon: Trigger | None) -> Sequence[Moment]:
    """The moments about the coupon, the last ones where there is none."""
    first = max(0, len(moments) - MOST_MOMENTS)
    if coupon is not None:
        before = sum(moment.at_ms < coupon.created_at_ms for moment in moments)
        first = min(first, max(0, before - MOST_MOMENTS // 3))
    return moments[first : first + MOST_MOMENTS]


def _timeline(moments: Sequence[Moment]) -> str:
    rows = "".join(
        f"<li{' class=sent' if moment.sent else ''}><time>{local_time(moment.at_ms)[5:16]}</time>"
        f'<span>{escape(moment.words.zh)} <span class="en">{escape(moment.words.en)}</span>'
        "</span></li>"
        for moment in moments
    )
    return f'<h3>时间线 <span class="en">timeline</span></h3><ul class="time">{rows}</ul>'


def _step(sign: str, zh: str, en: str, detail: str = "", *, mark: str = "") -> str:
    return (
        f'<li><span class="mark {mark}">{sign}</span><div>{escape(zh)}<br>'
        f'<span class="en">{escape(en)}</span>{detail}</div></li>'
    )


def _cause(decision: Decision) -> str:
    if decision.explanation is None:
        return ""
    explanation = decision.explanation
    score = f"分数 score {explanation.score:.3f} · " if explanation.score else ""
    why = reasons(explanation) if explanation.top else ""
    return f'<div class="note">{score}{escape(explanation.reason)}</div>{why}'


def _seen(decision: Decision) -> str:
    values = ", ".join(f"{name} = {value:,.6g}" for name, value in decision.seen.items())
    return f'<div class="note">{escape(values)}</div>' if values else ""


def _sent(trigger: Trigger) -> str:
    kind, channel = pick(KINDS, trigger.kind), pick(CHANNELS, trigger.channel)
    what = ""
    if trigger.coupon is not None:
        what = f" · {trigger.coupon.sku} ¥{trigger.coupon.face_value_fen / 100:,.0f}"
    elif trigger.message is not None:
        what = f" · {trigger.message.template_id}"
    elif trigger.content is not None:
        what = f" · {trigger.content.category}"
    wait_ms = trigger.not_before_ms - trigger.created_at_ms
    wait = f" · 免打扰推迟 quiet hours +{span(wait_ms)}" if wait_ms > 0 else ""
    experiment = trigger.experiment
    detail = (
        f'<div class="note">实验 experiment {escape(experiment.arm)} '
        f"(p={experiment.propensity:.2f}){escape(wait)}</div>"
    )
    return _step(
        "★", f"发出{kind.zh}，经{channel.zh}{what}", f"{kind.en} sent by {channel.en}", detail
    )
