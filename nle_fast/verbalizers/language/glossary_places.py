"""Other words for the places of a picture, for the checker only; see `glossary`."""

from __future__ import annotations

__all__ = ["CORNER_TAILS", "POSITIONS"]

#: Position name → phrases separated by semicolons; "a|b" are both, "a~b" either.
POSITIONS: dict[str, str] = {
    "top": """
        upper; very top; upper area; upper region; upper portion; upper section; top area; top region; top portion; top
        section; upper side; top side; top edges; uppermost part; upper end; top end
    """,
    "bottom": """
        lower; very bottom; lower area; lower region; lower portion; lower section; bottom area; bottom region; bottom
        portion; bottom section; lower side; bottom side; bottom edges; lowermost part; lower end; bottom end
    """,
    "left": """
        very left; picture's left side; left part; left area; left region; left portion; left section; left hand part;
        left hand edge; left sides; left edges; left hand; left border; left margin; far left; left end; leftmost part
    """,
    "right": """
        very right; right part; right area; right region; right portion; right section; right hand part; right hand
        edge; right sides; right edges; right hand; right border; right margin; far right; right end; rightmost part
    """,
    "center": """
        central; exact center; central region; central portion; central section; center area; center region; center
        part; very center; very middle; middle part; middle area; middle region; middle section; midst; central
        position; heart of the picture
    """,
    "upper half": "upper half of the picture; upper half of the image; top halves; upper halves",
    "lower half": "lower half of the picture; lower half of the image; bottom halves; lower halves",
    "left half": "left hand half of the picture; left halves",
    "right half": "right hand half of the picture; right halves",
    "entire top": """
        entire upper edge; whole upper edge; full top; whole top edge; all along the top; entire upper part; whole upper
        part; full width of the top; all across the top; entire length of the top; entire top row; all along the top
        edge; all along the upper edge; entire top part; entire width of the top; whole width of the top
    """,
    "entire bottom": """
        entire lower edge; whole lower edge; full bottom; whole bottom edge; all along the bottom; entire lower part;
        whole lower part; full width of the bottom; all across the bottom; entire length of the bottom; all along the
        bottom edge; all along the lower edge; entire bottom part; entire width of the bottom; entire bottom row; whole
        width of the bottom
    """,
    "entire left": """
        whole left; full left side; all along the left; all along the left side; entire left hand side; whole left hand
        side; whole left edge; all along the left edge; all down the left; all down the left side; full height of the
        left; entire left part; whole left part; entire height of the left
    """,
    "entire right": """
        whole right; full right side; all along the right; all along the right side; entire right hand side; whole right
        hand side; whole right edge; all along the right edge; all down the right; all down the right side; full height
        of the right; entire right part; whole right part; entire height of the right
    """,
    "entire image~entire picture": """
        all over; all over the picture; all over the image; all over the photo; throughout; throughout the picture;
        throughout the image; throughout the photo; all across the picture; all across the image; all of the picture;
        all of the image; almost everywhere; full picture; full image; all through the picture; entire frame; whole
        frame; entire area; whole area; entire scene; whole scene; all parts of the picture; all around the
        picture; all around the image
    """,
    "most of the picture": """
        larger part of the picture; larger part of the image; most parts of the picture; most parts of the image
    """,
    "spread over the picture": """
        scattered over the picture; scattered over the image; scattered over the photo; spread across the picture;
        spread across the image; spread out over the picture; scattered across the picture; scattered across the image;
        spread all over the picture; scattered all over the picture; dispersed over the picture
    """,
    "center cross": """
        cross shape through the center; cross in the center; cross in the middle; central cross shape; cross shape in
        the center; cross shaped area through the center; cross at the center; cross shaped area; cross shape through
        the middle; cross shaped region; shape of a cross through the center
    """,
    "perimeter": """
        border; borders; edges; edges of the picture; edges of the image; outer edge; outer edges; periphery; margins;
        margin; edge of the picture; edge of the image; rim; all around the edges; all around the edge; all around the
        border; outer border; outer part; outer region; boundary; border region; picture's edges; frame's edges
    """,
    "left|right": """
        both sides; left and right sides; left and right edges; either side; left and the right; each side
    """,
    "top|bottom": "top and bottom edges; upper and lower edges; upper and lower parts; top and bottom parts",
    "left half|right half": "left and right halves; left half and right half; both halves",
    "upper half|lower half": "upper and lower halves; top and bottom halves; upper and lower half",
    "top-left corner|top-right corner": """
        top corners; upper corners; two upper corners; both upper corners; top left and right corners; upper left and
        right corners; both top corners
    """,
    "top-left corner~upper left quarter|top-right corner~upper right quarter": """
        upper left and upper right; upper left and upper right quarters
    """,
    "bottom-left corner|bottom-right corner": """
        bottom corners; lower corners; two lower corners; both lower corners; bottom left and right corners; lower left
        and right corners; both bottom corners
    """,
    "top-left corner|bottom-left corner": "left corners; left hand corners; upper and lower left corners",
    "top-right corner|bottom-right corner": "right corners; right hand corners; upper and lower right corners",
    "top~entire top": "across the top; along the top; along the top edge; across the top edge; along the upper edge",
    "bottom~entire bottom": """
        across the bottom; along the bottom; along the bottom edge; across the bottom edge; along the lower edge
    """,
    "left~entire left": """
        along the left; along the left side; along the left edge; down the left side; along the left hand side
    """,
    "right~entire right": """
        along the right; along the right side; along the right edge; down the right side; along the right hand side
    """,
}

#: What may follow "upper left".
CORNER_TAILS = (
    "part", "area", "region", "portion", "section", "side", "edge", "quadrant",
    "end", "hand side", "hand part", "corner area", "corner region", "hand area",
)  # fmt: skip
