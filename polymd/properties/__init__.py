"""Properties of polymers from their repeat units."""
