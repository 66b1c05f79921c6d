"""Which bank line pays which invoice: proposals with their reasons, and what a person confirms."""
