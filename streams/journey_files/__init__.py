"""Everything around a journey's file: load, lint, inline tests, simulation, difference, picture."""
