"""What the tests need around them: registries, token services, certificates."""
