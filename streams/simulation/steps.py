"""The steps of a visit, by the type of their first event."""

from typing import Any

from streams.simulation.scenarios.scenario import Scenario
from streams.simulation.visit import (
    MISSING_PRICE,
    TEXT_PRICE,
    Step,
    Tables,
    Visit,
)

PAGES = ("pages/index", "pages/category", "pages/my/coupons", "pages/activity")
MENUS = ("新品", "会员中心", "在线客服", "最新活动")
SUBSCRIPTIONS = ("cart_remind_v1", "cart_coupon_v1", "winback_coupon_v1")  # of deploy/content
CONTENT_LOVED = 0.08  # interest below which a person may say "not interested"


def tables_of(scenario: Scenario) -> Tables:
    return Tables(_table(scenario.mini_steps), _table(scenario.account_steps))


def _table(weights: dict[str, int]) -> tuple[Step, ...]:
    return tuple(STEPS[name] for name, weight in weights.items() for _ in range(weight))


def _view_page(visit: Visit) -> None:
    rng = visit.rng
    if rng.random() < 0.5:
        visit.emit(
            "page.viewed", {"page": PAGES[int(rng.random() * 4)], "dwell_ms": visit.dwell_ms(9_000)}
        )
    else:
        page = {"page": "pages/category", "category": visit.category}
        visit.emit("page.viewed", page | {"dwell_ms": visit.dwell_ms(14_000)})


def _view_product(visit: Visit) -> None:
    rng, scenario, person = visit.rng, visit.scenario, visit.person
    item, price_fen = visit.item()
    data: dict[str, Any] = {
        "item_id": item,
        "category": visit.category,
        "tags": scenario.categories[visit.index].tags,
        "price_fen": price_fen,
        "dwell_ms": visit.dwell_ms(22_000),
        "position": int(rng.random() * 20),
    }
    lot = rng.random()
    if lot < MISSING_PRICE:
        del data["price_fen"]
    elif lot < MISSING_PRICE + TEXT_PRICE:
        data["price_fen"] = str(price_fen)
    visit.emit("product.viewed", data)
    chance = scenario.cart * person.buying * (0.5 + 1.2 * person.interests[visit.index])
    if price_fen and rng.random() < chance:
        visit.add_to_cart(item, price_fen)


def _search(visit: Visit) -> None:
    item, _ = visit.item()
    data = {"query": item[:4], "category": visit.category, "results": int(visit.rng.random() * 60)}
    visit.emit("search.performed", data)


def _meet(type: str) -> Step:
    def step(visit: Visit) -> None:
        item, price_fen = visit.item()
        visit.emit(type, {"item_id": item, "category": visit.category, "price_fen": price_fen})

    return step


def _share(type: str) -> Step:
    def step(visit: Visit) -> None:
        item, _ = visit.item()
        visit.emit(type, {"item_id": item, "category": visit.category, "ref": "wechat"})

    return step


def _read_article(visit: Visit) -> None:
    rng = visit.rng
    category = visit.scenario.categories[visit.index]
    share = min(0.15 + rng.random() * (0.4 + visit.person.interests[visit.index]), 1.0)
    data = {
        "article_id": f"{category.name}·第{1 + int(rng.random() * 40)}期",
        "category": category.name,
        "tags": category.tags,
        "dwell_ms": visit.dwell_ms(60_000),
        "read_share": round(share, 2),
    }
    visit.emit("article.read", data)


def _click_menu(visit: Visit) -> None:
    visit.emit("menu.clicked", {"key": MENUS[int(visit.rng.random() * 4)]})


def _send_message(visit: Visit) -> None:
    data = {"msg_kind": "text", "length": 2 + int(visit.rng.expovariate(1 / 14)), "lang": "zh"}
    visit.emit("message.received", data)


def _refuse_interest(visit: Visit) -> None:
    """Said only of what is not loved."""
    index = min(range(len(visit.person.interests)), key=visit.person.interests.__getitem__)
    if visit.person.interests[index] < CONTENT_LOVED:
        name = visit.scenario.categories[index].name
        visit.emit("feedback.not_interested", {"category": name})


def _grant_credit(visit: Visit) -> None:
    template = SUBSCRIPTIONS[int(visit.rng.random() * 3)]
    granted = visit.rng.random() < 0.8
    type = "subscription.credit_granted" if granted else "subscription.credit_refused"
    visit.emit(type, {"template_id": template, "scene": "order"})


def _fill_form(visit: Visit) -> None:
    visit.steps += 1
    form = {"form_id": f"{visit.category}·咨询", "category": visit.category}
    visit.emit("form.opened", form | {"step": "opened"})
    if visit.rng.random() < visit.scenario.form_sent:
        visit.now_ms += 40_000 + int(visit.rng.expovariate(1 / 60_000))
        visit.emit("form.submitted", form | {"step": "sent"})
        visit.person.converted_ms = visit.person.converted_ms or visit.now_ms


def _ask_service(visit: Visit) -> None:
    rng = visit.rng
    agent = f"agent-{1 + int(rng.random() * 9)}"
    visit.emit("service.session_started", {"agent": agent, "topic": visit.category})
    visit.now_ms += 60_000 + int(rng.expovariate(1 / 240_000))
    visit.emit("service.session_ended", {"agent": agent, "topic": visit.category})
    bad = rng.random() < visit.scenario.bad_service
    visit.now_ms += 10_000
    visit.rate("", "客服", slow=bad, type="item.reviewed")


def _enter_group(visit: Visit) -> None:
    number = 1 + visit.person.index % 97
    visit.emit("group.entered", {"group_id": f"group-{number}", "scene": "share_card"})


def _join_group(visit: Visit) -> None:
    number = 1 + int(visit.rng.random() * 97)
    visit.emit("group.member_joined", {"group_id": f"group-{number}", "scene": "qr"})


def _add_contact(visit: Visit) -> None:
    visit.emit("contact.added", {"staff": f"staff-{1 + visit.person.index % 20}", "state": "group"})


def _click_ad(visit: Visit) -> None:
    ad = f"ad-{visit.category}"
    visit.emit("ad.clicked", {"ad_id": ad, "campaign": "moments", "category": visit.category})


def _scan(visit: Visit) -> None:
    visit.emit("qr.scanned", {"scene_id": f"store-{1 + int(visit.rng.random() * 30)}"})


def _report_location(visit: Visit) -> None:
    visit.emit("location.reported", {"geohash": "wtw3s"})


STEPS: dict[str, Step] = {
    "page.viewed": _view_page,
    "product.viewed": _view_product,
    "search.performed": _search,
    "item.liked": _meet("item.liked"),
    "item.favourited": _meet("item.favourited"),
    "item.commented": _meet("item.commented"),
    "share.initiated": _share("share.initiated"),
    "share.opened": _share("share.opened"),
    "article.read": _read_article,
    "menu.clicked": _click_menu,
    "message.received": _send_message,
    "feedback.not_interested": _refuse_interest,
    "subscription.credit_granted": _grant_credit,
    "form.opened": _fill_form,
    "service.session_started": _ask_service,
    "group.entered": _enter_group,
    "group.member_joined": _join_group,
    "contact.added": _add_contact,
    "ad.clicked": _click_ad,
    "qr.scanned": _scan,
    "location.reported": _report_location,
}
