"""Pictures through shared memory, from a Vantage pipeline on the same machine.

The pipeline makes a file on tmpfs, offers it in the metadata of the handshake, and from then on pictures lie in the file
while the messages stay small. Other clients never offer anything, and without a common folder everything goes in messages.
The file's layout is described in Vantage's libs/custom-node/src/shared-memory/ring.ts.
"""

import fcntl
import mmap
import os
import re
import secrets
import stat
import struct
import threading

import grpc

OFFER_KEY = "vantage-shm-offer"
ACCEPT_KEY = "vantage-shm-accept"
HANDLE_KEY = "vantage-shm"
GONE = "gone"
FOLDER_VARIABLE = "VANTAGE_SHARED_MEMORY"

_OFFER = re.compile(r"1 (vantage-node-[0-9a-f-]{36}) (\d{1,2}) (\d{1,9}) (\d{1,9})", re.ASCII)
_HANDLE = re.compile(r"(vantage-node-[0-9a-f-]{36}) (\d{1,2}) (\d{1,19}) (\d{1,9})", re.ASCII)
_PAGE = 4096
_HEADER = struct.Struct("<8sIIQQ")
_MAGIC = b"VNRING01"
_CLIENT_PROOF = slice(32, 48)
_SERVER_PROOF = slice(48, 64)
_MAX_SLOTS = 32
_MAX_BYTES = 256 * 1024 * 1024
_MAX_RINGS = 64
_SWEEP_SECONDS = 10.0


class Gone(Exception):
    """The picture is not where the message says: the client sends it again, in a message."""


class SharedMemory:
    """The server's end, for all clients. folder: a tmpfs that both ends see; VANTAGE_SHARED_MEMORY, else /dev/shm."""

    def __init__(self, folder=None):
        self._folder = folder or os.environ.get(FOLDER_VARIABLE) or "/dev/shm"
        self._rings = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._sweeper = None

    def accept(self, offer):
        """What the handshake's answer says under ACCEPT_KEY; None where this server does not see that memory."""
        match = _OFFER.fullmatch(offer)
        if match is None or self._folder == "off":
            return None
        name, geometry = match[1], tuple(int(number) for number in match.groups()[1:])
        self.sweep()
        with self._lock:
            if len(self._rings) >= _MAX_RINGS or name in self._rings or self._closed.is_set():
                return None
            try:
                ring = self._rings[name] = _Ring(os.path.join(self._folder, name), *geometry)
            except (OSError, ValueError):
                return None
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep_on, name="shared-memory", daemon=True)
                self._sweeper.start()
        return f"1 {name} {ring.memory[_CLIENT_PROOF].hex()} {ring.memory[_SERVER_PROOF].hex()}"

    def open(self, handle):
        """The slot of a request. Raises Gone."""
        match = _HANDLE.fullmatch(handle)
        if match is None:
            raise Gone("this is no handle of shared memory")
        slot, sequence, size = (int(number) for number in match.groups()[1:])
        with self._lock:
            ring = self._rings.get(match[1])
            if ring is None:
                raise Gone("this server does not have that shared memory")
            ring.take(slot, sequence, size)
        return Slot(self, ring, slot, sequence, size)

    def sweep(self):
        """Lets go of the rings of clients that are gone: those hold a lock as long as they live."""
        with self._lock:
            for name, ring in list(self._rings.items()):
                if not ring.busy and ring.is_left():
                    del self._rings[name]
                    ring.close()

    def close(self):
        self._closed.set()
        with self._lock:
            rings, self._rings = self._rings, {}
        for ring in rings.values():
            ring.close()

    def _sweep_on(self):
        while not self._closed.wait(_SWEEP_SECONDS):
            self.sweep()

    def _done(self, ring, slot, sequence):
        with self._lock:
            ring.release(slot, sequence)


class Slot:
    """One call's part of the memory, until `done`."""

    def __init__(self, owner, ring, slot, sequence, size):
        self._owner, self._ring, self._slot, self._sequence = owner, ring, slot, sequence
        self._answer = (0, 0)
        self._done = False
        self.view = ring.request(slot, size).toreadonly()

    def put(self, data):
        """Puts an answer's picture there. False: it has to go in the message."""
        try:
            self._answer = self._ring.respond(self._slot, data)
        except (OSError, ValueError):
            return False
        return True

    def done(self):
        """Gives the slot back; what the answer says under HANDLE_KEY."""
        if not self._done:
            self._done = True
            self._owner._done(self._ring, self._slot, self._sequence)
        return f"{self._sequence} {self._answer[0]} {self._answer[1]}"


