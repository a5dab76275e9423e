"""Worlds with known truth for what no real data set shows."""
