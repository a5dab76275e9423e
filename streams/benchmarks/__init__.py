"""How fast it is, beside its peers on the same job and broker: `make bench`."""
