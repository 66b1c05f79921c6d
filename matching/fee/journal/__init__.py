"""An agency's postings of a month, as its finance system takes them."""
