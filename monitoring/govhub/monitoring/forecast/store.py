"""History of measurements by days, kept for years in Parquet; the one home of polars.

A folder a month (``2026-11/``), in it parts of one metric that are only ever added, each written beside and renamed:
several processes may add at once. When a day and place stand in several parts, the row that was collected last counts.
``compact`` makes one part of a month's; months that are old enough become one row a place in ``years/2024.parquet``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from govhub.core.diagnostics import Diagnostics
from govhub.core.files import private_folder, write_atomic
from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.forecast.days import month_end

FORMAT = "govhub.capacity-history/1"
KEY = "govhub.schema"
COLUMNS: dict[str, Any] = {
    "day": pl.Date,
    "metric": pl.String,
    "place": pl.String,
    "p95": pl.Float64,
    "max": pl.Float64,
    "mean": pl.Float64,
    "coverage": pl.Float64,
    "collected": pl.Int64,
}
"""``coverage`` is the known part of the day, 0 to 1; ``collected`` is when, in ms since 1970."""
IDENTITY = ["day", "metric", "place"]
READ = ["day", "place", "p95", "coverage"]
PARTS = "*_*.parquet"
YEARS = "years"
ATTEMPTS = 10
MIN_COVERAGE = 0.5
"""A day of which less is known is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric of one place on one day."""

    day: date
    metric: str
    place: str
    p95: float
    max: float
    mean: float
    coverage: float
    collected: int = 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Daily values of places: shape ``(places, days)``, NaN where unknown; the last column is the day ``last``."""

    places: list[str]
    last: date
    p95: Floats

    @property
    def known(self) -> int:
        """Days of which anything is known."""
        return int((~np.isnan(self.p95)).any(axis=0).sum()) if self.p95.size else 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What a history holds of one metric."""

    metric: str
    places: int
    days: int
    rows: int
    first: date
    last: date

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; ``gaps`` are days between the first and the last of which nothing is known."""
        gaps = (self.last - self.first).days + 1 - self.days
        span = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return {"metric": self.metric, "places": self.places, "days": self.days, "gaps": gaps, "rows": self.rows} | span


