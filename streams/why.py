"""The answers of `streams why` in Chinese and English, times in the person's zone and UTC."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from streams.contract.why import Condition, Gates, Stay, Term, Why
from streams.engine.profile.hours import zone_of
from streams.report.words import CHANNELS, Words, outcome, pick

# Of the codes that no decision has; the others' words are those of the outcomes.
_STANDINGS: dict[str, Words] = {
    "INSIDE": Words("正在旅程中，等待下一步", "is in the journey and waits for its next step"),
    "RULE_FALSE": Words("进入条件不成立", "the entry condition does not hold"),
    "NEEDS_EVENT": Words(
        "没有任何阻拦，等待触发事件", "nothing stands against it: it needs its event"
    ),
    "NOT_WATCHED": Words(
        "久未活跃，暂不做每日检查，再次活跃后恢复",
        "no daily check until the person is active again",
    ),
    "FORWARDED": Words("此 ID 已并入另一位用户", "this id was merged into another person"),
    "UNKNOWN_USER": Words("从未见过此 ID", "nothing was ever seen of this id"),
}
# Sentences with values; a code whose values are missing falls back to its words.
_SENTENCES: dict[str, Words] = {
    "CAP_PERSON": Words(
        "这位用户已收到 {sent:.0f} 条（上限 {most:.0f} 条），达到个人频次上限",
        "the person has had {sent:.0f} of {most:.0f}: the frequency cap is reached",
    ),
    "CAP_CHANNEL": Words(
        "剩余渠道已发 {sent:.0f} 条（上限 {most:.0f} 条），达到渠道频次上限",
        "{sent:.0f} of {most:.0f} went by the channels left: their cap is reached",
    ),
    "CAP_GAP": Words("距上次触达仅 {gap:s}，间隔太近", "only {gap:s} after the last one: too soon"),
    "HOLDOUT_GLOBAL": Words(
        "这位用户在全局对照组中，不会被触达",
        "the person is in the global control group and gets nothing",
    ),
    "HOLDOUT_JOURNEY": Words(
        "这位用户在本旅程的对照组中，不会被触达",
        "the person is in this journey's control group and gets nothing from it",
    ),
    "REENTRY_BLOCKED": Words(
        "近期已进入 {entered:.0f} 次，暂不可再次进入",
        "entered {entered:.0f} time(s) of late, may not enter again yet",
    ),
    "NO_ENTITLEMENT": Words(
        "剩余渠道的微信发送额度为 {units:.0f}", "WeChat grants {units:.0f} messages by what is left"
    ),
    "EXPIRED": Words(
        "免打扰结束还要 {release_after:s}，届时已过期",
        "quiet hours end in {release_after:s}, when it will have expired",
    ),
    "BUDGET_PERSON": Words(
        "已为此人花费 ¥{spent_yuan:.2f}（上限 ¥{person_yuan:.2f}）",
        "¥{spent_yuan:.2f} of ¥{person_yuan:.2f} was spent on this person",
    ),
    "SENT": Words("会通过{channel_zh}发送", "would be sent by {channel_en}"),
    "QUIET_DEFERRED": Words(
        "会通过{channel_zh}发送，免打扰后送达", "would be sent by {channel_en}, after quiet hours"
    ),
    "AWAITING_STAFF": Words(
        "会通过{channel_zh}发送，待员工确认",
        "would be sent by {channel_en}, once a member of staff confirms",
    ),
    "SHADOWED": Words(
        "本应通过{channel_zh}发送，但旅程处于影子模式",
        "would be sent by {channel_en}, but the journey only watches",
    ),
}
_STEPS: dict[str, Words] = {
    "wait": Words("等待一段时间", "waits"),
    "until": Words("等到某个时刻", "waits for a time of the day"),
    "wait_for": Words("等待事件", "waits for an event"),
}
_MARKS = {True: "✓", False: "✗", None: "?"}


def words_of(code: str) -> Words:
    """What a code says, without values."""
    return _STANDINGS.get(code) or outcome(code)


def sentence(code: str, seen: dict[str, float], channel: str = "", *, release_ms: int = 0) -> Words:
    """What a code says with the values behind it."""
    template = _SENTENCES.get(code)
    if template is None:
        return words_of(code)
    values = _values(seen)
    if channel:
        values["channel_zh"], values["channel_en"] = pick(CHANNELS, channel)
    try:
        return Words(template.zh.format(**values), template.en.format(**values))
    except KeyError:
        return words_of(code)


def told(answers: Sequence[Why]) -> str:
    """The answers as lines for people."""
    lines: list[str] = []
    user_id = ""
    for answer in answers:
        if answer.user_id != user_id or not answer.journey:
            user_id = answer.user_id
            lines.append(f"用户 User {user_id} · {_when(answer.at_ms, answer.zone)}")
        lines += _journey(answer) if answer.journey else _id(answer)
    return "\n".join(lines)


def _id(answer: Why) -> list[str]:
    zh, en = words_of(answer.code)
    to = f" → {answer.forwarded_to}" if answer.forwarded_to else ""
    return [f"  {answer.code}: {zh}。{_capital(en)}.{to}"]


def _journey(answer: Why) -> list[str]:
    zh, en = sentence(answer.code, answer.seen, answer.gates.channel if answer.gates else "")
    lines = [
        "",
        f"旅程 Journey {answer.journey} v{answer.version} {answer.title} [{answer.status}]",
        f"  {answer.code}: {zh}{_next(answer, zh=True)}。",
        f"  {_capital(en)}{_next(answer, zh=False)}.",
    ]
    if answer.code == "NEEDS_EVENT":
        lines.append(f"  需要事件 needs   {_event(answer)}")
    lines += [_stay(stay, answer.zone) for stay in answer.inside]
    if answer.last is not None:
        last = answer.last
        said = words_of(last.outcome)
        lines.append(
            f"  上次决策 last    {last.outcome} {said.zh} / {said.en}, "
            f"{_when(last.decided_ms, answer.zone)}"
        )
    lines += _condition("进入条件 entry ", answer.entry)
    lines += _condition("持续条件 guard ", answer.guard)
    if answer.gates is not None and answer.code != answer.gates.code:
        lines += _gates(answer.gates, answer.zone)
    lines += _more(answer)
    return lines


def _next(answer: Why, *, zh: bool) -> str:
    if not answer.next_ms:
        return ""
    when = _when(answer.next_ms, answer.zone)
    if answer.next_ms == answer.check_ms:
        return f"，下次每日检查 {when}" if zh else f", at the daily check of {when}"
    if answer.code == "INSIDE":
        return f"，至 {when}" if zh else f", until {when}"
    return f"，最早 {when} 后可再次触达" if zh else f"; next eligible {when}"


def _event(answer: Why) -> str:
    terms = answer.entry.terms if answer.entry is not None else []
    asked = [term.text for term in terms if term.holds is None]
    joined = " or " if answer.entry is not None and answer.entry.any_of else " and "
    condition = f" 且 with {joined.join(asked)}" if asked else ""
    return " / ".join(answer.on) + condition


def _stay(stay: Stay, zone: str) -> str:
    kind = pick(_STEPS, stay.kind)
    event = f" {'/'.join(stay.waits_on)}" if stay.waits_on else ""
    key = f" #{stay.key}" if stay.key else ""
    step = f"v{stay.version}{key} 步骤 step {stay.step}: {kind.zh} {kind.en}{event}"
    return f"  在旅程中 inside  {step}, 至 until {_when(stay.until_ms, zone)}"


def _condition(title: str, condition: Condition | None) -> Iterator[str]:
    if condition is None:
        return
    for number, term in enumerate(condition.terms):
        join = "" if not number else ("或 or " if condition.any_of else "且 and ")
        lead = title if not number else " " * len(title)
        yield f"  {lead}  {_MARKS[term.holds]} {join}{term.text}{_seen(term)}"


def _seen(term: Term) -> str:
    shown = [
        f"{name} = {_span(value) if name in term.durations else _plain(value)}"
        for name, value in term.seen.items()
        if value is not None
    ]
    missing = [name for name, value in term.seen.items() if value is None]
    if missing and term.holds is not None:
        shown += [f"{name} 未知 unknown" for name in missing]
    return f"  ({', '.join(shown)})" if shown else ""


def _gates(gates: Gates, zone: str) -> Iterator[str]:
    """What the policy says of the next step that sends, beside what stands before it."""
    zh, en = sentence(gates.code, gates.seen, gates.channel)
    later = " (等待之后 behind a wait)" if gates.later else ""
    when = f" → {_when(gates.next_ms, zone)}" if gates.next_ms else ""
    yield f"  下次发送 step    {gates.step}{later}: {gates.code} {zh} / {en}{when}"


def _more(answer: Why) -> Iterator[str]:
    gates = answer.gates
    if gates is not None and len(gates.arms) > 1:
        arms = (
            f"{arm.arm or '-'} {arm.refused_by or f'{arm.propensity:.2g}'}" for arm in gates.arms
        )
        yield f"  方案 arms        {', '.join(arms)}"
    if gates is not None and gates.left_fen:
        left = ", ".join(f"{name} ¥{fen / 100:,.2f}" for name, fen in gates.left_fen.items())
        yield f"  预算 budget      本分区可用 left in this partition: {left}"
    if answer.control and answer.code != answer.control:
        zh, en = sentence(answer.control, {})
        yield f"  对照组 control   {zh} / {en}"
    if answer.safety_paused_ms:
        when = _when(answer.safety_paused_ms, answer.zone)
        yield f"  安全暂停 paused  营销已被安全规则暂停 by the safety rules since {when}"


def _values(seen: dict[str, float]) -> dict[str, object]:
    found: dict[str, object] = dict(seen)
    for name, value in seen.items():
        if name.endswith("_ms"):
            found[name.removesuffix("_ms")] = _span(value)
        elif name.endswith("_fen"):
            found[name.removesuffix("_fen") + "_yuan"] = value / 100
    return found


def _when(at_ms: int, zone: str) -> str:
    """`2026-11-24 09:30 (01:30 UTC)`, with the date where that is another one."""
    utc = datetime.fromtimestamp(at_ms / 1000, UTC)
    local = utc.astimezone(zone_of(zone) or UTC)
    shown = f"{utc:%H:%M}" if utc.date() == local.date() else f"{utc:%m-%d %H:%M}"
    return f"{local:%Y-%m-%d %H:%M} ({shown} UTC)"


def _span(ms: float) -> str:
    minutes = ms / 60_000
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 2_880 else f"{minutes / 1_440:.1f} d"


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
