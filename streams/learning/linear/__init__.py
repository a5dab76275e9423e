"""Linear learners over hashed sparse features, their weights in fixed arrays. Pure."""
