"""The inside of the virtual module: commands in, answers out, with the time the work takes.

Sans-IO: no port, thread or clock. Follows the makers' manual; does not know the lane.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drivers.fingerprint.zfm.codec import (
    BROADCAST,
    PACKET_SIZES,
    TEMPLATE_BYTES,
    Command,
    Confirm,
    Damaged,
    Packet,
    PacketType,
    Parser,
)
from drivers.fingerprint.zfm.fingers import capture, combine, similarity

IMAGE_PACKETS = 288  # rows of 256 pixels, two to a byte
_BAUD_REGISTER, _SECURITY_REGISTER, _SIZE_REGISTER = 4, 5, 6
_REGISTER_BOUNDS = {_BAUD_REGISTER: (1, 12), _SECURITY_REGISTER: (1, 5), _SIZE_REGISTER: (0, 3)}
_BUFFERS = (1, 2)
_INDEX_PAGE = 256


@dataclass(frozen=True, slots=True)
class WorkTimes:
    """Seconds of the module's own work. Makers promise only ceilings (capture below 1 s, 0.2 s
    on newer ones; verification below 0.3 s): these are assumptions within them, not measured.
    """

    look_s: float = 0.03  #: deciding that no finger is there
    capture_s: float = 0.15
    convert_s: float = 0.25
    compare_s: float = 0.02
    flash_s: float = 0.05


NO_WORK = WorkTimes(0.0, 0.0, 0.0, 0.0, 0.0)
Answer = tuple[float, bytes]  #: (seconds of work before it, bytes)


@dataclass
class Chip:
    """State of one module. `feed` gives the answers in order; attributes may be set between."""

    work: WorkTimes = NO_WORK
    address: int = BROADCAST
    password: int = 0
    needs_login: bool = False  #: refuse everything until the password was verified
    capacity: int = 1000
    security: int = 3
    size_code: int = 2
    baud_code: int = 6
    finger: str | None = None  #: what lies on the glass
    image_fault: int | None = None  #: confirmation of the next conversion
    library: dict[int, bytes] = field(default_factory=dict)  #: the flash
    buffers: dict[int, bytes] = field(default_factory=dict)
    captures: int = 0

    def __post_init__(self) -> None:
        self._parser = Parser()
        self._image: tuple[str, int] | None = None
        self._filling: int | None = None  # the buffer that data packets go to
        self._received = bytearray()
        self._logged_in = False
        self._random = random.Random(0x5A464D)

    def power_cycle(self) -> None:
        """What a brown-out does: flash and registers stay, memory does not."""
        self._parser.reset()
        self._image = self._filling = None
        self.buffers.clear()
        self._logged_in = False

    def forget_partial(self) -> None:
        """An unfinished packet was followed by silence: give it up."""
        self._parser.reset()

    @property
    def partial(self) -> bool:
        return self._parser.pending > 0

    def feed(self, data: bytes) -> Iterator[Answer]:
        for packet in self._parser.feed(data):
            if isinstance(packet, Damaged):
                if packet.type is PacketType.COMMAND:
                    yield self._ack(Confirm.PACKET_ERROR)
                self._filling = None
            elif packet.address != self.address:
                continue
            elif packet.type is PacketType.COMMAND:
                self._filling = None
                yield from self._obey(packet.payload)
            else:
                self._take_data(packet)

    # --- answers ----------------------------------------------------------------------------

    def _ack(self, confirm: int, more: bytes = b"", work_s: float = 0.0) -> Answer:
        return work_s, Packet(PacketType.ACK, bytes([confirm]) + more, self.address).to_bytes()

    def _data(self, content: bytes, size: int) -> list[Answer]:
        parts = [content[i : i + size] for i in range(0, len(content), size)]
        kinds = [PacketType.DATA] * (len(parts) - 1) + [PacketType.END]
        packets = (Packet(k, p, self.address) for k, p in zip(kinds, parts, strict=True))
        return [(0.0, packet.to_bytes()) for packet in packets]

    def _take_data(self, packet: Packet) -> None:
        if self._filling is None:
            return
        self._received += packet.payload
        if len(self._received) > TEMPLATE_BYTES:
            self._filling = None
        elif packet.type is PacketType.END:
            self.buffers[self._filling] = bytes(self._received)
            self._filling = None

    # --- commands ---------------------------------------------------------------------------

    def _obey(self, payload: bytes) -> list[Answer]:
        code, arguments = payload[0], payload[1:]
        if self.needs_login and not self._logged_in and code != Command.VERIFY_PASSWORD:
            return [self._ack(Confirm.PASSWORD_NEEDED)]
        handler = self._handlers().get(code)
        if handler is None:
            return [self._ack(Confirm.PACKET_ERROR)]
        length, action = handler
        if len(arguments) != length:
            return [self._ack(Confirm.PACKET_ERROR)]
        return action(arguments)

    def _handlers(self) -> dict[int, tuple[int, Callable[[bytes], list[Answer]]]]:
        """Length of a command's arguments, and what does it."""
        return {
            Command.VERIFY_PASSWORD: (4, self._verify_password),
            Command.SET_PASSWORD: (4, self._set_password),
            Command.SET_ADDRESS: (4, self._set_address),
            Command.SET_PARAMETER: (2, self._set_parameter),
            Command.GET_PARAMETERS: (0, self._get_parameters),
            Command.TEMPLATE_INDEX: (1, self._template_index),
            Command.TEMPLATE_COUNT: (0, self._template_count),
            Command.READ_IMAGE: (0, self._read_image),
            Command.DOWNLOAD_IMAGE: (0, self._download_image),
            Command.CONVERT_IMAGE: (1, self._convert_image),
            Command.CREATE_TEMPLATE: (0, self._create_template),
            Command.STORE: (3, self._store),
            Command.LOAD: (3, self._load),
            Command.SEARCH: (5, self._search),
            Command.DELETE: (4, self._delete),
            Command.EMPTY: (0, self._empty),
            Command.COMPARE: (0, self._compare),
            Command.UPLOAD_CHARACTERISTICS: (1, self._upload),
            Command.DOWNLOAD_CHARACTERISTICS: (1, self._download),
            Command.RANDOM: (0, self._random_number),
        }

    def _verify_password(self, arguments: bytes) -> list[Answer]:
        right = int.from_bytes(arguments, "big") == self.password
        self._logged_in |= right
        return [self._ack(Confirm.OK if right else Confirm.WRONG_PASSWORD)]

    def _set_password(self, arguments: bytes) -> list[Answer]:
        self.password = int.from_bytes(arguments, "big")
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _set_address(self, arguments: bytes) -> list[Answer]:
        self.address = int.from_bytes(arguments, "big")
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _set_parameter(self, arguments: bytes) -> list[Answer]:
        register, value = arguments
        low, high = _REGISTER_BOUNDS.get(register, (1, 0))
        if not low <= value <= high:
            return [self._ack(Confirm.BAD_REGISTER)]
        if register == _BAUD_REGISTER:
            self.baud_code = value  # a real module changes over at its next power-up
        elif register == _SECURITY_REGISTER:
            self.security = value
        else:
            self.size_code = value
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _get_parameters(self, _: bytes) -> list[Answer]:
        words = (0, 9, self.capacity, self.security)
        front = b"".join(w.to_bytes(2, "big") for w in words)
        tail = self.size_code.to_bytes(2, "big") + self.baud_code.to_bytes(2, "big")
        return [self._ack(Confirm.OK, front + self.address.to_bytes(4, "big") + tail)]

    def _template_index(self, arguments: bytes) -> list[Answer]:
        bits = bytearray(_INDEX_PAGE // 8)
        for position in self.library:
            page, at = divmod(position, _INDEX_PAGE)
            if page == arguments[0]:
                bits[at // 8] |= 1 << at % 8
        return [self._ack(Confirm.OK, bytes(bits))]

    def _template_count(self, _: bytes) -> list[Answer]:
        return [self._ack(Confirm.OK, len(self.library).to_bytes(2, "big"))]

    def _read_image(self, _: bytes) -> list[Answer]:
        if self.finger is None:
            return [self._ack(Confirm.NO_FINGER, work_s=self.work.look_s)]
        if self.image_fault == Confirm.IMAGE_FAILED:
            self.image_fault = None
            return [self._ack(Confirm.IMAGE_FAILED, work_s=self.work.capture_s)]
        self.captures += 1
        self._image = (self.finger, self.captures)
        return [self._ack(Confirm.OK, work_s=self.work.capture_s)]

    def _download_image(self, _: bytes) -> list[Answer]:
        if self._image is None:
            return [self._ack(Confirm.NO_IMAGE)]
        size = PACKET_SIZES[self.size_code]
        pixels = random.Random(repr(self._image)).randbytes(128 * IMAGE_PACKETS)
        return [self._ack(Confirm.OK), *self._data(pixels, size)]

    def _convert_image(self, arguments: bytes) -> list[Answer]:
        fault, self.image_fault = self.image_fault, None
        work_s = self.work.convert_s
        if self._image is None:
            return [self._ack(Confirm.NO_IMAGE)]
        if fault is not None:
            return [self._ack(fault, work_s=work_s)]
        # the manual: any number but 1 means buffer 2
        self.buffers[1 if arguments[0] == 1 else 2] = capture(*self._image)
        return [self._ack(Confirm.OK, work_s=work_s)]

    def _create_template(self, _: bytes) -> list[Answer]:
        template = combine(self.buffers.get(1, b""), self.buffers.get(2, b""))
        if template is None:
            return [self._ack(Confirm.COMBINE_FAILED)]
        self.buffers = dict.fromkeys(_BUFFERS, template)
        return [self._ack(Confirm.OK, work_s=self.work.compare_s)]

    def _store(self, arguments: bytes) -> list[Answer]:
        position = int.from_bytes(arguments[1:], "big")
        buffer = self.buffers.get(arguments[0])
        if position >= self.capacity or buffer is None:
            return [self._ack(Confirm.BAD_POSITION)]
        self.library[position] = buffer
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _load(self, arguments: bytes) -> list[Answer]:
        position = int.from_bytes(arguments[1:], "big")
        if position >= self.capacity:
            return [self._ack(Confirm.BAD_POSITION)]
        if position not in self.library or arguments[0] not in _BUFFERS:
            return [self._ack(Confirm.LOAD_FAILED)]
        self.buffers[arguments[0]] = self.library[position]
        return [self._ack(Confirm.OK)]

    def _search(self, arguments: bytes) -> list[Answer]:
        start, count = (int.from_bytes(arguments[i : i + 2], "big") for i in (1, 3))
        live = self.buffers.get(arguments[0], b"")
        scores = {
            position: similarity(live, template)
            for position, template in self.library.items()
            if start <= position < start + count
        }
        best = max(scores, key=lambda p: scores[p], default=0)
        if not scores.get(best):
            return [self._ack(Confirm.NOT_FOUND, bytes(4), self.work.compare_s)]
        found = best.to_bytes(2, "big") + scores[best].to_bytes(2, "big")
        return [self._ack(Confirm.OK, found, self.work.compare_s)]

    def _delete(self, arguments: bytes) -> list[Answer]:
        start, count = (int.from_bytes(arguments[i : i + 2], "big") for i in (0, 2))
        if start + count > self.capacity:
            return [self._ack(Confirm.DELETE_FAILED)]
        for position in range(start, start + count):
            self.library.pop(position, None)
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _empty(self, _: bytes) -> list[Answer]:
        self.library.clear()
        return [self._ack(Confirm.OK, work_s=self.work.flash_s)]

    def _compare(self, _: bytes) -> list[Answer]:
        score = similarity(self.buffers.get(1, b""), self.buffers.get(2, b""))
        confirm = Confirm.OK if score else Confirm.NO_MATCH
        return [self._ack(confirm, score.to_bytes(2, "big"), self.work.compare_s)]

    def _upload(self, arguments: bytes) -> list[Answer]:
        if arguments[0] not in _BUFFERS:
            return [self._ack(Confirm.UPLOAD_FAILED)]
        self._filling = arguments[0]
        self._received.clear()
        return [self._ack(Confirm.OK)]

    def _download(self, arguments: bytes) -> list[Answer]:
        buffer = self.buffers.get(arguments[0])
        if buffer is None:
            return [self._ack(Confirm.DOWNLOAD_FAILED)]
        return [self._ack(Confirm.OK), *self._data(buffer, PACKET_SIZES[self.size_code])]

    def _random_number(self, _: bytes) -> list[Answer]:
        return [self._ack(Confirm.OK, self._random.randbytes(4))]
