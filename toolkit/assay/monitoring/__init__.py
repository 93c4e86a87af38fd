"""Production logs and late labels to one look at a model: what is measured, judged and found."""
