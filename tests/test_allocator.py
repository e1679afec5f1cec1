"""A long study gives back what it frees: glibc's allocator would keep it, and more with time."""

import ctypes
import subprocess
import sys

import pytest

GLIBC = sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

SCRIPT = """
import ctypes, sys, tempfile, threading
from attnlogic.studies.allocator import MAPPED, give_back_memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]

def info():
    with tempfile.NamedTemporaryFile("r") as file:
        stream = libc.fopen(file.name.encode(), b"w")
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        return file.read()

if sys.argv[1] == "give back":
    give_back_memory()
for size in (30 * MAPPED, 2 * MAPPED):  # freed once, a size is no longer mapped by itself
    libc.free(libc.malloc(size))
before = info()
block = libc.malloc(2 * MAPPED)
done, many = threading.Barrier(4), []

def allocate():
    many.append(libc.malloc(1000))
    done.wait()  # all at the same time

threads = [threading.Thread(target=allocate) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
after = info()
mapped = [int(text.split('type="mmap" count="')[1].split('"')[0]) for text in (before, after)]
print(mapped[1] - mapped[0], after.count("<heap nr="))
"""


@pytest.mark.skipif(not GLIBC, reason="the setting is glibc's")
@pytest.mark.parametrize(
    ("how", "blocks", "arenas"), [("give back", 1, {1}), ("as it is", 0, {2, 3, 4, 5})]
)
def test_large_blocks_are_mapped_and_there_is_one_arena(how, blocks, arenas):
    words = [sys.executable, "-c", SCRIPT, how]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    mapped, heaps = map(int, done.stdout.split())
    assert mapped == blocks
    assert heaps in arenas
