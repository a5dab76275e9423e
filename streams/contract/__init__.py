"""The typed contract with other teams and between our own parts; `schemas/` is generated from it."""
