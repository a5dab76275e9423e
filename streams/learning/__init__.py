"""Learners: online models that know nothing of people, events or logs. Pure."""
