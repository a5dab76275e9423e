"""Each rule of lint finds what it is for, by a stable code, and lets a right journey be."""

import pytest
from msgspec.structs import replace

from streams.journey_files.findings import CODES
from streams.journey_files.lint import lint_versions

from .builders import GOOD, codes, findings, journey

SEND = '[[step]]\nid = "offer"'
WAIT = '[[step]]\nid = "cool"\nwait = "30m"'
MARKETING = 'status = "live"'
LAST = "[[test]]\nname"
REMIND = 'template = "cart_remind_v1"'

Change = tuple[str, str]

# Code -> what must be changed in the right journey for it to be found.
FOUND: dict[str, list[Change]] = {
    "SHAPE": [('on = "cart.added"', 'on = "cart.aded"')],
    "TOO_LARGE": [("购物车", "车" * 5_000)],
    "UNREACHABLE_STEP": [(WAIT, WAIT + '\ngoto = "exit"')],
    "NO_WAY_OUT": [(LAST, '[[step]]\nid = "round"\nwait = "1h"\ngoto = "cool"\n' + LAST)],
    "NO_LIMIT_SAID": [('after = "7d"\n', "")],
    "ENDS_BEFORE": [('wait = "30m"', 'wait = "8d"')],
    "NO_EXIT": [(', "consent.withdrawn"', "")],
    "BLIND_CONDITION": [
        (
            'on = "cart.added"',
            'on = ["cart.added", "search.performed"]\nwhere = "data.price_fen > 0"',
        )
    ],
    "KEEPS_ANOTHER": [
        ('on = "cart.added"', 'on = "user.followed"'),
        ("entry.value_fen >= 3900", "entry.invited_by != ''"),
    ],
    "NEVER_TRUE": [("entry.value_fen >= 3900", "entry.value_fen > 5 and entry.value_fen < 3")],
    "ASKED_TOO_EARLY": [(WAIT, '[[step]]\nid = "early"\nif = "clicked(\'offer\')"\n' + WAIT)],
    "NOT_REMEMBERED": [("entry.value_fen >= 3900", "count('page.viewed', '7d') >= 9")],
    "NO_GOAL": [('[goal]\non = "order.paid"\nwindow = "3d"\n', "")],
    "NO_HOLDOUT": [("share = 0.1", "share = 0.0")],
    "NO_NOTHING_ARM": [('  [[step.arm]]\n  id = "nothing"\n', "")],
    "NO_NOTHING_SPLIT": [
        ('  [[step.arm]]\n  id = "nothing"\n', ""),
        ('decide = "thompson"', 'decide = "split"'),
    ],
    "EMPTY_SEND": [(LAST, '[[step]]\nid = "more"\nsend = {channel = "auto"}\n' + LAST)],
    "UNKNOWN_REFERENCE": [(REMIND, 'template = "cart_remaind_v1"')],
    "TEMPLATE_KIND": [(REMIND, 'template = "cart_coupon_v1"')],
    "TEMPLATE_PURPOSE": [(MARKETING, 'status = "live"\npurpose = "service"')],
    "TEMPLATE_COUPON": [('"cart_coupon_v1"', '"repeat_coupon_v1"')],
    "TEMPLATE_CHANNEL": [(REMIND, 'channel = ["wecom"]\n  template = "cart_remind_v1"')],
    "CHANNEL_WITHOUT_TEXT": [
        (REMIND, 'channel = ["wecom", "mini_programme"]\n  template = "cart_remind_v1"')
    ],
    "IMPOSSIBLE_ENTITLEMENT": [
        ('wait = "30m"', 'wait = "3d"'),
        (REMIND, 'channel = ["customer_service"]\n  template = "cart_remind_v1"'),
    ],
    "LUCKY_ENTITLEMENT": [
        (REMIND, 'channel = ["customer_service"]\n  template = "cart_remind_v1"')
    ],
    "VALUE_DISCRIMINATION": [("entry.value_fen >= 3900", "profile.spend_fen >= 100000")],
    "INDUCEMENT": [
        ('on = "cart.added"', 'on = "share.initiated"'),
        ("entry.value_fen >= 3900", "profile.orders >= 1"),
    ],
    "REFERRAL_UNCAPPED": [("entry.value_fen >= 3900", "profile.invited_converted >= 1")],
    "NO_BUDGET": [("[budget]\ntotal_fen = 1_000_000\n", "")],
    "BUDGET_TOO_SMALL": [("total_fen = 1_000_000", "total_fen = 499")],
    "BUDGET_UNUSED": [('  coupon = "CART5"\n', ""), ('"cart_coupon_v1"', '"cart_last_v1"')],
    "CAP_LOOSER": [("[budget]", '[limits]\ncaps = [{ max = 4, per = "7d" }]\n[budget]')],
    "EXPIRES_IN_QUIET": [('expire = "24h"', 'expire = "8h"')],
    "CLOCK_WITHOUT_ZONE": [('name = "提醒"', 'name = "提醒"\nclock = "2026-11-23T10:00:00"')],
    "TEST_LINE": [("+30m SENT arm=remind", "+30m SEND arm=remind")],
    "TEST_UNKNOWN": [('arm = { offer = "remind" }', 'arm = { offer = "none" }')],
    "NO_TESTS": [(GOOD[GOOD.index("[[test]]") :], "")],
}
OF_VERSIONS = {"VERSION_REUSED", "VERSION_LOWER", "ID_CHANGED"}


def test_the_right_journey_has_no_finding() -> None:
    assert findings() == []


