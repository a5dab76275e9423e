"""The typed contract with other teams and between our parts; `schemas/` is generated from it."""
