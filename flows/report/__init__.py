"""What the lake says about a quarter, in counts and sums, and the page that shows it.

`queries` asks the lake, each question once, for the terminal, for Prefect's artifacts and for the page; `figures`
draws; `page` puts the page together.
"""
