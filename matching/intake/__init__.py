"""The import of plain sheets: from a file to typed rows, and from typed rows to records."""
