"""What two agencies say to each other about what is between them, and how old each debt is."""
