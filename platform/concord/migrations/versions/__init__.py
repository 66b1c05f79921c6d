"""The numbered migrations: they import no models, so that each stays what it was."""
