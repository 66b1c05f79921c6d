"""Panel papers: what a match's advisers and decision maker read of it, who of them may, and what they write."""
