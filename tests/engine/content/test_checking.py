"""The one door: what no wording may say, what it must, and what fits."""

import msgspec
import pytest

from streams.contract.content import FAULTS, Variant
from streams.engine.content.checking import Rules, admit, check_variant
from tests.engine.content.builders import (
    CART10,
    codes,
    field_codes,
    keyed,
    rules,
    shipped,
    template,
)

COUPON = {"kind": "coupon", "coupon": "CART10"}


def test_an_honest_text_has_no_fault() -> None:
    assert codes("您选的{entry.item_title|商品}还在购物车里。") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{who}您好", "PLACEHOLDER"),
        ("{profile.city|{entry.category|x}}", "PLACEHOLDER"),
        ("{profile.city", "PLACEHOLDER"),
        ("您好}", "PLACEHOLDER"),
        ("{profile.name}您好", "PERSONAL_DATA"),
        ("{profile.phone|您}", "PERSONAL_DATA"),
        ("{openid}", "PERSONAL_DATA"),
        ("{profile.city}的朋友", "NO_DEFAULT"),
        ("{coupon.amount}元", "NO_DEFAULT"),
        ("点 http://shop.example 看看", "LINK"),
        ("点 HTTP://shop.example 看看", "LINK"),
        ("点 www.shop.example 看看", "LINK"),
        ("加微信13800138000", "PHONE"),
        ("致电 138 0013 8000", "PHONE"),
        ("致电 138-0013-8000", "PHONE"),
        ("致电400-820-8820", "PHONE"),
        ("致电010-88888888", "PHONE"),
        ("   ", "EMPTY"),
        ("送您一张10元优惠券", "COUPON_VALUE"),
        ("下单立减20", "COUPON_VALUE"),
    ],
)
def test_what_a_text_must_not_hold_is_named(text: str, code: str) -> None:
    assert set(codes(text)) == {code}


def test_links_by_https_and_numbers_that_are_no_telephone_are_fine() -> None:
    assert codes("见 https://shop.example/a,订单号 2026112200012345678") == []


@pytest.mark.parametrize(
    "text",
    [
        "顶级面料",
        "顶 级面料",
        "頂級面料",
        "顶·级",
        "顶\u200b级",
        "全网 Ｔｏｐ１",
        "N O. 1",
        "销量第一",
        "國家級",
        "100％有效",
        "史上最低价",
        "蕞佳",
        "{profile.city|国家级}好物",
    ],
)
def test_forbidden_words_are_found_however_they_are_written(text: str) -> None:
    assert codes(text) == ["BANNED_WORD"]


@pytest.mark.parametrize("text", ["第一时间通知您", "100元以上包邮", "最近上新", "第二。一起看"])
def test_harmless_words_that_look_alike_pass(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "转发到朋友圈即可领取",
        "转发本消息,马上送礼",
        "关注公众号领红包",
        "分享给三位好友领取",
        "集 赞 有礼",
        "朋友圈发截图",
        "请好友助力",
        "帮我砍一刀",
    ],
)
def test_rewards_for_sharing_or_following_are_found(text: str) -> None:
    assert "INDUCEMENT" in codes(text)


@pytest.mark.parametrize(
    ("text", "category", "code"),
    [
        ("保本保息,稳健之选", "理财", "BANNED_WORD"),
        ("本课程保过", "公考", "BANNED_WORD"),
        ("一周祛疤", "护肤", "BANNED_WORD"),
        ("稳健理财一号开放购买", "理财", "REQUIRED_WORD"),
        ("消费贷款额度已开通", "贷款", "REQUIRED_WORD"),
        ("参加抽奖", "女装", "REQUIRED_WORD"),
    ],
)
def test_categories_have_their_own_words(text: str, category: str, code: str) -> None:
    assert code in codes(text, category=category)


def test_words_of_one_category_do_not_bind_another() -> None:
    assert codes("这节课保过年不打烊", category="女装") == []


def test_a_required_word_satisfies() -> None:
    assert codes("稳健理财一号。投资有风险。", category="理财") == []
    assert codes("参加抽奖,活动规则见详情页") == []


def test_an_ad_must_say_that_it_is_one() -> None:
    ad = {"kind": "ad", "channels": ["ads"]}
    assert codes("{ad.title}", **ad) == ["REQUIRED_WORD"]
    assert codes("{ad.label}:{ad.title}", **ad) == []


@pytest.mark.parametrize(
    "text",
    [
        "满99减10元",
        "满99元减10元",
        "10元券,满99可用",
        "¥10",
        "十元券",
        "满九十九元减十元",
        "2天有效",
        "48小时内有效",
        "减{coupon.amount}元",
    ],
)
def test_what_the_coupon_gives_may_be_said(text: str) -> None:
    assert codes(text, **COUPON) == []


@pytest.mark.parametrize(
    "text",
    [
        "满99减20元",
        "满59减10元",
        "20元券",
        "￥20",
        "二十元券",
        "8折券",
        "八折",
        "3天内有效",
        "10.5元",
        "1,000元券",
    ],
)
def test_what_the_coupon_does_not_give_is_a_fault(text: str) -> None:
    assert set(codes(text, **COUPON)) == {"COUPON_VALUE"}


def test_a_template_for_any_coupon_must_say_amounts_by_slots() -> None:
    assert codes("满99减10元", kind="coupon") == ["COUPON_VALUE", "COUPON_VALUE"]
    assert codes("满{coupon.least_order}减{coupon.amount}元", kind="coupon") == []


