"""Invoices between agencies: accounts, numbers, what is invoiced and credited, disputes and reminders."""
