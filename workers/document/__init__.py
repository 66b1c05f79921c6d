"""The documents that workers make: PDF by typst, spreadsheets by XlsxWriter."""
