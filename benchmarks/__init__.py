"""Several libraries' steps side by side in one run: `python -m benchmarks`, see README.md."""