def test_a_text_too_long_with_its_longest_values_is_refused() -> None:
    limit = rules().texts["ads", "text"].most
    ad = {"kind": "ad", "channels": ["ads"]}
    assert codes("广告" + "好" * (limit - 2), **ad) == []
    assert codes("广告" + "好" * (limit - 1), **ad) == ["TOO_LONG"]
    assert codes("广告{ad.title}" + "好" * (limit - 33), **ad) == ["TOO_LONG"]


def test_bytes_are_counted_where_the_limit_is_in_bytes() -> None:
    limit = rules().texts["wecom", "text"]
    assert limit.unit == "bytes"
    within = "好" * (limit.most // 3)
    assert codes(within, channels=["wecom"]) == []
    assert codes(within + "好", channels=["wecom"]) == ["TOO_LONG"]


@pytest.mark.parametrize(
    "texts",
    [
        {"thing1": "{entry.item_title|商品}"},
        {"thing1": "您看的{entry.item_title:17|商品}"},
        {"amount1": "{coupon.amount}元"},
        {"amount1": "¥{coupon.amount}"},
        {"date1": "{coupon.until}"},
        {"time1": "{now}"},
        {"phrase1": "待付款"},
        {"number1": "{coupon.valid_days}"},
        {"character_string1": "NO-2026"},
    ],
)
def test_fields_that_wechat_takes_pass(texts: dict[str, str]) -> None:
    assert field_codes(**texts) == []


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"thing1": "您看的{entry.item_title|商品}"}, "TOO_LONG"),
        ({"thing1": "一二三四五六七八九十一二三四五六七八九十多"}, "TOO_LONG"),
        ({"phrase1": "六个汉字太长"}, "TOO_LONG"),
        ({"phrase1": "ok"}, "FIELD_TYPE"),
        ({"phrase1": "{profile.city:5|本地}"}, "FIELD_TYPE"),
        ({"amount1": "约{coupon.amount}元"}, "FIELD_TYPE"),
        ({"date1": "{now}"}, "FIELD_TYPE"),
        ({"character_string1": "订单"}, "FIELD_TYPE"),
        ({"thing1": "一\n二"}, "FIELD_TYPE"),
        ({"thing1": "{profile.city|}"}, "FIELD_TYPE"),
        ({"name1": "张三"}, "FIELD_TYPE"),
        ({"thing": "商品"}, "FIELD_TYPE"),
    ],
)
def test_fields_that_wechat_refuses_are_refused_here(texts: dict[str, str], code: str) -> None:
    assert code in field_codes(**texts)


def test_all_wordings_of_a_template_fill_the_same_fields() -> None:
    made, _ = keyed(thing1="商品", thing2="说明")
    _, other = keyed(thing1="商品", thing3="说明")
    (fault,) = check_variant(other, made, rules())
    assert fault.code == "FIELD_TYPE"


def test_a_keyed_channel_needs_fields_and_a_free_one_text() -> None:
    both = template(channels=["mini_programme", "wecom"])
    faults = check_variant(Variant(id="a"), both, rules())
    assert [fault.code for fault in faults] == ["EMPTY", "EMPTY"]


def test_a_wording_that_tells_of_the_person_must_be_marked_so() -> None:
    variant = Variant(id="a", text="{profile.city|本地}的朋友")
    (fault,) = check_variant(variant, template(), rules())
    assert fault.code == "NOT_NEUTRAL"


@pytest.mark.parametrize("text", ["{entry.item_title|商品}", "{days_away|几}天", "您好"])
def test_the_neutral_wording_tells_nothing_of_the_person(text: str) -> None:
    variant = Variant(id="n", text=text, personalised=True)
    faults = check_variant(variant, template(), rules(), neutral=True)
    assert [(fault.code, fault.where) for fault in faults] == [
        ("NOT_NEUTRAL", "templates[t].neutral")
    ]


def test_only_wordings_without_fault_are_admitted() -> None:
    good = Variant(id="good", text="有新品上架")
    bad = Variant(id="bad", text="全网第一的新品")
    again = Variant(id="good", text="今日上新")
    admitted, refused = admit(template(), [good, bad, again], rules())
    assert admitted == [good]
    assert [(v.id, [f.code for f in faults]) for v, faults in refused] == [
        ("bad", ["BANNED_WORD"]),
        ("good", ["DUPLICATE"]),
    ]


def test_a_fault_says_where_what_and_what_to_do() -> None:
    variant = Variant(id="b", text="顶级面料")
    (fault,) = check_variant(variant, template(), rules())
    assert fault.code in FAULTS
    assert str(fault).startswith("templates[t].variants[b].text: BANNED_WORD: 顶级: 绝对化用语; ")
    assert "\n" not in str(fault)


def test_limits_are_data() -> None:
    library = shipped()
    fields = [
        msgspec.structs.replace(limit, most=5) if limit.type == "thing" else limit
        for limit in library.limits.fields
    ]
    limits = msgspec.structs.replace(library.limits, fields=fields)
    made, variant = keyed(thing1="六个汉字太长")
    assert check_variant(variant, made, rules()) == []
    narrower = Rules(limits, library.words, [CART10])
    assert [fault.code for fault in check_variant(variant, made, narrower)] == ["TOO_LONG"]
