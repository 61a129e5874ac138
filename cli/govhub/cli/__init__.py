"""The command line: flags into requests, results into text; the only place that knows Typer and rich."""
