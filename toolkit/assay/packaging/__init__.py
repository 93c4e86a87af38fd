"""A model as an artifact that can be verified offline: bundle, SBOM, signature, card, image."""
