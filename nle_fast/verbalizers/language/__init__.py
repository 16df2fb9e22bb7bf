"""The language: English words, the closed vocabulary that explains, and the names of one meaning representation.

`words` and its word lists `lexicon` say how an English noun behaves. `vocabulary` holds the words of our own texts,
`glossary` those in which others explain. `phrases` makes names of concepts and labels, as written and as recognized.
The grammar and the checker share these modules, and nothing else.
"""
