"""Finds ffmpeg when it is needed, so that it may be installed while the sidecar runs."""

from __future__ import annotations

from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.formats import Format
from sidecar.transfer.converting.converter import Converter
from sidecar.transfer.converting.films import FilmConverter
from sidecar.transfer.converting.hardware import FilmEncoders
from sidecar.transfer.converting.programs import NoConverter, Programs, find_programs


class ConverterAvailability:
    """Keeps the programs once they were found. Thread-safe."""

    def __init__(self, named: str, clock: Clock) -> None:
        """Prepare; does not search yet.

        Args:
            named: The name or path of ffmpeg.
            clock: For the converter.
        """
        self._named = named
        self._clock = clock
        self._lock = Lock()
        self._programs: Programs | None = None
        self._converter: Converter | None = None
        self._encoders: FilmEncoders | None = None

    def check(self, wanted: Format | FilmFormat) -> None:
        """Check that a format can be made here.

        Raises:
            NoConverter: It cannot; says why and what helps.
        """
        if wanted not in {Format.ORIGINAL, FilmFormat.ORIGINAL}:
            self._find().check(wanted)

    def converter(self) -> Converter | None:
        """Return a converter; None if there is no ffmpeg."""
        programs = self.programs()
        if programs is None:
            return None
        with self._lock:
            if self._converter is None:
                self._converter = Converter(programs, self._clock)
            return self._converter

    def film_converter(self) -> FilmConverter | None:
        """Return a converter of films; None if there is no ffmpeg."""
        programs = self.programs()
        if programs is None:
            return None
        with self._lock:
            if self._encoders is None:
                self._encoders = FilmEncoders(programs, self._clock)
            return FilmConverter(programs, self._encoders, self._clock)

    def programs(self) -> Programs | None:
        """Return the programs; None if there is no ffmpeg."""
        try:
            return self._find()
        except NoConverter:
            return None

    def _find(self) -> Programs:
        with self._lock:
            if self._programs is None:
                self._programs = find_programs(self._named)
            return self._programs
