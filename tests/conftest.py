"""What holds for every test."""

from hypothesis import HealthCheck, settings

# How long an example takes to make is the machine's business, not the code's.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
