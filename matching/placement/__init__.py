"""Placements: what is agreed for children's moving in with a family, when they did, and what came of it."""