@dataclass(slots=True)
class History:
    """The history in a folder; ``problems`` collects what could not be read, and everything else still is."""

    folder: Path
    problems: Diagnostics = field(default_factory=Diagnostics)
    _frames: dict[str, list[pl.DataFrame]] = field(default_factory=dict, repr=False)

    def add(self, rows: Iterable[Row]) -> int:
        """Keep rows, one new part a month and metric; the number of rows.

        Raises:
            OSError: what was written before stays, whole.
        """
        frame = _frame_of(rows)
        for month, part in _by_month(frame):
            self._write(private_folder(self.folder / month), part)
        self._frames.clear()
        return frame.height

    def add_matrix(self, metric: str, places: Sequence[str], last: date, values: Floats, collected: int = 0) -> int:
        """Keep whole days of many places at once; the number of rows.

        Args:
            metric: one of ``RESOURCES``.
            places: addresses, one a row of ``values``.
            last: the day of the last column.
            values: shape ``(places, days)``; NaN is not kept.
            collected: ms since 1970.

        Raises:
            OSError: what was written before stays, whole.
        """
        days = [last - timedelta(days=back) for back in range(values.shape[1] - 1, -1, -1)]
        rows = 0
        for month in sorted({day.strftime("%Y-%m") for day in days}):
            at = [number for number, day in enumerate(days) if day.strftime("%Y-%m") == month]
            frame = _frame_of_matrix(metric, places, [days[number] for number in at], values[:, at], collected)
            if frame.height:
                self._write(private_folder(self.folder / month), frame)
                rows += frame.height
        self._frames.clear()
        return rows

    def metrics(self) -> list[str]:
        """The metrics of which there are days."""
        return sorted({_metric(path) for folder in self._months() for path in folder.glob(PARTS)})

    def frame(self, metric: str) -> pl.DataFrame:
        """All days of a metric, each day and place once: ``day``, ``place``, ``p95``, ``coverage``; read once.

        Raises:
            OSError: files go away faster than they can be read.
        """
        return pl.concat([pl.DataFrame(schema={name: COLUMNS[name] for name in READ}), *self._months_of(metric)])

    def _months_of(self, metric: str) -> list[pl.DataFrame]:
        if metric not in self._frames:
            self._frames[metric] = self._read(metric)
        return self._frames[metric]

    def stored(self) -> list[Stored]:
        """What there is, by metric."""
        counts = [
            pl.col("place").n_unique().alias("places"),
            pl.col("day").n_unique().alias("days"),
            pl.len().alias("rows"),
            pl.col("day").min().alias("first"),
            pl.col("day").max().alias("last"),
        ]
        read = {metric: self.frame(metric) for metric in self.metrics()}
        return [
            Stored(metric, **frame.select(counts).row(0, named=True)) for metric, frame in read.items() if len(frame)
        ]

    def days(self, metric: str) -> dict[str, set[date]]:
        """The days of a metric that hold anything, by the first two names of the places."""
        found = self.frame(metric).select("day", pl.col("place").str.extract(r"^([^/]*(?:/[^/]*)?)").alias("group"))
        out: dict[str, set[date]] = {}
        for group, day in found.unique().select("group", "day").iter_rows():
            out.setdefault(group, set()).add(day)
        return out

    def last_day(self, metric: str, until: date) -> date | None:
        """The last day of a metric that is not after ``until``."""
        days = self.frame(metric)["day"]
        found = days.filter(days <= until).max()
        return found if isinstance(found, date) else None

    def days_after(self, metric: str, today: date) -> int:
        """How many days of a metric are after ``today``."""
        days = self.frame(metric)["day"]
        return days.filter(days > today).n_unique()

    def impossible(self, metric: str) -> int:
        """Values of a metric that are negative or no numbers."""
        values = self.frame(metric)["p95"]
        return int((~(values.is_finite() & (values >= 0))).sum() or 0)

    def matrix(self, metric: str, places: Sequence[str], last: date, days: int) -> Matrix:
        """Daily p95 of the places, from ``last`` back so many days.

        Days of which too little is known, and values that cannot be (negative, not a number), are unknown.
        """
        names = list(places)
        values = np.full((len(names), days), np.nan)
        if names and days > 0:
            first = last - timedelta(days=days - 1)
            # Month by month, so that no second copy of everything is made.
            for month in self._months_of(metric):
                found = _usable(month, first, last, names)
                values[found["place"].to_numpy(), found["day"].to_numpy()] = found["p95"].to_numpy()
        return Matrix(names, last, values)

    def compact(self, keep_after: date | None = None) -> dict[str, int]:
        """One part a month and metric; months that end before ``keep_after`` become rows of a year.

        Parts that cannot be read are left where they are.

        Returns:
            How many parts were there, are there, and how many months went into years.
        """
        before, after, aged = 0, 0, set[str]()
        for folder in self._months():
            old = keep_after is not None and month_end(folder.name) < keep_after
            for metric in sorted({_metric(path) for path in folder.glob(PARTS)}):
                parts = sorted(folder.glob(f"{metric}_*.parquet"))
                read = {path: frame for path in parts if (frame := self._still(path)) is not None}
                before += len(parts)
                after += len(parts) - len(read)
                if old and read:
                    self._age(folder.name, _once(read.values()))
                    aged.add(folder.name)
                elif len(read) > 1:
                    read.pop(self._write(folder, _once(read.values())), None)
                    after += 1
                else:
                    after += len(read)
                    continue
                for path in read:
                    path.unlink(missing_ok=True)
        self._frames.clear()
        return {"parts_before": before, "parts": after, "months_into_years": len(aged)}

    def years(self) -> pl.DataFrame:
        """Rows of months whose days are not kept any more: ``day`` is the first of the month."""
        return self._together(sorted((self.folder / YEARS).glob("*.parquet")))

    def export(self, *, months: bool = False) -> str:
        """All days (or the months of years) as CSV with a header; dates as YYYY-MM-DD."""
        paths = [path for folder in self._months() for path in sorted(folder.glob(PARTS))]
        frame = self.years() if months else self._together(paths)
        return frame.sort(IDENTITY).drop("collected").write_csv()

    def _together(self, paths: Iterable[Path]) -> pl.DataFrame:
        frames = [frame for path in paths if (frame := self._part(path)) is not None]
        return _once(frames) if frames else pl.DataFrame(schema=COLUMNS)

    def _read(self, metric: str) -> list[pl.DataFrame]:
        for attempt in range(ATTEMPTS):
            try:
                return [self._month(folder, metric) for folder in self._months()]
            except FileNotFoundError:
                # Somebody made one part of several meanwhile.
                if attempt + 1 == ATTEMPTS:
                    raise
        return []

    def _month(self, folder: Path, metric: str) -> pl.DataFrame:
        paths = sorted(folder.glob(f"{metric}_*.parquet"))
        if len(paths) == 1:
            # A part holds nothing twice.
            found = self._part(paths[0], READ)
            return pl.DataFrame(schema={name: COLUMNS[name] for name in READ}) if found is None else found
        return self._together(paths).select(READ)

    def _still(self, path: Path) -> pl.DataFrame | None:
        """The rows of a file that another compaction may have taken away meanwhile; then they are in its own."""
        try:
            return self._part(path)
        except FileNotFoundError:
            return None

    def _part(self, path: Path, columns: list[str] | None = None) -> pl.DataFrame | None:
        """The rows of a file; None, and a problem, when it cannot be read."""
        wanted = columns or list(COLUMNS)
        try:
            raw = io.BytesIO(path.read_bytes())
            told = pl.read_parquet_metadata(raw).get(KEY)
            raw.seek(0)
            frame = pl.read_parquet(raw, columns=wanted) if told == FORMAT else None
        except FileNotFoundError:
            raise
        except (OSError, pl.exceptions.PolarsError) as error:
            hint = "collect those days again; remove the file when they are there"
            text = f"{self._shown(path)} cannot be read: {str(error).splitlines()[0][:120]}"
            self.problems.warning("FOR001", text, hint=hint)
            return None
        if frame is None or dict(frame.schema) != {name: COLUMNS[name] for name in wanted}:
            text = f"{self._shown(path)} is of another form ({told or 'none'}, this is {FORMAT})"
            self.problems.warning("FOR002", text, hint="it was written by another version of govhub: export it there")
            return None
        return frame

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.folder))

    def _months(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]") if path.is_dir())

    def _write(self, folder: Path, frame: pl.DataFrame) -> Path:
        """A new part; its name follows from what it holds, so that the same rows are the same file."""
        raw = _bytes(frame)
        days = frame["day"].sort().to_list()
        span = f"{days[0].isoformat()}_{days[-1].isoformat()}"
        path = folder / f"{frame['metric'][0]}_{span}_{hashlib.sha256(raw).hexdigest()[:12]}.parquet"
        write_atomic(path, raw)
        return path

    def _age(self, month: str, days: pl.DataFrame) -> None:
        """A month's days as one row a place in its year, replacing what stood there of that month."""
        rows = (
            days.group_by(pl.col("day").dt.month_start(), "metric", "place")
            .agg(
                pl.col("p95").median(),
                pl.col("max").max(),
                (pl.col("mean") * pl.col("coverage")).sum() / pl.col("coverage").sum(),
                pl.col("coverage").sum() / month_end(month).day,
                pl.col("collected").max(),
            )
            .select(list(COLUMNS))
        )
        path = private_folder(self.folder / YEARS) / f"{month[:4]}.parquet"
        before = self._part(path) if path.exists() else None
        if before is None and path.exists():
            # A year that cannot be read is not written over: the rows go beside it.
            path = path.with_name(f"{month}_{rows['metric'][0]}.parquet")
        # Rows of the same month and metric are replaced: whoever was killed half-way does it again.
        write_atomic(path, _bytes(_once([*([] if before is None else [before]), rows])))


