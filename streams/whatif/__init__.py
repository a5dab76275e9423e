"""Before going live: last month's log with a change beside the same log as it was."""
