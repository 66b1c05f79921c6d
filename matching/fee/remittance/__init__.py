"""What banks say was paid: files of bank lines, and the lines that wait to be matched."""
