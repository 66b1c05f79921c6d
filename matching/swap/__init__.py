"""Swaps between agencies: groups that swap, what they owe one another, and what could be balanced."""
