"""What an agency's book says of a month's end, of a year's, and of the twelve months ahead."""
