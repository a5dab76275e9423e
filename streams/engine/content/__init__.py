"""Content: what a template says once its slots are filled, and the one door by which wordings
become arms."""
