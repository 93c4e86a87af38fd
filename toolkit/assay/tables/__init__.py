"""The only room that scans data: queries in, counts, moments, histograms and profiles out."""
