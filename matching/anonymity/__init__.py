"""What of an anonymous profile may give away who it is about, found passage by passage."""
