#include "CBundledModel.h"

// Hidden: the accessor below is the one way in.
#define DECLARE(NAME)                                                                                                  \
    extern __attribute__((visibility("hidden"))) const char aladdin_bundled_##NAME[];                                  \
    extern __attribute__((visibility("hidden"))) const char aladdin_bundled_##NAME##_end[];

DECLARE(config)
DECLARE(tokenizer)
DECLARE(tokenizer_config)
DECLARE(weights)

#define FILE_NAMED(FILE_NAME, NAME)                                                                                    \
    (aladdin_bundled_file) {                                                                                           \
        FILE_NAME, aladdin_bundled_##NAME, (size_t)(aladdin_bundled_##NAME##_end - aladdin_bundled_##NAME)              \
    }

aladdin_bundled_file aladdin_bundled_model_file(size_t index) {
    switch (index) {
    case 0:
        return FILE_NAMED("config.json", config);
    case 1:
        return FILE_NAMED("tokenizer.json", tokenizer);
    case 2:
        return FILE_NAMED("tokenizer_config.json", tokenizer_config);
    case 3:
        return FILE_NAMED("model.safetensors", weights);
    default:
        return (aladdin_bundled_file){0};
    }
}
