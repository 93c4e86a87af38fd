"""The only room that knows GitHub: its events, files, log commands, REST API and CML."""
