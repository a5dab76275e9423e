"""What goes with what: items recommended from the last few a person met, learned visit by visit."""
