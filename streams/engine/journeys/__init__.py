"""旅程: journeys as files, compiled, and the people inside them."""