def handshake_metadata(memory, context):
    """What the answer of a handshake says under ACCEPT_KEY, where the offer of a client can be accepted."""
    offer = _metadata(context, OFFER_KEY)
    accepted = memory.accept(offer) if offer is not None else None
    return [(ACCEPT_KEY, accepted)] if accepted is not None else []


def shares_process(memory, method, sees_messages):
    """A Process whose pictures may be in shared memory: as `context.shared_picture`, and for a node that reads messages
    itself also in the message."""

    def process(request, context):
        handle = _metadata(context, HANDLE_KEY)
        if handle is None:
            return method(request, context)
        try:
            slot = memory.open(handle)
        except Gone as error:
            context.set_trailing_metadata(((HANDLE_KEY, GONE),))
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        try:
            if sees_messages:
                request.frame.image.image_pointer = bytes(slot.view)
            else:
                context.shared_picture = slot.view
            response = method(request, context)
            if response.image.image_pointer and slot.put(response.image.image_pointer):
                response.image.image_pointer = b""
        finally:
            answer = slot.done()
        context.send_initial_metadata(((HANDLE_KEY, answer),))
        return response

    return process


def _metadata(context, wanted):
    for key, value in context.invocation_metadata():
        if key == wanted:
            return value
    return None


class _Ring:
    def __init__(self, path, slots, request_bytes, response_bytes):
        if not 1 <= slots <= _MAX_SLOTS or not all(1 <= size <= _MAX_BYTES for size in (request_bytes, response_bytes)):
            raise ValueError("the geometry makes no sense")
        self.slots, self.request_bytes, self.response_bytes = slots, request_bytes, response_bytes
        self.busy = set()
        self._barrier = threading.Lock()
        self._response_at = _pages(request_bytes)
        self._slot_bytes = self._response_at + _pages(response_bytes)
        self._size = _PAGE + slots * self._slot_bytes
        self._fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._check()
            self.memory = mmap.mmap(self._fd, self._size)
        except BaseException:
            os.close(self._fd)
            raise
        self._bytes = memoryview(self.memory)
        self.memory[_SERVER_PROOF] = secrets.token_bytes(16)

    def take(self, slot, sequence, size):
        if slot >= self.slots or size > self.request_bytes:
            raise Gone(f"slot {slot} with {size} bytes is not in the shared memory")
        # A page behind the end of a file ends the process that touches it.
        if os.fstat(self._fd).st_size < self._size:
            raise Gone("the shared file was cut")
        if self._sequence(slot) != sequence or slot in self.busy:
            raise Gone(f"slot {slot} carries another call")
        # First the word that we begin, then the look whether the call still stands: the client does it the other way round.
        struct.pack_into("<Q", self.memory, 64 + 64 * slot + 8, sequence)
        with self._barrier:
            pass
        if self._sequence(slot) != sequence:
            raise Gone(f"the call of slot {slot} was given up")
        self.busy.add(slot)

    def _sequence(self, slot):
        return struct.unpack_from("<Q", self.memory, 64 + 64 * slot)[0]

    def release(self, slot, sequence):
        self.busy.discard(slot)
        if not self.memory.closed:
            struct.pack_into("<Q", self.memory, 64 + 64 * slot + 16, sequence)

    def request(self, slot, size):
        at = _PAGE + slot * self._slot_bytes
        return self._bytes[at : at + size]

    def respond(self, slot, data):
        size = len(data)
        if size > self.response_bytes:
            raise ValueError("larger than the slot")
        at = _PAGE + slot * self._slot_bytes + self._response_at
        # Raises where memory is short; writing to a page without memory would end the process.
        os.posix_fallocate(self._fd, at, size)
        self._bytes[at : at + size] = data
        return self._response_at, size

    def is_left(self):
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self):
        os.close(self._fd)
        try:
            self._bytes.release()
            self.memory.close()
        except BufferError:
            # Somebody kept a picture: the memory goes with it.
            pass

    def _check(self):
        status = os.fstat(self._fd)
        header = os.pread(self._fd, _HEADER.size, 0)
        expected = _HEADER.pack(_MAGIC, self.slots, 0, self.request_bytes, self.response_bytes)
        if not stat.S_ISREG(status.st_mode) or status.st_size != self._size or header != expected:
            raise ValueError("the file is not the ring that was announced")


def _pages(size):
    return -(-size // _PAGE) * _PAGE
