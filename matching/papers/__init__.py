"""Papers of privacy: who is controller of what, the sharing agreement, the assessment and the privacy notices."""