@pytest.mark.parametrize("code", FOUND)
def test_lint_finds(code: str) -> None:
    assert code in codes(*FOUND[code])


@pytest.mark.parametrize("condition", ["profile.segment == 'champions'", "profile.cluster != ''"])
def test_no_coupon_follows_a_segment_of_spending(condition: str) -> None:
    assert "VALUE_DISCRIMINATION" in codes(("entry.value_fen >= 3900", condition))


def test_every_code_has_a_test() -> None:
    assert FOUND.keys() | OF_VERSIONS == CODES.keys()


def test_a_finding_says_where_what_and_what_to_do() -> None:
    (found,) = findings(("share = 0.1", "share = 0.0"))
    assert str(found) == "holdout.share: NO_HOLDOUT: share is 0; add [holdout] with share = 0.05"
    assert found.level == "warning"


def test_an_unknown_template_is_shown_with_the_one_that_was_meant() -> None:
    (found,) = findings((REMIND, 'template = "cart_remaind_v1"'))
    assert found.place == "step.offer.arm.remind.template"
    assert found.remedy == "did you mean cart_remind_v1?"


def test_an_unknown_wording_is_found() -> None:
    assert codes((REMIND, 'template = "cart_remind_v1/hulp"')) == ["UNKNOWN_REFERENCE"]


def test_all_wordings_of_a_template_may_be_named() -> None:
    assert codes((REMIND, 'template = "cart_remind_v1/*"')) == []


def test_a_field_asked_for_with_exists_may_be_missing() -> None:
    where = 'where = "not exists(data.amount_fen) or data.amount_fen > 0"\nafter = "7d"'
    assert codes(('after = "7d"', where)) == []


def test_a_message_after_a_wait_for_what_grants_it_is_possible() -> None:
    awaited = '[[step]]\nid = "cool"\nwait_for = { on = "message.received", within = "3d" }\n'
    alone = (REMIND, 'channel = ["customer_service"]\n  template = "cart_remind_v1"')
    assert codes((WAIT, awaited + 'else = "exit"'), alone) == []


def test_a_message_a_minute_after_the_follow_is_possible_and_two_are_not() -> None:
    changes = [
        ('on = "cart.added"', 'on = "user.followed"'),
        ("entry.value_fen >= 3900", "profile.orders >= 1"),
        (REMIND, 'channel = ["customer_service"]\n  template = "cart_remind_v1"'),
    ]
    assert codes(*changes, ('wait = "30m"', 'wait = "30s"')) == []
    assert codes(*changes, ('wait = "30m"', 'wait = "2m"')) == ["LUCKY_ENTITLEMENT"]


def test_a_send_at_a_time_of_the_day_may_expire_within_the_quiet_hours() -> None:
    until = (WAIT, '[[step]]\nid = "cool"\nuntil = "11:00"')
    assert codes(until, ('expire = "24h"', 'expire = "2h"')) == []
    assert codes((WAIT, '[[step]]\nid = "cool"\nuntil = "23:00"'), ('"24h"', '"2h"')) == [
        "EXPIRES_IN_QUIET"
    ]


def test_a_cap_that_tightens_the_policy_is_right() -> None:
    cap = '[limits]\ncaps = [{ max = 1, per = "7d" }]\n[budget]'
    assert codes(("[budget]", cap)) == []


def test_a_service_journey_needs_no_control_group() -> None:
    changes = (MARKETING, 'status = "live"\npurpose = "service"'), ("share = 0.1", "share = 0.0")
    assert "NO_HOLDOUT" not in codes(*changes)


def test_the_same_version_with_another_content_may_not_be_published() -> None:
    older, newer = journey(), journey(('wait = "30m"', 'wait = "1h"'))
    assert [one.code for one in lint_versions(older, newer)] == ["VERSION_REUSED"]


def test_other_tests_alone_need_no_new_version() -> None:
    assert lint_versions(journey(), replace(journey(), tests=[])) == []


def test_a_lower_version_may_not_be_published() -> None:
    older = journey(("version = 1", "version = 3"))
    assert [one.code for one in lint_versions(older, journey())] == ["VERSION_LOWER"]


def test_two_journeys_are_not_versions_of_each_other() -> None:
    other = journey(('id = "cart"', 'id = "basket"'))
    assert [one.code for one in lint_versions(journey(), other)] == ["ID_CHANGED"]


@pytest.mark.parametrize(
    "change",
    [
        ('on = "cart.added"', 'on = "cart.added"\nwhere = "profile.invited >= 3"'),
        ('wait = "30m"', 'wait_for = { on = "share.initiated", within = "2h" }'),
        ("entry.value_fen >= 3900", "count('share.initiated', '7d') >= 1"),
    ],
    ids=["inviting", "waiting for a share", "counting shares"],
)
def test_no_coupon_follows_sharing_or_inviting_itself(change: Change) -> None:
    assert "INDUCEMENT" in codes(change)


def test_a_capped_coupon_may_follow_people_who_were_brought_and_ordered() -> None:
    where = 'on = "cart.added"\nwhere = "profile.invited_converted >= 1"\n'
    capped = [
        ('on = "cart.added"', where + 'reentry = { max = 1, per = "30d" }'),
        ("total_fen = 1_000_000", 'total_fen = 1_000_000\nperson = { fen = 500, per = "30d" }'),
    ]
    assert not {"INDUCEMENT", "REFERRAL_UNCAPPED"} & set(codes(*capped))
    assert "REFERRAL_UNCAPPED" in codes(capped[0])
