"""The demonstration's OpenID Connect provider: it vouches for invented people, and runs nowhere else."""
