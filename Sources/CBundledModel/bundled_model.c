#include "CBundledModel.h"

// `#embed` (C23; Clang 19 and GCC 15 have it in every mode) rather than `.incbin`, because the build then knows that
// this file depends on the model's: a newly trained model is embedded by the next build.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif

// Aligned so that the weights, which are used where they lie, are too.
#define ALIGNED __attribute__((aligned(64)))

static const unsigned char config[] ALIGNED = {
#embed "model/config.json"
};

static const unsigned char generation_config[] ALIGNED = {
#embed "model/generation_config.json"
};

static const unsigned char tokenizer[] ALIGNED = {
#embed "model/tokenizer.json"
};

static const unsigned char tokenizer_config[] ALIGNED = {
#embed "model/tokenizer_config.json"
};

static const unsigned char weights[] ALIGNED = {
#embed "model/model.safetensors"
};

static const aladdin_bundled_file files[] = {
    {"config.json", config, sizeof config},
    {"generation_config.json", generation_config, sizeof generation_config},
    {"tokenizer.json", tokenizer, sizeof tokenizer},
    {"tokenizer_config.json", tokenizer_config, sizeof tokenizer_config},
    {"model.safetensors", weights, sizeof weights},
};

aladdin_bundled_file aladdin_bundled_model_file(size_t index) {
    if (index < sizeof files / sizeof files[0]) {
        return files[index];
    }
    return (aladdin_bundled_file){0};
}
