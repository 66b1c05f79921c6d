"""Run the command line as ``python -m concord``."""

from concord.cli import main

main(prog_name="concord")
