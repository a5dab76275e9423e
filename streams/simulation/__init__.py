"""Synthetic users with known truth, an in-memory Kafka with faults, and the promises' checkers."""
