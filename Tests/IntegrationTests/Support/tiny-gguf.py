"""Writes a very small Llama with random weights and a vocabulary of bytes as a GGUF file: tiny-gguf.py FILE"""

import array
import random
import struct
import sys

LAYERS, WIDTH, HEADS, HIDDEN, CONTEXT, ALIGNMENT = 2, 64, 2, 128, 2048, 32
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9  # GGUF's types of values
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # and of tokens

# Control tokens, then every byte, then letters as tokens of their own, so that output is mostly readable.
tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
letters = ["\u2581"] + [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
tokens += letters
kinds += [NORMAL] * len(letters)


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, content):
    if kind == STRING:
        return text(content)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], content)


def field(key, kind, content):
    if not isinstance(content, list):
        return text(key) + struct.pack("<I", kind) + value(kind, content)
    head = struct.pack("<IIQ", ARRAY, kind, len(content))
    return text(key) + head + b"".join(value(kind, item) for item in content)


fields = [
    field("general.architecture", STRING, "llama"),
    field("general.name", STRING, "tiny"),
    field("general.alignment", UINT32, ALIGNMENT),
    field("llama.context_length", UINT32, CONTEXT),
    field("llama.embedding_length", UINT32, WIDTH),
    field("llama.block_count", UINT32, LAYERS),
    field("llama.feed_forward_length", UINT32, HIDDEN),
    field("llama.attention.head_count", UINT32, HEADS),
    field("llama.attention.head_count_kv", UINT32, HEADS),
    field("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
    field("llama.rope.dimension_count", UINT32, WIDTH // HEADS),
    field("llama.vocab_size", UINT32, len(tokens)),
    field("tokenizer.ggml.model", STRING, "llama"),
    field("tokenizer.ggml.tokens", STRING, tokens),
    field("tokenizer.ggml.scores", FLOAT32, [0.0] * len(tokens)),
    field("tokenizer.ggml.token_type", INT32, kinds),
    field("tokenizer.ggml.bos_token_id", UINT32, 1),
    field("tokenizer.ggml.eos_token_id", UINT32, 2),
    field("tokenizer.ggml.unknown_token_id", UINT32, 0),
]

source = random.Random(7)


def weights(rows, columns, scale=lambda row: 1.0):
    deviation = columns**-0.5
    return [source.gauss(0, deviation) * scale(row) for row in range(rows) for _ in range(columns)]


tensors = [
    ("token_embd.weight", (len(tokens), WIDTH), weights(len(tokens), WIDTH)),
    # Letters are far likelier than bytes and the end.
    ("output.weight", (len(tokens), WIDTH), weights(len(tokens), WIDTH, lambda row: 4.0 if row >= 259 else 0.2)),
    ("output_norm.weight", (WIDTH,), [1.0] * WIDTH),
]
for layer in range(LAYERS):
    for name, shape in {
        "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN),
    }.items():
        tensors.append((f"blk.{layer}.{name}.weight", shape, weights(*shape)))
    for name in ("attn_norm", "ffn_norm"):
        tensors.append((f"blk.{layer}.{name}.weight", (WIDTH,), [1.0] * WIDTH))

heads, data = b"", b""
for name, shape, numbers in tensors:
    dimensions = b"".join(struct.pack("<Q", extent) for extent in reversed(shape))
    heads += text(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", 0, len(data))
    data += array.array("f", numbers).tobytes()
    data += bytes(-len(data) % ALIGNMENT)

head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields)) + b"".join(fields) + heads
with open(sys.argv[1], "wb") as file:
    file.write(head + bytes(-len(head) % ALIGNMENT) + data)
