"""Tests of who: tenants, scopes, the database."""
