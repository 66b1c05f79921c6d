"""Clocks: what has to be done by when, by the guidance and the law of each nation."""
