"""The subcommands of `streams`. Heavy imports stand inside the functions: `--help` answers at once."""
