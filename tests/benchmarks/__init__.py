"""Benchmarks: the small job, and what the harness relies on."""
