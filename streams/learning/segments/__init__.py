"""Segments of people: where somebody stands among all, and which groups there are."""
