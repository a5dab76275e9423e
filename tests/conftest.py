"""What holds for every test."""

import os

from hypothesis import HealthCheck, settings

# How long an example takes to make is the machine's business, not the code's. By hand each run
# draws other examples; CI draws the same ones each time, so it fails only for what has changed.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("any machine")
