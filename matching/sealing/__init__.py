"""Sealing at the adoption order: links are severed, identifiers changed, and the adoption record alone is left."""
