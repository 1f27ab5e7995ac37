"""Every figure the project claims, as a command: `python -m artifexpro.benchmarks.NAME [--json]`."""
