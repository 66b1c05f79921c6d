"""SSDA903: the yearly return on children looked after, read for those who wait for adopters."""
