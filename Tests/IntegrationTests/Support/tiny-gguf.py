"""Writes a very small Llama with random weights and a vocabulary of bytes as a GGUF file: tiny-gguf.py FILE"""

import sys

import gguf
import numpy

LAYERS, WIDTH, HEADS, HIDDEN, CONTEXT = 2, 64, 2, 128, 2048

writer = gguf.GGUFWriter(sys.argv[1], "llama")
writer.add_name("tiny")
writer.add_context_length(CONTEXT)
writer.add_embedding_length(WIDTH)
writer.add_block_count(LAYERS)
writer.add_feed_forward_length(HIDDEN)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_rope_dimension_count(WIDTH // HEADS)
writer.add_layer_norm_rms_eps(1e-5)

# Control tokens, then every byte, then the letters as tokens of their own, so that output is mostly readable.
tokens = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % byte for byte in range(256)]
types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256
letters = ["\u2581"] + [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
tokens += [letter.encode() for letter in letters]
types += [gguf.TokenType.NORMAL] * len(letters)
writer.add_tokenizer_model("llama")
writer.add_token_list(tokens)
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types(types)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_unk_token_id(0)
writer.add_vocab_size(len(tokens))

random = numpy.random.default_rng(7)


def weights(*shape):
    return (random.standard_normal(shape) / numpy.sqrt(shape[-1])).astype(numpy.float32)


writer.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
output = weights(len(tokens), WIDTH) * 4
output[:259] *= 0.05
writer.add_tensor("output.weight", output)
writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
for layer in range(LAYERS):
    for name, shape in {
        "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN),
    }.items():
        writer.add_tensor(f"blk.{layer}.{name}.weight", weights(*shape))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.{layer}.{name}.weight", numpy.ones(WIDTH, numpy.float32))

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
