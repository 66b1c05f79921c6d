"""Inter-agency fees: tariffs, agreements, the ledger and what is reconciled. No ranking, search or pack reads any."""
