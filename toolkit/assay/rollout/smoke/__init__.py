"""The smoke test: is what is served the version that was judged, and does it answer like it?"""
