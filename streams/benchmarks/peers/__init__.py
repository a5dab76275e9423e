"""The small job as the guides of other stream processors show it."""
