"""Who hears of a problem: Prometheus rules, issues, webhooks, pushed metrics."""
