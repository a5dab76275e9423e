"""How good each model is on real data, beside its peers on the same data in the same run."""
