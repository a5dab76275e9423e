"""What lint says: a stable code, a place in the file, what is wrong there and what to do."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Level = Literal["error", "warning"]

# Code -> (level, what it means). Closed: every finding has one of these.
CODES: Final[dict[str, tuple[Level, str]]] = {
    "SHAPE": ("error", "the file does not compile: an unknown step, event type or word"),
    "TOO_LARGE": ("error", "more than a partition keeps of one version"),
    "UNREACHABLE_STEP": ("error", "no way leads to this step"),
    "NO_WAY_OUT": ("error", "the way goes round for as long as exit.after allows"),
    "NO_LIMIT_SAID": ("warning", "the journey does not say how long it lasts at most"),
    "ENDS_BEFORE": ("error", "exit.after is over before this step can come"),
    "NO_EXIT": ("error", "who unfollows or withdraws consent stays in the journey"),
    "BLIND_CONDITION": ("error", "asks for a field that one of the event types never has"),
    "KEEPS_ANOTHER": ("error", "keeps who another person is, out of reach of their erasure"),
    "NEVER_TRUE": ("error", "a condition that can never hold"),
    "ASKED_TOO_EARLY": ("error", "asks about a step that has not come yet"),
    "NOT_REMEMBERED": ("error", "counts beyond what is remembered of a person"),
    "NO_GOAL": ("warning", "no goal: the effect cannot be measured"),
    "NO_HOLDOUT": ("warning", "no control group: the effect cannot be measured"),
    "NO_NOTHING_ARM": ("error", "a learning choice without the arm that sends nothing"),
    "NO_NOTHING_SPLIT": ("warning", "a split without the arm that sends nothing"),
    "EMPTY_SEND": ("error", "a send that names nothing to send"),
    "UNKNOWN_REFERENCE": ("error", "names something the content library does not have"),
    "TEMPLATE_KIND": ("error", "a template for another kind of trigger"),
    "TEMPLATE_PURPOSE": ("error", "a marketing text in a service journey"),
    "TEMPLATE_COUPON": ("error", "a text that promises another coupon"),
    "TEMPLATE_CHANNEL": ("error", "no channel of the send has a wording"),
    "CHANNEL_WITHOUT_TEXT": ("warning", "the template has no wording for one of the channels"),
    "IMPOSSIBLE_ENTITLEMENT": ("error", "by then WeChat grants no message by any of the channels"),
    "LUCKY_ENTITLEMENT": ("warning", "a message goes out only if the person wrote by chance"),
    "VALUE_DISCRIMINATION": ("error", "a coupon follows an estimate of what the person would pay"),
    "INDUCEMENT": ("error", "a coupon follows sharing or inviting itself"),
    "REFERRAL_UNCAPPED": ("error", "a reward for people who were brought, without end"),
    "NO_BUDGET": ("warning", "coupons without a budget"),
    "BUDGET_TOO_SMALL": ("error", "a budget that does not pay for one coupon"),
    "BUDGET_UNUSED": ("warning", "a budget without anything that costs money"),
    "CAP_LOOSER": ("error", "a cap that the policy's own makes pointless: it may only tighten"),
    "EXPIRES_IN_QUIET": ("warning", "what comes at the start of the quiet hours dies in them"),
    "CLOCK_WITHOUT_ZONE": ("error", "a test whose clock has no zone"),
    "TEST_LINE": ("error", "a line of a test that cannot be read"),
    "TEST_UNKNOWN": ("error", "a test that speaks of a step or an arm there is not"),
    "NO_TESTS": ("warning", "no inline tests"),
    "VERSION_REUSED": ("error", "the content changed and the version did not"),
    "VERSION_LOWER": ("error", "the version went down"),
    "ID_CHANGED": ("error", "two files that are not of one journey"),
}


class Finding(NamedTuple):
    """`place`: a path of the file, as `step.offer.arm.coupon`."""

    code: str
    place: str
    message: str
    remedy: str

    @property
    def level(self) -> Level:
        return CODES[self.code][0]

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.message}; {self.remedy}"


def errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]
