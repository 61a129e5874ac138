"""When what runs out: history by days, robust trends, dates to order by."""
