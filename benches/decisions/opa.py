"""Asks OPA's shared library the prepared inputs for a while: library, folder, seconds -> nanoseconds per decision."""

import ctypes
import sys
import time


def main():
    library, folder, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    opa = ctypes.CDLL(library)
    opa.OpaNew.restype = ctypes.c_uint64
    opa.OpaFreeString.argtypes = [ctypes.c_void_p]
    for name, types in [
        ("OpaAddPolicy", [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_char_p]),
        ("OpaAddData", [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_char_p]),
        ("OpaEvalDocument", [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
    ]:
        getattr(opa, name).restype = ctypes.c_void_p
        getattr(opa, name).argtypes = types

    def call(function, *args):
        answer = function(*args)
        text = ctypes.string_at(answer)
        opa.OpaFreeString(answer)
        return text

    def read(name):
        with open(f"{folder}/{name}", "rb") as file:
            return file.read()

    engine = opa.OpaNew()
    call(opa.OpaAddPolicy, engine, b"bundle.rego", read("bundle.rego"))
    call(opa.OpaAddData, engine, b"", read("data.json"))
    inputs = read("inputs.jsonl").splitlines()
    ask = lambda text: call(opa.OpaEvalDocument, engine, b"bundle.answer", text, 0, 0)
    first = ask(inputs[0])
    if b"permit" not in first:
        sys.exit(first.decode())
    start, calls = time.perf_counter_ns(), 0
    while time.perf_counter_ns() - start < seconds * 1e9:
        ask(inputs[calls % len(inputs)])
        calls += 1
    print((time.perf_counter_ns() - start) / calls)


main()
