"""Who: consortia, agencies, people, permissions, audit; the database and its scopes."""