def _usable(frame: pl.DataFrame, first: date, last: date, names: list[str]) -> pl.DataFrame:
    """Rows that count, as places in ``names``, days since ``first``, and values."""
    usable = (pl.col("coverage") >= MIN_COVERAGE) & pl.col("p95").is_finite() & (pl.col("p95") >= 0)
    places = pl.Enum(list(dict.fromkeys(names)))
    return (
        frame.filter(pl.col("day").is_between(first, last) & usable)
        .select(
            pl.col("place").cast(places, strict=False).to_physical().cast(pl.Int64),
            (pl.col("day") - first).dt.total_days().alias("day"),
            "p95",
        )
        .drop_nulls()
    )


def _frame_of(rows: Iterable[Row]) -> pl.DataFrame:
    listed = list(rows)
    return pl.DataFrame({name: [getattr(row, name) for row in listed] for name in COLUMNS}, schema=COLUMNS)


def _frame_of_matrix(
    metric: str, places: Sequence[str], days: Sequence[date], values: Floats, collected: int
) -> pl.DataFrame:
    grid = pl.DataFrame({"place": list(places)}).join(
        pl.DataFrame({"day": list(days)}), how="cross", maintain_order="left_right"
    )
    measured = pl.Series("p95", np.ascontiguousarray(values).reshape(-1))
    return (
        grid.with_columns(measured)
        .filter(pl.col("p95").is_not_nan())
        .with_columns(
            pl.lit(metric).alias("metric"),
            pl.col("p95").alias("max"),
            pl.col("p95").alias("mean"),
            pl.lit(1.0).alias("coverage"),
            pl.lit(collected, dtype=pl.Int64).alias("collected"),
        )
        .select(list(COLUMNS))
    )


def _by_month(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Months with their rows, one metric at a time."""
    groups = frame.with_columns(pl.col("day").dt.strftime("%Y-%m").alias("month")).group_by("month", "metric")
    found = sorted(((str(key[0]), part.drop("month")) for key, part in groups), key=lambda item: item[0])
    return [(month, _once([part])) for month, part in found]


def _once(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Each day, metric and place once: the row that was collected last."""
    frame = pl.concat(list(frames))
    return frame.sort("collected", maintain_order=True).unique(IDENTITY, keep="last", maintain_order=True)


def _metric(path: Path) -> str:
    return path.name.partition("_")[0]


def _bytes(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.sort(["metric", "place", "day"]).write_parquet(out, compression="zstd", metadata={KEY: FORMAT})
    return out.getvalue()
