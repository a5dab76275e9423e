"""What is known of one person, and how each event changes it."""
