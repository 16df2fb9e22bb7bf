"""Makes the table of words for ImageNet's classes and their groups that the package embeds.

`groups.tsv` and `classes.tsv` are written by hand: every WordNet group that occurs, and every class, was read by eye.
`python -m training.words.table ../shared/data/labels/imagenet_hypernyms.json` derives `nle_fast/dissect/wordnet.json`.
"""
