"""The subcommands of `streams`. Heavy imports stand inside functions: `--help` is quick."""
