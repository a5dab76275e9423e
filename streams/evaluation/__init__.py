"""How good the forecasts were: churn, interest, and what coupons changed."""
