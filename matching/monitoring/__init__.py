"""Monitoring: how long children wait, how long each stage takes, how far links come and why they end.

An agency's own figures are exact. Those of its whole consortium come from one function of the database, which hides
what is of few and rounds the rest (migration 0036).
"""
