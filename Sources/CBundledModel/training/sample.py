#!/usr/bin/env python3
"""Loads an exported model as a user would and prints answers, greedy and sampled."""
import argparse

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

CHATS = ["Hello!", "Tell me a story about a lamp.", "What is a queue?", "Explain time to first token", "Write a story about a fox",
         "Who are you?", "Tell me a long story about a dragon and a golden key.", "How do I make tea?", "List five animals.",
         "What is 3 + 4?", "Write a poem about the sea.", "Why do submarines have windows made of cheese?",
         "Give me a detailed marketing plan for my new startup that sells bicycles to astronauts.", "asdf qwer 123"]
PLAIN = ["Once upon a time", "The queue was long and", "The lamp"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="the exported directory")
    parser.add_argument("--prompt", action="append", help="ask this instead of the built-in prompts")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--max-tokens", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model)  # in the exported type
    print(model.dtype, sum(p.numel() for p in model.parameters()), "parameters")

    def generate(text, sampled):
        inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        options = {"do_sample": True, "temperature": args.temperature, "top_p": 1.0, "top_k": 0} if sampled else {"do_sample": False, "temperature": None, "top_p": None}
        output = model.generate(**inputs, max_new_tokens=args.max_tokens, **options)[0][inputs.input_ids.shape[1]:]
        ended = "" if output[-1].item() in model.generation_config.eos_token_id else " [cut]"
        return f"({len(output)} tokens{ended}) " + tokenizer.decode(output, skip_special_tokens=True)

    for prompt in args.prompt or CHATS + PLAIN:
        text = prompt
        if prompt not in PLAIN:
            text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        print(f"\n=== {prompt}\n[greedy] {generate(text, False)}\n[sampled] {generate(text, True)}")


if __name__ == "__main__":
    main()
