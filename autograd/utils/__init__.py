"""What stands beside the engine: data loading."""
