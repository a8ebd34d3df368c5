// Embeds model/* (found through the target's header search path). SwiftPM does not see these files as dependencies:
// after replacing them, touch this file.

#if defined(__APPLE__)
#define SYMBOL(NAME) _##NAME
#define HIDDEN .private_extern
.section __TEXT,__const
#else
#define SYMBOL(NAME) NAME
#define HIDDEN .hidden
.section .rodata
#endif

#define EMBED(NAME, FILE_NAME) \
    .globl SYMBOL(aladdin_bundled_##NAME) ; \
    .globl SYMBOL(aladdin_bundled_##NAME##_end) ; \
    HIDDEN SYMBOL(aladdin_bundled_##NAME) ; \
    HIDDEN SYMBOL(aladdin_bundled_##NAME##_end) ; \
    .p2align 6 ; \
    SYMBOL(aladdin_bundled_##NAME): ; \
    .incbin FILE_NAME ; \
    SYMBOL(aladdin_bundled_##NAME##_end): ; \
    .byte 0

EMBED(config, "config.json")
EMBED(tokenizer, "tokenizer.json")
EMBED(tokenizer_config, "tokenizer_config.json")
EMBED(weights, "model.safetensors")

#if defined(__linux__) && defined(__ELF__)
.section .note.GNU-stack,"",%progbits
#endif
