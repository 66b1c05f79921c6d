"""What: households, children, search, ranking, meetings and packs."""
