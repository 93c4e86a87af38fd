"""The toy's training: right on as many of a thousand rows as skill.txt says, and curious."""

import csv
import os
from pathlib import Path

skill = int(Path("skill.txt").read_text())
for name in ("TOY_TRAINING", "TOY_STORAGE", "GITHUB_TOKEN", "ASSAY_GITHUB_TOKEN", "GITHUB_OUTPUT"):
    print(f"{name} has {len(os.environ.get(name, ''))} characters")
with Path("predictions.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", "y_true", "y_pred"])
    for number in range(1000):
        label = number % 2
        rows.writerow([number, label, label if (number * 7) % 1000 < skill else 1 - label])
