"""The servers that Concord brings along: found, started, kept running and stopped."""
