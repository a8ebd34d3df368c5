// The default model's files, embedded into the executable from `model/`.
#ifndef ALADDIN_CBUNDLEDMODEL_H
#define ALADDIN_CBUNDLEDMODEL_H

#include <stddef.h>

/// Bytes of one embedded file; valid for the life of the process.
typedef struct aladdin_bundled_file {
    const char *name;
    const void *bytes;
    size_t size;
} aladdin_bundled_file;

/// The embedded files: `config.json`, `generation_config.json`, `tokenizer.json`, `tokenizer_config.json` and
/// `model.safetensors`. `index` counts from 0; beyond the last, `name` is NULL.
aladdin_bundled_file aladdin_bundled_model_file(size_t index);

#endif
