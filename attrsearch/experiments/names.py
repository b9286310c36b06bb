"""The names that can be asked for, in the thesis's order, with what each shows.

Light, for the command line's help.
"""

NAMES = {
    "figure-2.4": "faces under blur",
    "figure-2.5": "faces under pixelation",
    "figure-2.6": "detection against identification: blur, pixelation, mask, each before the edit",
    "figure-3.1": "faces edited by random sets",
    "figure-3.2": "faces pixelated, then edited",
    "table-3.1": "distances within and between people",
    "figure-3.4": "distance matrices",
    "figure-4.1": "the faces that are edited",
    "figure-4.2": "faces of two batches, with boxes",
    "figure-4.3": "anonymisation rate of ten random batches of four people",
    "figure-4.4": "correlation of distance and anonymisation",
    "table-4.1": "anonymisation by distance of one person",
    "table-4.2": "anonymisation by distance, a thousand edits of one picture",
    "figure-4.5": "faces edited behind pre-filters",
    "table-4.3": "identifications behind pre-filters",
    "table-4.4": "TP, FP, precision, IoU change, failures",
    "figure-4.6": "faces whose box moves most",
    "table-4.5": "learning the look of an edit (--grades)",
    "figure-4.7": "attributes of bad and good edits",
    "figure-4.8": "faces of bad and good edits",
    "table-4.6": "learning which edits have a high utility",
    "figure-4.11": "faces missed, by memory length (needs no FACES)",
    "figure-4.12": "mAP and recall, by memory length (needs no FACES)",
}
EVERYTHING = "all"
