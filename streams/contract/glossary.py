"""What every field of the contract means, with a value as an example; the schemas are made of it.

A name means the same wherever it stands; where it does not, `Structure.name` says what it means.
"""

from typing import Any, Final

from streams.contract.content_glossary import CONTENT
from streams.contract.insights_glossary import INSIGHTS
from streams.contract.journeys_glossary import JOURNEYS, POLICY
from streams.contract.reports_glossary import REPORTS

_HASH: Final = "0f3c2a9d8e7b6c5a4f3e2d1c0b9a8f7e"
_ALIAS: Final = "xeIk4Z4Lve6tl8wzTTVyPg"

FIELDS: Final[dict[str, tuple[str, Any]]] = {
    # the envelope
    "id": (
        "The producer's id of the event; the same whenever the same thing is told again.",
        _HASH,
    ),
    "source": (
        "The app that spoke, e.g. wx:oa:<appid>, wx:mp:<appid>, wecom:<corpid>.",
        "wx:mp:wx1",
    ),
    "type": ("The canonical type of the event.", "product.viewed"),
    "subject": (
        "The person: an openid, unionid:<id>, external_userid:<id>, or user:<user_id>.",
        "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    ),
    "time_ms": ("When it happened.", 1_763_798_400_000),
    "ingest_ms": ("When the gateway heard of it.", 1_763_798_400_250),
    "data": ("What the event says, by its type.", {}),
    "specversion": ("The version of the envelope; 1.0.", "1.0"),
    "tenant": ("The tenant; one deployment serves one.", "default"),
    "brand": ("The brand within the tenant.", "flagship"),
    "trust": ("How the gateway knows: signed, transport-only, client or derived.", "signed"),
    "backfill": ("History: models learn from it, nobody is addressed.", False),
    # what events say
    "scene_id": ("The scene of the QR code.", "1047"),
    "via_qr": ("Whether a QR code led here.", True),
    "invited_by": (
        "Native id of who invited; an alias after the intake.",
        "oFriendFriendFriend12345678",
    ),
    "reason": ("Why, as a short code.", "by_customer"),
    "key": ("The key of the menu entry.", "V1001_NEW"),
    "url_no_query": ("The URL opened, without what follows ? or #.", "https://shop.example/new"),
    "geohash": ("At most five characters of geohash, given with consent.", "wx4g0"),
    "msg_kind": ("text, image, voice, video, location or link.", "text"),
    "length": ("Characters of the text, which itself stays with the producer.", 24),
    "lang": ("Language of the text, BCP 47.", "zh-CN"),
    "template_id": ("The template as WeChat knows it.", "cart_remind_v1"),
    "scene": ("Where it happened, as WeChat calls it.", "2"),
    "page": ("Path of the page, without its query.", "pages/item/item"),
    "category": ("Category of the item or page.", "dresses"),
    "tags": ("Tags, at most sixteen.", ["summer", "new"]),
    "dwell_ms": ("How long the person stayed.", 5_400),
    "ref": ("What led here: a share or a trigger id.", "share-7"),
    "item_id": ("The item.", "sku-1001"),
    "price_fen": ("Price of one item.", 19_900),
    "position": ("Place in the list in which it was shown, from zero.", 3),
    "exposure_id": ("The showing that led to it, as the app counts them.", "exp-42"),
    "cart_id": ("The cart.", "cart-7"),
    "quantity": ("How many.", 1),
    "query": ("What was searched for; producers leave personal data out.", "linen dress"),
    "results": ("How many results were shown.", 12),
    "group_id": ("The group, pseudonymous at the producer.", "g-5f2a"),
    "article_id": ("The article.", "article-2026-11"),
    "read_share": ("Share of the article that was read, in [0, 1].", 0.8),
    "stars": ("One to five.", 5),
    "order_id": ("The order, as text: WeChat's exceed 2^53.", "3705115058471208928"),
    "campaign": ("The campaign or journey.", "churn_coupon"),
    "ad_id": ("The ad.", "ad-9"),
    "cost_fen": ("What it costs us.", 1_000),
    "amount_fen": ("Amount, discounts taken off.", 18_900),
    "items": ("The lines of the order.", []),
    "coupon_id": ("The coupon in the person's hands.", "coupon-77"),
    "discount_fen": ("What was taken off.", 1_000),
    "device": ("An id of the device that differs from others; a pseudonym after the intake.", "dv-3"),
    "address": (
        "Where it is delivered to, always written the same way; a pseudonym after the intake.",
        "上海市徐汇区漕溪北路1号2室",
    ),
    "transaction_id": ("WeChat Pay's number of the transaction.", "4200001234202611220000000001"),
    "total_fen": ("Amount of the payment before promotions.", 19_900),
    "payer_total_fen": ("What the person paid.", 18_900),
    "promotions": ("Coupons that lowered the payment.", []),
    "stock_id": ("The coupon batch at WeChat Pay.", "98765432"),
    "sku": ("The coupon as our catalogue knows it.", "WINBACK10"),
    "trigger_id": ("The trigger; use it as idempotency key.", _HASH),
    "face_value_fen": ("Face value of the coupon.", 1_000),
    "kind": ("coupon, message, content or ad.", "coupon"),
    "Coupon.kind": ("favor, busifavor, product, shop or card.", "favor"),
    "staff": ("The member of staff, pseudonymous at the producer.", "staff-12"),
    "state": ("The state, as the channel calls it.", "delivered"),
    "Contact.state": ("Where the contact came from, as set in the contact way.", "shop-door"),
    "agent": ("Who served, pseudonymous at the producer.", "kf-3"),
    "topic": ("The Kafka topic.", "events"),
    "Service.topic": ("What the session is about.", "sizes"),
    "channel": ("official_account, mini_programme, customer_service, group, wecom, ads.", "wecom"),
    "Consent.channel": ("A channel, or * for all.", "*"),
    "code": ("The provider's code, e.g. WeChat's errcode.", "0"),
    "provider_message_id": ("The provider's id of the message.", "msgid-1"),
    "form_id": ("The form.", "enrolment-2026"),
    "step": ("The step of the journey.", "remind"),
    "Form.step": ("How far the form was filled in.", "contact"),
    "other": (
        "Native id of the same person; an alias after the intake.",
        "unionid:oUnionUnionUnion1234",
    ),
    "other_source": ("The source in whose namespace `other` lies, if another.", "wx:oa:wx2"),
    "method": (
        "How the link is known: unionid, code2session, unionid_to_external_userid.",
        "unionid",
    ),
    "purpose": ("marketing or service.", "marketing"),
    "Consent.purpose": ("marketing, service, or * for all.", "marketing"),
    "version": ("Version of the text the person agreed to.", "2026-10"),
    "basis": ("consent or contract.", "consent"),
    "attributes": ("What the person told us: name in lower snake case to value.", {"sex": "f"}),
    "AbuseVerdict.reason": ("What was found, as a short code.", "ring_device"),
    "by": ("Who found it, pseudonymous at the producer.", "staff-12"),
    "exempt_days": ("For so many days who was cleared is not suspected again.", 90),
    "provenance": ("Where and how it was told.", "member form"),
    "consent_version": ("Version of the consent that allows it.", "2026-10"),
    # triggers and decisions
    "user_id": ("The person: an alias and, after a dot, an erasure's generation.", _ALIAS),
    "created_at_ms": ("When the decision was taken.", 1_763_798_400_300),
    "not_before_ms": ("Not to be sent earlier; the end of quiet hours.", 1_763_798_400_300),
    "expires_at_ms": ("Not to be sent from then on; drop it.", 1_763_971_200_300),
    "campaign_version": ("Version of the campaign.", 1),
    "decision_id": ("The decision behind it.", "1f3c2a9d8e7b6c5a4f3e2d1c0b9a8f7e"),
    "cause_event_id": ("The event or timer that led to it.", _HASH),
    "experiment": ("Arm and propensity, for evaluation.", None),
    "explanation": ("Why this person, in a form that can be told.", None),
    "personalised": ("Whether a model of this person chose it.", True),
    "coupon": ("What to hand out.", None),
    "message": ("What to say.", None),
    "content": ("What to show.", None),
    "params": ("Values for the template's fields.", {"thing1": "Linen dress"}),
    "arm": ("The arm drawn.", "treatment"),
    "propensity": ("Probability with which the arm was drawn, in (0, 1].", 0.9),
    "holdout": ("Whether the person is in the control group.", False),
    "Explanation.reason": ("Reason code.", "churn_risk"),
    "score": ("Score, in [0, 1].", 0.72),
    "top": ("The features that weighed most.", []),
    "feature": ("The feature.", "silent_days"),
    "value": ("Its value.", 6.5),
    "contribution": ("What it added to the score, in log-odds.", 1.4),
    "journey": ("The journey.", "churn_coupon"),
    "journey_version": ("Version of the journey.", 1),
    "outcome": ("How it ended; one of a closed list.", "SENT"),
    "decided_at_ms": ("When the decision was taken.", 1_763_798_400_300),
    "next_eligible_at_ms": (
        "When the same could be decided otherwise at the earliest.",
        1_763_884_800_300,
    ),
    "seen": ("The values the deciding gate saw.", {"sent_7d": 1.0}),
    "candidates": ("The arms it was about, `hold` being the control groups'.", []),
    "refused_by": ("The code of the gate that refused the arm; empty where none did.", "CAP_GAP"),
    "Candidate.propensity": ("Probability with which the arm was drawn, in [0, 1].", 0.45),
    "features": ("The numbers the chooser saw.", [0.5, 1.0]),
    "chooser": ("How the arm was chosen: fixed, split, thompson, linucb.", "thompson"),
    "awaits_staff": ("Whether a member of staff has to confirm it before it goes out.", False),
    # the profile 用户画像
    "updated_at_ms": ("When the profile was last changed.", 1_763_798_400_300),
    "first_seen_ms": ("When the person was first seen.", 1_761_206_400_000),
    "last_active_ms": ("When the person was last active.", 1_763_798_400_000),
    "lifecycle": ("new, active, loyal, at_risk, lost or unfollowed.", "active"),
    "events": ("Events so far.", 57),
    "active_days": ("Days with activity so far.", 12),
    "activity": ("Events, decayed with a half-life of seven days.", 8.25),
    "recency_days": ("Days since the last activity.", 0.0),
    "orders": ("Orders paid.", 2),
    "spend_fen": ("Paid so far.", 37_800),
    "mean_rating": ("Mean of the stars given; 0 without any.", 4.5),
    "interests": ("Categories by score, best first.", [["dresses", 0.61], ["shoes", 0.2]]),
    "Profile.tags": ("Tags by score, best first.", [["summer", 0.4]]),
    "Profile.attributes": ("What the person told us with consent.", {"sex": "f"}),
    "channels": ("Share of activity by channel.", [["mini_programme", 0.8]]),
    "active_hours": ("The most active local hours, best first.", [20, 21, 12]),
    "churn_score": ("Calibrated P(no activity within horizon_days).", 0.18),
    "horizon_days": ("The horizon of churn_score.", 7),
    "churn_scored_at_ms": ("When churn_score was computed.", 1_763_798_400_300),
    "consent": ("What the person agreed to, as purpose:channel.", ["marketing:*"]),
    "followed": ("Whether the person follows us.", True),
    "Profile.holdout": ("Whether the person is in the global control group.", False),
    # the log and dead letters
    "at_ms": ("When it came onto the log, by the log writer's clock.", 1_763_798_400_280),
    "origin": ("Where it came from.", ["events", 1, 3, 17]),
    "alias": ("The person's pseudonym.", _ALIAS),
    "converted": ("Values whose type or text the intake had to mend.", 0),
    "unknown": ("Fields the contract does not know.", 0),
    "partition": ("The partition.", 3),
    "partitions": ("How many partitions the deployment has.", 4),
    "seed": ("Of every chance in this deployment.", "wechat"),
    "config": ("The engine's configuration.", {}),
    "engine_version": ("Version of the engine.", 1),
    "epoch": ("Raised when the topic is created anew.", 1),
    "offset": ("The offset.", 17),
    "detail": (
        "What was wrong and where, without personal data.",
        "$.data.price_fen: Expected `int`",
    ),
    "raw": ("The input in base64, cut at 64 KiB.", "eyJpZCI6"),
    "raw_bytes": ("Size of the whole input in bytes.", 6),
    "dead_letter_id": ("From the origin, so a redelivery has the same.", "events/1/3/17"),
    "DeadLetter.reason": ("Why it was refused; one of a closed list.", "wrong_type"),
    "Rejected.reason": ("Why it was refused; one of a closed list.", "wrong_type"),
    "body": ("What is told to the other partition, by kind.", None),
    "Mail.kind": ("event, move, adopt, budget or model.", "event"),
    "to": ("The partition it is for; -1: that of the alias.", -1),
    **CONTENT,
    **INSIGHTS,
    **JOURNEYS,
    **POLICY,
    **REPORTS,
}


def meaning(structure: str, field: str) -> tuple[str, Any]:
    """Description and example of a field. Raises KeyError for one that nobody has described."""
    found = FIELDS.get(f"{structure}.{field}") or FIELDS.get(field)
    if found is None:
        raise KeyError(f"{structure}.{field} has no entry in streams/contract/glossary.py; add one")
    description, example = found
    if field == "time_ms" or field.endswith(("_at_ms", "_seen_ms", "_active_ms", "ingest_ms")):
        description += " Milliseconds since the epoch, UTC."
    elif field.endswith("_ms"):
        description += " Milliseconds."
    elif field.endswith("_fen"):
        description += " In fen, 0.01 yuan."
    return description, example
