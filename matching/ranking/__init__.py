"""Rank households for a sibling group, and say why."""
