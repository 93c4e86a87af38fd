"""MLflow: each training run is tracked, and none is lost while a server is away."""
