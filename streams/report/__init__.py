"""Pictures of a run: one self-contained HTML page, for a person who plans campaigns."""
