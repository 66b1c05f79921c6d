"""Tests of the anonymity check."""
