"""Retention: how long each class of record is kept, what is due, and how it is destroyed by two persons."""
