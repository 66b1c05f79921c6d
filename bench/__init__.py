"""The benchmarks: each prints its figures, and the ratios between them, from one run."""
