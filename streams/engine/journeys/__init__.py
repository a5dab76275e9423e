"""旅程: the journeys, in the order in which they are asked. A new one is a file and a line here."""

from typing import Final

from streams.engine.journeys.cart_rescue import CartRescue
from streams.engine.journeys.churn_coupon import ChurnCoupon
from streams.engine.journeys.interest_content import InterestContent

JOURNEYS: Final = (CartRescue, ChurnCoupon, InterestContent)
