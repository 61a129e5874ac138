"""The engine side: state, planner, ledger, locks, the Pulumi adapter, drift and recovery."""
