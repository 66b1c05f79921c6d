"""A synthetic consortium to try Concord with: seeded, plainly invented, and imported through the real importer."""

from concord.demo.sheet_shape import DemoShape, DemoSheet
from concord.demo.sheets import DemoPlan, InvalidDemo, Scenario, write_demo

__all__ = ["DemoPlan", "DemoShape", "DemoSheet", "InvalidDemo", "Scenario", "write_demo"]
