"""The online models; insight.py has their list, tests/conformance tries each."""
