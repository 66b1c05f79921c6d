"""A synthetic consortium to try Concord with: seeded, plainly invented, and imported through the real importer."""

from concord.demo.sheets import DemoPlan, DemoSheet, InvalidDemo, Scenario, write_demo

__all__ = ["DemoPlan", "DemoSheet", "InvalidDemo", "Scenario", "write_demo"]
