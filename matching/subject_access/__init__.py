"""Subject access: what an agency holds on one of its records, looked through by a person before any of it leaves."""
