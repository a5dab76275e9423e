"""What can never hold is told; what may hold is let be."""

import pytest

from streams.journey_files.conditions import contradiction, counts_beyond


@pytest.mark.parametrize(
    "text",
    [
        "profile.orders > 5 and profile.orders < 3",
        "profile.orders > 3 and profile.orders <= 3",
        "3 < profile.orders and profile.orders == 2",
        "profile.city == '杭州' and profile.city == '上海'",
        "profile.city in ['杭州', '上海'] and profile.city == '北京'",
        "profile.city == '杭州' and profile.city != '杭州'",
        "count('page.viewed', '7d') >= 3 and count( 'page.viewed','7d' ) < 3",
        "false",
        "profile.orders > 1 and false",
        "(profile.orders > 2 and profile.orders < 1) or false",
        "not true",
    ],
)
def test_never(text: str) -> None:
    assert contradiction(text)


@pytest.mark.parametrize(
    "text",
    [
        "profile.orders >= 3 and profile.orders <= 3",
        "profile.orders > 5 or profile.orders < 3",
        "profile.city == '杭州' and profile.region == '上海'",
        "profile.city in ['杭州', '上海'] and profile.city != '杭州'",
        "count('page.viewed', '7d') >= 3 and count('page.viewed', '1d') < 3",
        "not profile.followed and profile.contact",
        "(profile.orders > 2 and profile.orders < 1) or profile.followed",
    ],
)
def test_perhaps(text: str) -> None:
    assert contradiction(text) == ""


def test_counts_up_to_what_is_remembered_are_right() -> None:
    assert counts_beyond("count('page.viewed', '7d') >= 8") == ""
    assert counts_beyond("8 < count('page.viewed', '7d')") == "8 < count('page.viewed', '7d')"
    assert counts_beyond("not (count('page.viewed', '7d') == 12)")
