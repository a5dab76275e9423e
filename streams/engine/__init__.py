"""PURE: no I/O, no clock, no global chance. Records in, outcomes out; engine.py shows all."""
